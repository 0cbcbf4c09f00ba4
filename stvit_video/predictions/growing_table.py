"""The table of labels as text that grows by a row at a time, for a person who looks at it while the run goes on."""

from pathlib import Path
from typing import IO

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.disk_writes import no_room_is_told, write_all
from stvit_video.predictions.journal import Journal
from stvit_video.predictions.label_table import LabelTable
from stvit_video.utils.atomic_files import atomically

TEXT_ENDINGS = (".csv", ".jsonl")


class GrowingTable:
    """Written anew from the journal at the start, then a row at a time; at the end the finished table takes its place.

    Args:
        path: the file; one that is no text, or None, is left alone.
        table: its columns.
        journal: what is predicted so far.

    Raises:
        DiskFullError: there is no room.
        OSError: it can't be written.
    """

    def __init__(self, path: Path | None, table: LabelTable, journal: Journal) -> None:
        self._path, self._table, self._journal = path, table, journal
        self._file: IO[bytes] | None = None
        if path is not None and path.suffix.lower() in TEXT_ENDINGS:
            with no_room_is_told(path, kept_in=journal.path.name):
                with atomically(path) as part:
                    part.write_bytes(text_so_far(path, table, journal))
                self._file = path.open("ab", buffering=0)

    def append(self, number: int, prediction: Prediction) -> None:
        """Add the row of a video.

        Raises:
            DiskFullError: there is no room.
            OSError: it can't be written.
        """
        if self._file is not None and self._path is not None:
            line = self._table.line(self._path.suffix.lower(), self._journal.videos[number], prediction)
            with no_room_is_told(self._path, kept_in=self._journal.path.name):
                write_all(self._file, line.encode())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def text_so_far(path: Path, table: LabelTable, journal: Journal) -> bytes:
    """The table as text, with the rows in the order in which they were made."""
    ending = path.suffix.lower()
    lines = (table.line(ending, journal.videos[number], prediction) for number, prediction in journal.written())
    return (table.header(ending) + "".join(lines)).encode()
