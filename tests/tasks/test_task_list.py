import pytest

from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.task_kinds import TASK_SETTINGS
from stvit_video.tasks.task_list import TASKS, task_of, task_of_checkpoint


def test_each_task_has_its_settings():
    assert {name: task.settings for name, task in TASKS.items()} == dict(TASK_SETTINGS)


def test_settings_and_checkpoints_of_before_there_were_tasks_are_of_classification():
    assert task_of({}) is task_of({"task": "classification"}) is TASKS["classification"]


@pytest.mark.parametrize("name", ["pose", None])
def test_a_task_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match=f"task={name} .*classification"):
        task_of({"task": name})


def test_a_checkpoint_that_is_missing_or_cut_short_is_of_no_task(tiny_detector, tmp_path):
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(tiny_detector.checkpoint.read_bytes()[:20_000])
    with pytest.raises(CheckpointError, match="cut.ckpt' is no checkpoint .*cut short"):
        task_of_checkpoint(str(cut))
    with pytest.raises(CheckpointError, match="no checkpoint file .*gone.ckpt"):
        task_of_checkpoint(str(tmp_path / "gone.ckpt"))
    assert task_of_checkpoint(str(tiny_detector.checkpoint)) is TASKS["detection"]
    for nothing in (None, "???"):  # as it stands where none is given
        assert task_of_checkpoint(nothing) is TASKS["classification"]
