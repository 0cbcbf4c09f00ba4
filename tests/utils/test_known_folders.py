"""Folders told by their files."""

from stvit_video.utils.known_folders import checkpoint_of_run


def test_the_best_checkpoint_of_a_run_comes_before_the_last(tmp_path):
    assert checkpoint_of_run(tmp_path) is None
    assert checkpoint_of_run(tmp_path / "absent") is None
    (tmp_path / "last.ckpt").touch()
    assert checkpoint_of_run(tmp_path) == tmp_path / "last.ckpt"
    (tmp_path / "best.ckpt").touch()
    assert checkpoint_of_run(tmp_path) == tmp_path / "best.ckpt"
