"""Files that are whole or not there: each is written under another name, synced to the disk and then renamed."""

import csv
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_table(path: str | os.PathLike[str], *, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV (UTF-8) beside its place and move it there; None becomes an empty field.

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
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        # a name that is no UTF-8 must not end a scan of hours
        with beside.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                if len(row) != len(header):
                    raise ValueError(f"{target}: a row has {len(row)} values, the header {len(header)} columns")
                writer.writerow(row)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file in one step; after a power cut it is the old one or the new one.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


STALE_SECONDS = 86_400.0  # a part that nobody has written to for so long is a killed run's


class DiskFullError(OSError):
    """There is no room left; what was finished is whole."""


def remove_stale_parts(folders: Iterable[Path], *, older_than_seconds: float = STALE_SECONDS) -> int:
    """Delete unfinished copies that killed runs left; those of a run at work are written to and younger.

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


PART_ENDING = ".part"
