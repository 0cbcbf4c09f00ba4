"""Find settings of a segmenter's training that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.dense_consistency import MAPS, dense_faults
from stvit_video.config.setting_checks import run_checks
from stvit_video.settings.segmentation_settings import SegmentationSettings


def segmentation_faults(settings: SegmentationSettings, wrong: Collection[str]) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
    """
    own = run_checks((_pooling_faults,), settings, wrong)
    return [*dense_faults(settings, wrong, kind=MAPS), *own]


def _pooling_faults(settings: SegmentationSettings) -> list[str]:
    """Report a batch of one picture, of which a batch norm behind a pooled map would see one value."""
    head, batch_size = settings.head, settings.data.batch_size
    cells = head.options.get("pool_cells", ())
    if batch_size > 1 or settings.trainer.sync_batchnorm or 1 not in cells:
        return []
    return [
        f"data.batch_size={batch_size} gives a batch norm of head={head.name} one value, as the coarsest map is pooled "
        "to one cell; use data.batch_size=2 or more, trainer.sync_batchnorm=true on several GPUs, or head=semantic_fpn"
    ]
