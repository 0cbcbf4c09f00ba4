"""Find settings of a segmenter's training that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.dense_consistency import MAPS, dense_faults
from stvit_video.settings.segmentation_settings import SegmentationSettings


def segmentation_faults(settings: SegmentationSettings, wrong: Collection[str]) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
    """
    return dense_faults(settings, wrong, kind=MAPS)
