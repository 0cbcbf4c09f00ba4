"""CSV tables that are either there whole or not at all."""

import csv
import os
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
