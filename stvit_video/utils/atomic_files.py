"""Files that are whole or not there: each is written under another name, synced to the disk and then renamed."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stvit_video.utils.csv_text import csv_line

PART_ENDING = ".part"  # of the names of files that are being written
STALE_SECONDS = 86_400.0  # a part that nobody has written to for so long is a killed run's


class DiskFullError(OSError):
    """There is no room left; what was finished is whole."""


@contextlib.contextmanager
def atomically(
    target: str | os.PathLike[str], *, part: Path | None = None, previous: Path | None = None, sync: bool = True
) -> Iterator[Path]:
    """Within, a file is written under another name; at the end it takes its place, unless there was an error.

    The content is on the disk before the name is: after a power cut the old file is there, or the new one.

    Args:
        target: the file; one that is there is replaced. Its folder must exist.
        part: the other name, in the same folder; None = a hidden one that holds the number of this process.
        previous: where the old file goes; None = it is overwritten.
        sync: False = the caller brings many files to the disk at once (`sync_all`) before anything relies on them.

    Yields:
        The path to write to. It is gone at the end, whatever happens.

    Raises:
        OSError: the file can't be written; an old one is left as it was.
    """
    target = Path(target)
    part = target.with_name(f".{target.name}.{os.getpid()}{PART_ENDING}") if part is None else part
    try:
        yield part
        if sync:
            _sync(part)
        if previous is not None and target.exists():
            os.replace(target, previous)
        os.replace(part, target)
        if sync:
            _sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):  # the folder itself may be gone
            part.unlink()


def sync_all() -> None:
    """Bring all that was written to the disk, where the system can be asked to."""
    if hasattr(os, "sync"):
        os.sync()


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) in one step.

    Raises:
        OSError: it can't be written; an old one is left as it was.
    """
    with atomically(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_table(path: str | os.PathLike[str], *, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV (UTF-8) in one step; None becomes an empty field.

    Args:
        path: the CSV; its folder is made where it is missing, an old file is replaced.
        header: column names.
        rows: one value a column.

    Raises:
        ValueError: a row has not one value a column.
        OSError: the file can't be written; an old one is left as it was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # a name that is no UTF-8 must not end a scan of hours
    with (
        atomically(target) as part,
        part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(csv_line(header))
        for row in rows:
            if len(row) != len(header):
                raise ValueError(f"{target}: a row has {len(row)} values, the header {len(header)} columns")
            file.write(csv_line(row))


def remove_stale_parts(folders: Iterable[Path], *, older_than_seconds: float = STALE_SECONDS) -> int:
    """Delete unfinished files that killed runs left; those of a run at work are written to and younger.

    Returns:
        How many were deleted.
    """
    num_deleted = 0
    for folder in folders:
        for part in folder.glob(f".*{PART_ENDING}"):
            if time.time() - part.stat().st_mtime > older_than_seconds:
                part.unlink(missing_ok=True)
                num_deleted += 1
    return num_deleted


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Bring new names to the disk, where the system lets a folder be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
