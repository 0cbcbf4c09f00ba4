import pytest

from stvit_video.settings.task_kinds import TASK_SETTINGS
from stvit_video.tasks.task_list import TASKS, task_of


def test_each_task_has_its_settings():
    assert {name: task.settings for name, task in TASKS.items()} == dict(TASK_SETTINGS)


def test_settings_and_checkpoints_of_before_there_were_tasks_are_of_classification():
    assert task_of({}) is task_of({"task": "classification"}) is TASKS["classification"]


@pytest.mark.parametrize("name", ["pose", None])
def test_a_task_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match=f"task={name} .*classification"):
        task_of({"task": name})
