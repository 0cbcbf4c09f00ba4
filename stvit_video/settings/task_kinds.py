"""The types of settings by task."""

from collections.abc import Mapping

from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.settings.reading import setting_names
from stvit_video.settings.train_settings import TaskSettings, TrainSettings

TASK_SETTINGS: Mapping[str, type[TaskSettings]] = {
    "classification": TrainSettings,
    "detection": DetectionSettings,
    "instance": DetectionSettings,
}


def training_names() -> list[str]:
    """The names of the settings of all tasks, see `setting_names`; each once."""
    return list(dict.fromkeys(name for kind in TASK_SETTINGS.values() for name in setting_names(kind)))
