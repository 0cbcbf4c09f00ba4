"""A full disk in words, with what to do."""

import errno
from pathlib import Path

import pytest

from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.full_disk import FULL, full_disk_is_told


@pytest.mark.parametrize("number", FULL)
def test_a_full_disk_names_the_file_and_the_advice(number):
    with (
        pytest.raises(DiskFullError, match="^x/a.mp4 can't be written, there is no room left .*; make room"),
        full_disk_is_told(Path("x/a.mp4"), advice="make room"),
    ):
        raise OSError(number, "full")


def test_the_inner_sentence_stands_and_other_errors_name_the_file():
    with pytest.raises(DiskFullError, match="^inner$"), full_disk_is_told(Path("x"), advice="y"):
        raise DiskFullError("inner")
    with pytest.raises(OSError, match="broken") as caught, full_disk_is_told(Path("x.csv"), advice="y"):
        raise OSError(errno.EIO, "broken")
    assert caught.value.filename == "x.csv"
