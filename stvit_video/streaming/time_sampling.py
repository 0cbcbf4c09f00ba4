"""Which frames of a stream the model sees: those that stand on the screen at evenly spaced times, chosen as they come.

A frame is chosen when it arrives, not when the next one shows how long it stands: it is taken to stand for one usual
interval of its source. Where the next one comes later than that, the times between are served by the frame that stood
on the screen meanwhile, once more.

Nothing here looks at pictures or waits; all times are seconds.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stvit_video.data.sampling.frame_times import MAX_JITTER, NEW_CLOCK_SECONDS
from stvit_video.utils.ranges import require_positive, require_rate

__all__ = ["Chosen", "StampClock", "TimeSampler", "chosen_fps", "usual_interval"]

MAX_RATE_RATIO = 2.0  # between the rate that a source states and that of its first time stamps


def usual_interval(stamps: Sequence[float | None], *, stated_fps: float | None) -> float | None:
    """Seconds from one frame of a source to the next.

    The stated rate counts where the first time stamps come within a factor of 2 of it: a browser states 1000 frames a
    second for its recordings. Else the median of what lies between the stamps counts.

    Args:
        stamps: time stamps of the first frames, in any order; None = that frame has none.
        stated_fps: what the source says; None = nothing.

    Returns:
        The interval; None = neither tells one.
    """
    known = sorted(stamp for stamp in stamps if stamp is not None)
    intervals = [after - before for before, after in pairwise(known) if after > before]
    median = statistics.median(intervals) if intervals else None
    if stated_fps is None or not 0 < stated_fps < float("inf"):
        return median
    stated = 1 / stated_fps
    return stated if median is None or stated / MAX_RATE_RATIO <= median <= stated * MAX_RATE_RATIO else median


class StampClock:
    """Turns the time stamps of a source into seconds that never run back.

    A stamp a little earlier than the one before is as late as that; one that lies more than a second back means that
    the source has set its clock anew, and time goes on where it stood. A frame without a stamp comes one interval
    after the one before it; of a live source it comes when it arrives.

    Args:
        keeps_origin: True = seconds are those of the source; False = they count from its first frame.
    """

    def __init__(self, *, keeps_origin: bool = False) -> None:
        self._keeps_origin = keeps_origin
        self._is_live, self._interval_seconds = False, 0.0
        self._offset: float | None = None  # from a stamp to seconds; None = the next stamp sets it
        self._last: float | None = None
        self._last_arrived = 0.0

    def begin(self, interval_seconds: float, *, is_live: bool = False) -> None:
        """The source is opened, perhaps anew: its next stamp goes on from where the time stood.

        Args:
            interval_seconds: usual time from one frame to the next.
            is_live: True = where stamps don't tell the time, arrivals do.
        """
        self._interval_seconds, self._is_live, self._offset = interval_seconds, is_live, None

    def seconds(self, stamp: float | None, *, arrived: float) -> tuple[float, float]:
        """When a frame is shown.

        Args:
            stamp: its time stamp on the source's clock; None = it has none.
            arrived: when it came, on this machine's clock.

        Returns:
            Seconds, and by how many its clock was set back, so that the time before and after this frame does not hang
            together; 0 = it does.
        """
        back_seconds = 0.0
        if self._last is None:
            seconds = stamp if self._keeps_origin and stamp is not None else 0.0
        elif stamp is None or self._offset is None:
            seconds = self._last + self._passed(arrived)
        else:
            seconds = stamp + self._offset
            if seconds < self._last - NEW_CLOCK_SECONDS:
                back_seconds = self._last - seconds
                self._offset, seconds = None, self._last + self._passed(arrived)
            seconds = max(seconds, self._last)
        if self._offset is None and stamp is not None:
            self._offset = seconds - stamp
        self._last, self._last_arrived = seconds, arrived
        return seconds, back_seconds

    def _passed(self, arrived: float) -> float:
        return max(arrived - self._last_arrived, 0.0) if self._is_live else self._interval_seconds


@dataclass(frozen=True)
class Chosen:
    """How often and for when the model sees frames, now that another one is there.

    Attributes:
        before: times for which the frame before this one is seen, ascending.
        now: times for which this one is seen, ascending; the first of them is its own.
    """

    before: tuple[float, ...] = ()
    now: tuple[float, ...] = ()


class TimeSampler:
    """Chooses frames for evenly spaced times, `fps` a second from the first frame on.

    With a frame interval d, a frame of time s serves the wanted times before s + d - d / 4 that are not served yet:
    the quarter allows for clocks that round. Of a source of constant rate and fps = rate / n it is every n-th frame.

    Args:
        fps: wanted times a second.
        interval_seconds: usual distance d of the source's frames.
        window_seconds: after a longer time without a frame the wanted times begin anew.

    Raises:
        ValueError: fps is not a finite number above 0.
    """

    def __init__(self, *, fps: float, interval_seconds: float, window_seconds: float) -> None:
        require_rate("fps", fps)
        self._period, self._window = 1 / fps, window_seconds
        self._origin: float | None = None
        self._next = 0  # number of the wanted time that comes next
        self._last = 0.0
        self.begin(interval_seconds)

    def begin(self, interval_seconds: float) -> None:
        """The source is opened, perhaps anew, and its frames now have this distance."""
        self._interval, self._margin = interval_seconds, MAX_JITTER * interval_seconds

    def gap(self, seconds: float) -> float:
        """How long after the one before a frame of this time comes, where that is more than window_seconds; else 0."""
        gap_seconds = 0.0 if self._origin is None else seconds - self._last
        return gap_seconds if gap_seconds > self._window else 0.0

    def restart(self) -> None:
        """Let the wanted times begin with the next frame: what came before does not go on in it."""
        self._origin = None

    def take(self, seconds: float) -> Chosen:
        """What is seen when a frame of this time is there; times never run back."""
        if self._origin is None or self.gap(seconds):
            self._origin, self._next = seconds, 0
        before = self._served_until(seconds - self._margin)
        now = self._served_until(seconds + self._interval - self._margin)
        self._last = seconds
        return Chosen(tuple(before), (seconds, *(max(wanted, seconds) for wanted in now[1:])) if now else ())

    def _served_until(self, seconds: float) -> list[float]:
        """The wanted times before this one that were not served yet."""
        assert self._origin is not None
        times = []
        while (wanted := self._origin + self._next * self._period) < seconds:
            times.append(wanted)
            self._next += 1
        return times


def chosen_fps(interval_seconds: float, *, frame_stride: int, target_fps: float | None) -> float:
    """Frames a second that the model sees: the target, or every frame_stride-th frame of the source.

    Raises:
        ValueError: frame_stride is below 1, or the target is not a finite number above 0.
    """
    require_positive(frame_stride=frame_stride)
    if target_fps is None:
        return 1 / (interval_seconds * frame_stride)
    require_rate("target_fps", target_fps)
    return float(target_fps)
