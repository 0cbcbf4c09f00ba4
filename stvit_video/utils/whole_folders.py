"""Folders that are whole or not there: each is filled beside its place, and put there at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.full_disk import FULL

PROBE_BYTES = 2**20


def refuse_used(out: Path) -> None:
    """Raise unless nothing is lost when a folder is made here.

    Raises:
        ValueError: a file is there, or a folder that holds something.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ValueError(f"{out} is there already; remove it, or give another folder as out=FOLDER")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Within, a folder is filled beside its place; at the end it takes the place, unless there was an error.

    Args:
        out: the folder to make; its parents are made where they are missing.

    Yields:
        The folder to fill. It is gone at the end, whatever happens.

    Raises:
        ValueError: `out` holds something.
        DiskFullError: there is no room left, whatever error a library made of it.
        OSError: a file can't be written.
    """
    refuse_used(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as part:
        folder = Path(part, "whole")
        folder.mkdir()
        try:
            yield folder
        except Exception as error:
            if (isinstance(error, OSError) and error.errno in FULL) or _is_full(folder):
                raise DiskFullError(
                    f"{out} can't be written, there is no room left; nothing is there now: make room, or give another "
                    "folder as out=FOLDER"
                ) from error
            raise
        if out.is_dir():
            out.rmdir()  # empty, or it would have been refused
        shutil.move(folder, out)


def _is_full(folder: Path) -> bool:
    """Whether a small file can't be written for lack of room, as where a quota is used up."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in FULL
    return False
