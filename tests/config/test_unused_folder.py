"""Folders of refused commands: gone where only Hydra wrote, kept with anything else in them."""

import pytest

from stvit_video.config.unused_folder import remove_if_unused


def started(folder):
    """What Hydra writes when a command starts."""
    (folder / ".hydra" / "2026-11-28_09-17-11").mkdir(parents=True)
    (folder / ".hydra" / "2026-11-28_09-17-11" / "config.yaml").write_text("seed: 0\n")
    (folder / "train.log").touch()
    return folder


def test_nothing_stays_of_a_refused_start(tmp_path):
    folder = started(tmp_path / "outputs" / "2026-11-28" / "09-17-11")
    remove_if_unused(folder)
    assert list((tmp_path / "outputs").iterdir()) == []


def test_other_starts_of_the_day_stay(tmp_path):
    folder, other = (started(tmp_path / "2026-11-28" / time) for time in ("09-17-11", "09-17-12"))
    remove_if_unused(folder)
    assert other.is_dir()
    assert not folder.exists()


@pytest.mark.parametrize("name", ["result.json", "metrics.csv", "tensorboard/events", ".training.lock"])
def test_a_folder_with_anything_else_stays(tmp_path, name):
    folder = started(tmp_path / "2026-11-28" / "09-17-11")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    remove_if_unused(folder)
    assert (folder / name).is_file()
    assert (folder / ".hydra").is_dir()


def test_a_log_with_words_stays(tmp_path):
    folder = started(tmp_path / "2026-11-28" / "09-17-11")
    (folder / "train.log").write_text("[WARNING] a video is short\n")
    remove_if_unused(folder)
    assert folder.is_dir()


def test_a_named_folder_stays(tmp_path):
    folder = started(tmp_path / "outputs" / "first")
    remove_if_unused(folder)
    assert folder.is_dir()
