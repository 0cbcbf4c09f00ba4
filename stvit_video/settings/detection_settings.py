"""The settings of trainings for detection and instance segmentation."""

from stvit_video.settings.dense_settings import DenseSettings


class DetectionSettings(DenseSettings):
    """All settings of stvit_video.train for task=detection and task=instance."""
