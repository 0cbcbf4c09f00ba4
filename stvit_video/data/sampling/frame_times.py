"""When each frame of a video is shown: the one place that turns time stamps into seconds and seconds into frames.

Time counts from the first frame. A stated rate counts only where the time stamps agree with it: a screen recording
writes a frame when the picture changes, and browsers state rates that their recordings do not have.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stvit_video.utils.ranges import require_positive, require_rate

FRAME_TOLERANCE = 1e-3  # in frames: times in tables are rounded, so is 1001 / 30000
TIME_TOLERANCE_SECONDS = 1e-6
MAX_JITTER = 0.25  # in frames: how far the rounding of a container's clock may move a frame of constant rate
USUAL_CLOCK_SECONDS = 1e-3  # WebM's, Matroska's and FLV's; its rounding stays when a file is copied to a finer one
LONG_LAST = 0.5  # in frames: from which on the last frame of a constant rate stands longer than the others
NEW_CLOCK_SECONDS = 1.0  # a time stamp that runs back further is taken for a clock that was set anew


@dataclass(frozen=True, eq=False)
class FrameTimes:
    """When the frames of a video, or of a segment of it, are shown.

    Attributes:
        seconds: (n,) float64, the time stamp of each frame counted from the first frame of the video, ascending.
        end_seconds: when the last frame ends, on the same clock.
        fps: frames per second; of a variable rate the mean.
        is_constant: True = frame i is shown at i / fps, up to the rounding of the container's clock.
    """

    seconds: NDArray[np.float64]
    end_seconds: float
    fps: float
    is_constant: bool

    @classmethod
    def constant(cls, num_frames: int, fps: float) -> "FrameTimes":
        """The times of `num_frames` frames at a constant rate.

        Raises:
            ValueError: no frames, or a rate that is not a finite number above 0.
        """
        require_positive(num_video_frames=num_frames)
        require_rate("fps", fps)
        return cls(np.arange(num_frames) / fps, num_frames / fps, fps, is_constant=True)

    @property
    def num_frames(self) -> int:
        """Frames of the video or segment."""
        return len(self.seconds)

    @property
    def duration_seconds(self) -> float:
        """From the beginning of the first frame to the end of the last."""
        return self.end_seconds - float(self.seconds[0])

    @property
    def intervals_seconds(self) -> tuple[float, float, float]:
        """Smallest, mean and largest time from one frame to the next; of a single frame its duration three times."""
        if self.num_frames == 1:
            return (self.duration_seconds,) * 3
        steps = np.diff(self.seconds)
        return float(steps.min()), float(steps.mean()), float(steps.max())

    def segment(self, first: int, stop: int) -> "FrameTimes":
        """The times of the frames first .. stop - 1, still on the clock of the video."""
        if (first, stop) == (0, self.num_frames):
            return self
        end = self.end_seconds if stop == self.num_frames else float(self.seconds[stop])
        seconds = self.seconds[first:stop]
        fps = self.fps if self.is_constant else len(seconds) / max(end - seconds[0], TIME_TOLERANCE_SECONDS)
        return FrameTimes(seconds, end, fps, self.is_constant)

    def first_at_or_after(self, seconds: float) -> int:
        """The first frame that is not shown before `seconds`; `num_frames` where there is none."""
        if seconds == math.inf:
            return self.num_frames
        if self.is_constant:
            place = math.ceil((seconds - float(self.seconds[0])) * self.fps - FRAME_TOLERANCE)
            return min(max(place, 0), self.num_frames)
        return int(np.searchsorted(self.seconds, seconds - TIME_TOLERANCE_SECONDS))

    def shown_at(self, seconds: ArrayLike) -> list[int]:
        """The frame on the screen at each of these times: the last one whose time stamp is not later.

        Args:
            seconds: any number of times, counted from the first frame of this video or segment; times outside give
                the first or the last frame.
        """
        wanted = np.asarray(seconds, dtype=np.float64) + float(self.seconds[0]) + TIME_TOLERANCE_SECONDS
        places = np.searchsorted(self.seconds, wanted, side="right") - 1
        return [int(place) for place in places.clip(0, self.num_frames - 1)]


def frame_times(
    pts: Sequence[int], *, time_base_seconds: float, stated_fps: float | None, last_duration: int = 0
) -> FrameTimes:
    """Turn the time stamps of all frames of a video into times.

    The rate is the stated one where the time stamps agree with it, else (n - 1) / (last - first). The last frame is
    shown as long as the file states, and one mean interval at least.

    Args:
        pts: time stamps of the displayed frames in their order, at least one.
        time_base_seconds: the unit of `pts`.
        stated_fps: what the file says; None = nothing.
        last_duration: of the last frame, in the same unit; 0 = not stated.

    Raises:
        ValueError: neither the file nor its time stamps say a rate that is a finite number above 0.
    """
    require_positive(num_video_frames=len(pts))
    ticks = np.asarray(pts, dtype=np.int64) - pts[0]
    seconds = _ascending(ticks.astype(np.float64) * time_base_seconds)
    if seconds[-1] == 0:  # one frame, or stamps that stand still and say nothing
        return FrameTimes.constant(len(pts), math.nan if stated_fps is None else stated_fps)
    measured = (len(pts) - 1) / float(seconds[-1])
    for rate in (stated_fps, measured):
        if rate is not None and _agrees(seconds, rate, time_base_seconds):
            end = len(pts) / rate
            stands = float(seconds[-1]) + last_duration * time_base_seconds
            return FrameTimes(seconds, stands if stands > end + LONG_LAST / rate else end, rate, is_constant=True)
    end = float(seconds[-1]) + max(last_duration * time_base_seconds, 1 / measured)
    return FrameTimes(seconds, end, measured, is_constant=False)


def _agrees(seconds: NDArray[np.float64], rate: float, time_base_seconds: float) -> bool:
    """Whether frame i is shown at i / rate, but for the rounding of the container's clock."""
    if not (math.isfinite(rate) and rate > 0):
        return False
    allowed = min(max(time_base_seconds, USUAL_CLOCK_SECONDS), MAX_JITTER / rate) + FRAME_TOLERANCE / rate
    return float(np.abs(seconds - np.arange(len(seconds)) / rate).max()) <= allowed


def _ascending(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times that never run back: a little late is as late as the one before, far back is a new clock that goes on."""
    steps = np.diff(seconds)
    if not len(steps) or steps.min() >= 0:
        return seconds
    restarts = steps < -NEW_CLOCK_SECONDS
    if restarts.any():
        forward = steps[steps > 0]
        steps[restarts] = float(np.median(forward)) if len(forward) else 0.0
        seconds = np.concatenate([[0.0], np.cumsum(steps)])
    return np.maximum.accumulate(seconds)
