"""Folders that are whole or not there: each is filled beside its place, and put there at the end."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.full_disk import FULL

PROBE_BYTES = 2**20
MAX_PREFIX = 40  # letters of a folder's name in that of the hidden one, which is longer


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
        ValueError: `out` holds something, maybe since the work was begun.
        DiskFullError: there is no room left, whatever error a library made of it.
        OSError: a file can't be written. It is named by its place in `out`.
    """
    refuse_used(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _hidden_folder(out) as part:
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
            if isinstance(error, OSError):
                _name_place(error, folder, out)
            raise
        try:
            if out.is_dir():
                out.rmdir()
            folder.rename(out)
        except OSError as error:
            refuse_used(out)  # another has put its files there meanwhile
            _name_place(error, folder, out)
            raise


def _hidden_folder(out: Path) -> "tempfile.TemporaryDirectory[str]":
    """An empty folder beside `out`."""
    try:
        return tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:MAX_PREFIX]}-")
    except OSError as error:
        error.filename = str(out)
        raise


def _name_place(error: OSError, folder: Path, out: Path) -> None:
    """Let an error name files of a folder by their place in `out`, as nobody knows the hidden folder."""
    for key in ("filename", "filename2"):
        name = getattr(error, key)
        if isinstance(name, (str, Path)) and Path(name).is_relative_to(folder):
            setattr(error, key, str(out / Path(name).relative_to(folder)))


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
