"""The settings of trainings for semantic segmentation."""

from stvit_video.settings.dense_settings import DenseSettings


class SegmentationSettings(DenseSettings):
    """All settings of stvit_video.train for task=semantic."""
