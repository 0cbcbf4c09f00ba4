from stvit_video.settings.reading import default_values
from stvit_video.settings.task_kinds import TASK_SETTINGS
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.utils.choices import TaskName, words_of


def test_each_task_has_settings_that_begin_with_those_of_all():
    assert set(TASK_SETTINGS) <= set(words_of(TaskName))
    for kind in TASK_SETTINGS.values():
        assert issubclass(kind, TaskSettings)
        assert list(kind.model_fields)[: len(TaskSettings.model_fields)] == list(TaskSettings.model_fields)
        assert {"data", "augment", "trainer"} <= set(default_values(kind))
