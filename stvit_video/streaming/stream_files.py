"""The folder of a stream: steps and events a line at a time while it runs, their track and picture at its end."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from stvit_video.predictions.disk_writes import write_all
from stvit_video.streaming.event_tracks import event_record, read_event_records, same_event, webvtt
from stvit_video.streaming.events import Event, EventRules
from stvit_video.streaming.smoothing import make_smoother
from stvit_video.streaming.step_table import StepTable
from stvit_video.streaming.stream_step import Step
from stvit_video.streaming.stream_timeline import save_timeline
from stvit_video.streaming.time_bins import TimeBins
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.utils.whole_folders import refuse_used

__all__ = ["EVENTS", "REPORT", "STEPS", "TIMELINE", "TRACK", "StreamFiles", "require_free"]

STEPS, EVENTS, TRACK, TIMELINE, REPORT = "steps.csv", "events.jsonl", "events.vtt", "timeline.png", "stream.json"
NAMES = (STEPS, EVENTS, TRACK, TIMELINE, REPORT)


class StreamFiles:
    """Writes what a stream gives; used in a `with`, whose end closes the files.

    Every line is handed to the system as soon as it is made, so that a kill costs the one being written.

    Args:
        folder: made where it is missing; it must not hold anything.
        classes: label names in the order of the probabilities.
        rules: of the events, whose smoothing the picture shows.

    Raises:
        ValueError: the folder holds something, such as files of another stream.
        DiskFullError, OSError: as of `add_step`.
    """

    def __init__(self, folder: Path, *, classes: Sequence[str], rules: EventRules) -> None:
        self.folder = folder
        self._classes, self._rules = tuple(classes), rules
        self._table = StepTable(self._classes)
        self._smoother = make_smoother(rules.smoothing, rules.smoothing_seconds)
        self._bins = TimeBins(len(self._classes))
        self._numbers: dict[tuple[str, float], int] = {}  # of the events that go on
        self._num_events, self._newest_seconds = 0, 0.0
        self._open_files = ExitStack()
        require_free(folder)
        self._steps, self._events = (
            self._open_files.enter_context((folder / name).open("xb", buffering=0)) for name in (STEPS, EVENTS)
        )
        self._write(self._steps, STEPS, self._table.header())

    def __enter__(self) -> "StreamFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open_files.close()

    def add_step(self, step: Step) -> None:
        """Write the row of a step.

        Raises:
            DiskFullError: there is no room; what was written before is whole.
            OSError: it can't be written.
        """
        self._write(self._steps, STEPS, self._table.line(step))
        if step.note:
            self._smoother = make_smoother(self._rules.smoothing, self._rules.smoothing_seconds)
        self._bins.add(step.seconds, self._smoother.take(step.seconds, step.probabilities))
        self._newest_seconds = step.seconds

    def add_event(self, event: Event) -> None:
        """Write the line of an event that is sure, or over.

        Raises:
            DiskFullError, OSError: as of `add_step`.
        """
        key = same_event(event)
        if key not in self._numbers:
            self._num_events += 1
            self._numbers[key] = self._num_events
        number = self._numbers[key] if event.end_seconds is None else self._numbers.pop(key)
        self._write(self._events, EVENTS, json.dumps(event_record(number, event), ensure_ascii=False) + "\n")

    def finish(self, report: Mapping[str, Any]) -> list[str]:
        """Write the track, the picture and the report; a picture that can't be drawn is left out with a warning.

        Args:
            report: what stream.json holds.

        Returns:
            The names of all files.

        Raises:
            ValueError: a line of events.jsonl was changed by somebody else.
            DiskFullError, OSError: as of `add_step`.
        """
        records = read_event_records(self.folder / EVENTS)
        with full_disk_is_told(self.folder / TRACK, advice=self._advice()):
            write_text(self.folder / TRACK, webvtt(records, end_seconds=self._newest_seconds))
            write_text(self.folder / REPORT, json.dumps(_plain(report), indent=2, ensure_ascii=False) + "\n")
        is_drawn = draw_or_warn(self.folder / TIMELINE, lambda: self._draw(records))
        return [name for name in NAMES if is_drawn or name != TIMELINE]

    def _draw(self, records: Sequence[dict[str, Any]]) -> None:
        save_timeline(self.folder / TIMELINE, self._bins, records, classes=self._classes, enter=self._rules.enter)

    def _write(self, file: IO[bytes], name: str, line: str) -> None:
        with full_disk_is_told(self.folder / name, advice=self._advice()):
            write_all(file, line.encode("utf-8", "backslashreplace"))

    def _advice(self) -> str:
        return f"what was written so far is kept in {self.folder}: make room, and give another out="


def require_free(folder: Path) -> None:
    """Make the folder of a stream, so that its stream does not begin in vain.

    Raises:
        ValueError: it holds something, such as files of another stream.
        OSError: it can't be made.
    """
    refuse_used(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _plain(value: Any) -> Any:
    """The values as JSON knows them: NaN and infinities are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
