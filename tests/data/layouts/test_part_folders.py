import logging

import pytest
from list_maker import touch

from stvit_video.data.layouts.part_folders import find_part, undivided_folder, warn_of_other_name
from stvit_video.data.manifests.faults import ManifestError


@pytest.mark.parametrize(
    ("names", "val"),
    [
        (("test", "validation", "valid", "val"), "val"),
        (("test", "validation", "valid"), "valid"),
        (("test", "validation"), "validation"),
        (("test",), "test"),
    ],
)
def test_the_first_of_the_usual_names_validates(tmp_path, names, val):
    touch(tmp_path, "train/cat/a.mp4", *(f"{name}/cat/b.mp4" for name in names))
    assert find_part(tmp_path, "train") == tmp_path / "train"
    assert find_part(tmp_path, "val") == tmp_path / val


def test_folders_of_classes_have_no_parts(tmp_path):
    touch(tmp_path, "cat/a.mp4", "dog/a.mp4")
    assert find_part(tmp_path, "train") is find_part(tmp_path, "val") is None
    assert undivided_folder(tmp_path) == tmp_path
    touch(tmp_path, "train/a.mp4")  # a class of trains, or "test" of examinations: they hold videos themselves
    touch(tmp_path, "test.notes/a.mp4")
    assert find_part(tmp_path, "train") is None
    assert undivided_folder(tmp_path) == tmp_path


def test_training_videos_alone_are_divided(tmp_path):
    touch(tmp_path, "train/cat/a.mp4", ".cache/x")
    assert find_part(tmp_path, "val") is None
    assert undivided_folder(tmp_path) == tmp_path / "train"


def test_validation_videos_alone_are_an_error(tmp_path):
    touch(tmp_path, "valid/cat/a.mp4")
    with pytest.raises(ManifestError, match=r"no folder .*/train beside .*/valid; .*data\.train and data\.val"):
        find_part(tmp_path, "train")
    assert find_part(tmp_path, "val") == tmp_path / "valid"  # which is all that an evaluation needs
    touch(tmp_path, "valid/a.mp4")  # a class of this name
    assert find_part(tmp_path, "train") is find_part(tmp_path, "val") is None


def test_another_name_than_val_is_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_other_name(tmp_path, "val")
        assert not caplog.messages
        warn_of_other_name(tmp_path, "test")
    assert "no folder val, test is taken" in caplog.text
