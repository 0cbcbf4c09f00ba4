"""How far a run has come: a bar on a terminal, and else a line now and then, which a log file keeps readable."""

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stvit_video.inference.prediction import Prediction

Report = Callable[[Prediction], None]
LINE_SECONDS = 30.0
LINE_SHARE = 0.1  # of all videos
PAUSE_SECONDS = 1.0  # between two lines, at least


@contextmanager
def watch_progress(*, total: int, done: int) -> Iterator[Report]:
    """Show the progress on standard error.

    Args:
        total: videos of the result.
        done: of them that an earlier run has predicted.

    Yields:
        What is to be called with every prediction.
    """
    if done:
        print(f"{done} of {total} videos are predicted already; going on with the others", file=sys.stderr)
    if has_terminal(sys.stderr) and has_rich():
        with _bar(total=total, done=done) as report:
            yield report
    else:
        yield PlainProgress(total=total, done=done).report


def has_terminal(stream: object) -> bool:
    """Whether a stream goes to a terminal that can move its cursor."""
    is_terminal = getattr(stream, "isatty", None)
    return bool(is_terminal and is_terminal()) and os.environ.get("TERM") != "dumb"


def has_rich() -> bool:
    """Whether the library that draws in terminals is installed; bundles are used without it."""
    return importlib.util.find_spec("rich") is not None


@dataclass
class PlainProgress:
    """Prints a line after each tenth of the videos, but not twice a second, and after half a minute.

    Attributes:
        total: videos of the result.
        done: of them that are predicted.
        clock: gives seconds.
    """

    total: int
    done: int
    clock: Callable[[], float] = time.monotonic
    num_failed: int = 0
    _before: int = 0
    _start: float = 0
    _last: tuple[int, float] = field(default=(0, 0.0))

    def __post_init__(self) -> None:
        self._before, self._start = self.done, self.clock()
        self._last = self.done, self._start

    def report(self, prediction: Prediction) -> None:
        """Count a prediction, and print a line where it is time to."""
        self.done += 1
        self.num_failed += prediction.error is not None
        last, when = self._last
        now = self.clock()
        is_share = self.done - last >= LINE_SHARE * self.total
        pause = PAUSE_SECONDS if is_share else LINE_SECONDS
        if self.done < self.total and now - when >= pause:
            self._last = self.done, now
            print(self.line(now - self._start), file=sys.stderr, flush=True)

    def line(self, seconds: float) -> str:
        """Where the run is, after some seconds."""
        speed = (self.done - self._before) / max(seconds, 1e-9)
        failed = f", {self.num_failed} could not be read" if self.num_failed else ""
        left = duration((self.total - self.done) / max(speed, 1e-9))
        return f"{self.done} of {self.total} videos, {speed:.3g} videos/s, {left} left{failed}"


def duration(seconds: float) -> str:
    """A time in words, such as "45 s", "12 min" or "3 h 20 min"."""
    minutes = round(seconds / 60)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def _bar(*, total: int, done: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("videos, {task.fields[speed]} videos/s,"),
        TimeRemainingColumn(),
        TextColumn("left{task.fields[failed]}"),
    )
    plain = PlainProgress(total=total, done=done)
    start = time.monotonic()
    with Progress(*columns, console=Console(file=sys.stderr), refresh_per_second=4) as bar:
        task = bar.add_task("", total=total, completed=done, speed="-", failed="")

        def report(prediction: Prediction) -> None:
            plain.done += 1
            plain.num_failed += prediction.error is not None
            speed = (plain.done - done) / max(time.monotonic() - start, 1e-9)
            failed = f", {plain.num_failed} could not be read" if plain.num_failed else ""
            bar.update(task, advance=1, speed=f"{speed:.3g}", failed=failed)

        yield report
