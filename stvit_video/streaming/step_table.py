"""Steps of a stream as a CSV, a row a step: written as they come, and read again to decide on events anew.

| column | holds |
|---|---|
| `path` | the video; there is no such column where one source is read |
| `seconds` | time of the newest frame of the window |
| `window_start_seconds` | time of its first frame |
| `label`, `probability` | the likeliest class |
| `latency_ms` | from the arrival of the newest frame to the answer |
| `dropped` | frames left out since the step before |
| `note` | why the window was begun anew; empty where it was not |
| `p:<class>` | the probability of each class |
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from stvit_video.utils.csv_text import csv_line
from stvit_video.utils.long_fields import any_length

__all__ = ["StepTable", "StoredStep", "TableStep", "read_steps"]

PATH = "path"
FIXED = ("seconds", "window_start_seconds", "label", "probability", "latency_ms", "dropped", "note")
OF_CLASS = "p:"  # begins the column of a class
TIME_DIGITS, LATENCY_DIGITS = 6, 3


class TableStep(Protocol):
    """What a row needs of a step."""

    @property
    def seconds(self) -> float:
        """Time of the newest frame of the window."""

    @property
    def window(self) -> tuple[float, float]:
        """Times of its first and its newest frame, in seconds."""

    @property
    def probabilities(self) -> np.ndarray:
        """(K,) of the classes."""

    @property
    def latency_seconds(self) -> float:
        """From the arrival of the newest frame to the answer."""

    @property
    def dropped(self) -> int:
        """Frames left out since the step before."""

    @property
    def note(self) -> str:
        """Why the window was begun anew, or ""."""


@dataclass(frozen=True, kw_only=True)
class StoredStep:
    """A step as a row has it, see `TableStep`.

    Attributes:
        seconds, window, probabilities, latency_seconds, dropped, note: as of `TableStep`.
        path: the video; None = the table is of one source.
    """

    seconds: float
    window: tuple[float, float]
    probabilities: np.ndarray
    latency_seconds: float
    dropped: int
    note: str
    path: str | None = None


@dataclass(frozen=True)
class StepTable:
    """How a step becomes a row.

    Attributes:
        classes: label names in the order of the probabilities.
        has_paths: whether steps of several videos stand in the table.
    """

    classes: Sequence[str]
    has_paths: bool = False

    @property
    def names(self) -> list[str]:
        """The columns, in order."""
        return [*([PATH] if self.has_paths else []), *FIXED, *(f"{OF_CLASS}{name}" for name in self.classes)]

    def header(self) -> str:
        """What the file begins with."""
        return csv_line(self.names)

    def line(self, step: TableStep, *, path: str | None = None) -> str:
        """The row of a step; each probability has as many digits as float32 needs to be read back."""
        shares = np.asarray(step.probabilities, dtype=np.float32)
        best = int(shares.argmax())
        written = shares.astype(str).tolist()
        values: list[Any] = [_time(step.seconds), _time(step.window[0]), self.classes[best], written[best]]
        values += [round(1000 * step.latency_seconds, LATENCY_DIGITS), step.dropped, step.note]
        return csv_line([*([path] if self.has_paths else []), *values, *written])


def read_steps(table: str | Path) -> tuple[tuple[str, ...], list[StoredStep]]:
    """Read the steps of a table; a last row that was cut short, by a kill or a power cut, is left out.

    Args:
        table: the path of steps.csv of a stream or of an evaluation.

    Returns:
        The classes in the order of the probabilities, and the steps.

    Raises:
        ValueError: it is no such table, or a row can't be read.
        OSError: the file can't be read.
    """
    text = Path(table).read_bytes().decode("utf-8", errors="replace")
    with any_length():
        rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))
    head = rows[0] if rows else []
    has_paths = head[:1] == [PATH]
    num_fixed = has_paths + len(FIXED)
    classes = tuple(name.removeprefix(OF_CLASS) for name in head[num_fixed:])
    if head != StepTable(classes, has_paths).names or not classes:
        raise ValueError(
            f"{table} has the columns {', '.join(head[:8]) or 'of an empty file'}, and steps have "
            f"{', '.join(FIXED)} and one for each class; give a steps.csv"
        )
    return classes, list(_steps(rows, table, has_paths=has_paths))


def _steps(rows: Sequence[Sequence[str]], table: str | Path, *, has_paths: bool) -> Iterator[StoredStep]:
    for number, row in enumerate(rows[1:], start=2):
        try:
            if len(row) != len(rows[0]):
                raise ValueError(f"{len(row)} values")
            seconds, start, _, _, latency_ms, dropped, note = row[has_paths : has_paths + len(FIXED)]
            yield StoredStep(
                seconds=float(seconds),
                window=(float(start), float(seconds)),
                probabilities=np.array(row[has_paths + len(FIXED) :], dtype=np.float32),
                latency_seconds=float(latency_ms) / 1000,
                dropped=int(dropped),
                note=note,
                path=row[0] if has_paths else None,
            )
        except ValueError as error:
            raise ValueError(
                f"row {number} of {table} can't be read ({error}); it must have {len(rows[0])} values, numbers but for "
                "path, label and note; correct or delete the row"
            ) from error


def _time(seconds: float) -> float:
    return round(seconds, TIME_DIGITS)
