"""Which videos a training learnt from and which it held back: split.csv in its folder."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.csv_text import csv_line

SPLIT_FILE = "split.csv"
HEADER = ("path", "label", "part")


class KeptSplit(NamedTuple):
    """Names of videos, as their manifest writes them, in its order."""

    train: tuple[str, ...]
    val: tuple[str, ...]


def write_split(path: str | os.PathLike[str], train: Manifest, val: Manifest) -> None:
    """Write HEADER and a row a video: of a CSV like data=csv reads, with the part beside it.

    Raises:
        OSError: the file can't be written.
    """
    rows = [
        (record.video_id, manifest.classes[record.label], name)
        for name, manifest in (("train", train), ("val", val))
        for record in manifest.records
    ]
    # a name that is no UTF-8 must come back as it was
    with atomically(path) as part, part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(map(csv_line, [HEADER, *rows]))


def read_split(path: str | os.PathLike[str]) -> KeptSplit:
    """Read what `write_split` wrote.

    Raises:
        ManifestError: it is no such file.
        OSError: it can't be read.
    """
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != HEADER or any(len(row) != 3 or row[2] not in ("train", "val") for row in rows[1:]):
        raise ManifestError(
            f"{path} is no list of the parts of a training ({','.join(HEADER)}); put the one back that was written, or "
            "start another run"
        )
    train, val = (tuple(row[0] for row in rows[1:] if row[2] == part) for part in ("train", "val"))
    return KeptSplit(train, val)


def split_in(run_dir: Path) -> KeptSplit | None:
    """The parts that a training which goes on has divided its videos into; None = it has divided none.

    Videos that were added to the folder since are not among them.

    Raises:
        ManifestError: the file is damaged.
        OSError: it can't be read.
    """
    path = run_dir / SPLIT_FILE
    return read_split(path) if path.is_file() else None
