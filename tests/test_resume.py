"""The folder of a run, and what may be gone on from; what must agree is in test_train."""

import pytest

from stvit_video.models.checkpoints import CheckpointError
from stvit_video.resume import check_resumable, new_run_dir


def test_a_new_run_is_not_mixed_with_an_old_one(tmp_path):
    assert new_run_dir(tmp_path / "a" / "b").is_dir()
    (tmp_path / "best.ckpt").touch()
    with pytest.raises(ValueError, match=r"holds a run already \(best.ckpt\); go on with ckpt_path=.*/last.ckpt, or"):
        new_run_dir(tmp_path)


def test_what_is_no_checkpoint_of_a_training_is_refused(tiny_run, tmp_path):
    with pytest.raises(CheckpointError, match="is no checkpoint that a training can go on from; .* init_from"):
        check_resumable(str(tiny_run.checkpoint), None, {})
    with pytest.raises(CheckpointError, match="gone.ckpt"):
        check_resumable(str(tmp_path / "gone.ckpt"), None, {})
