"""The types of settings of a training, by task."""

from collections.abc import Mapping

from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.segmentation_settings import SegmentationSettings
from stvit_video.settings.train_settings import TaskSettings, TrainSettings

TASK_SETTINGS: Mapping[str, type[TaskSettings]] = {
    "classification": TrainSettings,
    "detection": DetectionSettings,
    "instance": DetectionSettings,
    "semantic": SegmentationSettings,
}
