"""Writing: all of it, a full disk in words, and digests."""

import errno
import hashlib
from pathlib import Path

import pytest

from stvit_video.predictions.disk_writes import BLOCK_BYTES, file_digest, no_room_is_told, write_all
from stvit_video.utils.atomic_files import DiskFullError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_that_the_work_is_kept_and_how_to_go_on(number):
    with (
        pytest.raises(DiskFullError, match=r"^x/labels.csv can't .*no room.*kept in labels.csv.journal: make room.*"),
        no_room_is_told(Path("x/labels.csv"), kept_in="labels.csv.journal"),
    ):
        raise OSError(number, "full")


def test_other_errors_name_the_file():
    with pytest.raises(OSError, match="broken") as caught, no_room_is_told(Path("x.csv"), kept_in="j"):
        raise OSError(errno.EIO, "broken")
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, "x.csv")
    with pytest.raises(OSError, match="broken") as caught, no_room_is_told(Path("x.csv"), kept_in="j"):
        raise OSError(errno.EIO, "broken", "y.csv")
    assert caught.value.filename == "y.csv"


def test_all_is_written_by_a_file_that_takes_a_part_at_a_time():
    class Slow:
        content = b""

        def write(self, content):
            self.content += bytes(content[:3])
            return min(len(content), 3)

    file = Slow()
    write_all(file, b"0123456789")
    assert file.content == b"0123456789"


@pytest.mark.parametrize("size", [0, 5, BLOCK_BYTES + 3])
def test_the_digest_is_sha256(tmp_path, size):
    content = bytes(n % 251 for n in range(size))
    (tmp_path / "x").write_bytes(content)
    assert file_digest(tmp_path / "x") == hashlib.sha256(content).hexdigest()
