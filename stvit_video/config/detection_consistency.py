"""Find settings of a detector's training that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.dense_consistency import BOXES, dense_faults
from stvit_video.dense.create_dense import HEADS
from stvit_video.settings.detection_settings import DetectionSettings


def detection_faults(settings: DetectionSettings, wrong: Collection[str]) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
    """
    return dense_faults(settings, wrong, kind=BOXES, head_faults=_mask_faults)


def _mask_faults(settings: DetectionSettings) -> list[str]:
    """Without masks there is nothing for task=instance."""
    name = settings.head.name
    if settings.task != "instance" or name not in HEADS or HEADS[name].masks:
        return []
    with_masks = " or head=".join(name for name, head in HEADS.items() if head.masks)
    return [f"task=instance needs masks, which head={name} does not find; use head={with_masks}, or task=detection"]
