"""The quarantine list: files that training must not open, with the reason; written by the doctor, edited by hand.

A CSV with the columns `path,start_seconds,end_seconds,reason`; without times the whole file is meant, with times
that segment of it. Relative paths start at the folder of the list. A file in an archive is `archive.tar: name`. Paths
are found in whatever form they are written, see `stvit_video.utils.written_paths`.
"""

import logging
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.manifests.csv_rows import read_rows, read_segment
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.utils.addresses import is_address
from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.written_paths import PathFinder

HEADER = ("path", "start_seconds", "end_seconds", "reason")
_log = logging.getLogger(__name__)


class Quarantined(NamedTuple):
    """A file, or a segment of it (seconds), and why it is not to be used."""

    path: str
    reason: str
    start_seconds: float | None = None
    end_seconds: float | None = None


def write_quarantine(path: str | os.PathLike[str], entries: Iterable[Quarantined]) -> None:
    """Write the list; relative paths in `entries` are taken from the working directory and written absolute.

    Raises:
        OSError: the file can't be written.
    """
    rows = [(_absolute(e.path), e.start_seconds, e.end_seconds, e.reason) for e in entries]
    write_table(path, header=HEADER, rows=rows)


def read_quarantine(path: str | os.PathLike[str]) -> tuple[Quarantined, ...]:
    """Read the list; the columns other than `path` may be absent.

    Raises:
        ManifestError: the file is absent or faulty.
    """
    list_path = Path(path)
    faults = Faults(list_path)
    finder = PathFinder(list_path.parent)
    entries = []
    for row in read_rows(list_path, needed=("path",), faults=faults):
        start, end = read_segment(row, start_column="start_seconds", end_column="end_seconds", faults=faults)
        found = None if is_address(row.fields["path"]) else finder.find(row.fields["path"])
        written = _absolute(row.fields["path"], list_path.parent) if found is None else _absolute(str(found))
        entries.append(Quarantined(written, row.fields.get("reason", "").strip(), start, end))
    faults.raise_if_any()
    return tuple(entries)


def quarantine_reasons(manifest: Manifest, entries: Sequence[Quarantined]) -> dict[VideoRecord, str]:
    """The records of `manifest` that the list names, and why.

    Args:
        manifest: the listed videos.
        entries: from `read_quarantine`.
    """
    reasons = {(_form(entry.path), entry.start_seconds, entry.end_seconds): entry.reason for entry in entries}
    found: dict[VideoRecord, str] = {}
    for record in manifest.records:
        path = _form(_absolute(record.place))
        for key in ((path, None, None), (path, record.start_seconds, record.end_seconds)):
            if key in reasons:
                found.setdefault(record, reasons[key] or "it is in quarantine")
    return found


def _form(path: str) -> str:
    """What is equal for all forms of a path: composed accents."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def _absolute(path: str, folder: str | os.PathLike[str] = "") -> str:
    return path if is_address(path) else os.path.abspath(os.path.join(folder, path))


def drop_quarantined(manifest: Manifest, quarantine: str | os.PathLike[str]) -> Manifest:
    """`manifest` without what the list at `quarantine` names; the classes stay, and one warning counts them.

    Meant for training. An evaluation keeps every listed video and reports those that can't be read.

    Raises:
        ManifestError: the list is absent or faulty, or names every video.
    """
    entries = read_quarantine(quarantine)
    bad = quarantine_reasons(manifest, entries)
    kept = tuple(record for record in manifest.records if record not in bad)
    if not kept:
        raise ManifestError(
            f"{quarantine} names all {len(manifest.records)} listed videos, so nothing is left; "
            "mend the files and scan again, or correct the list"
        )
    if entries and not bad:
        text = "%s names %d files, and none of the listed videos is among them; correct the list if that is not meant"
        _log.warning(text, quarantine, len(entries))
    if bad:
        _log.warning("%s: %d of %d listed videos are left out", quarantine, len(bad), len(manifest.records))
    return replace(manifest, records=kept)
