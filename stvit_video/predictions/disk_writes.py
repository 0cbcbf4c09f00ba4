"""Writing that tells of a full disk in words, and the digest of a file."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stvit_video.utils.full_disk import full_disk_is_told

BLOCK_BYTES = 2**20


@contextmanager
def no_room_is_told(path: Path, *, kept_in: str) -> Iterator[None]:
    """Within, an error of a full disk says that the work is kept and how to go on.

    Args:
        path: that is written.
        kept_in: name of the file that has all predictions so far.

    Raises:
        DiskFullError: in place of the system's error.
        OSError: any other error; it names the file.
    """
    advice = f"what is done so far is kept in {kept_in}: make room, and the same command goes on where it stopped"
    with full_disk_is_told(path, advice=advice):
        yield


def write_all(file: IO[bytes], content: bytes) -> None:
    """Write to a file without a buffer, which may take a part at a time.

    Raises:
        OSError: it can't be written.
    """
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
    return digest.hexdigest()
