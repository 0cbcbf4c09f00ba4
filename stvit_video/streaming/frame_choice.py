"""From all frames of a source to those that the model sees, with their times."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from stvit_video.streaming.source_frames import SourceFrame
from stvit_video.streaming.stream_step import StreamSummary, joined_notes
from stvit_video.streaming.time_sampling import StampClock, TimeSampler, chosen_fps

__all__ = ["ChosenFrame", "FrameChooser"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChosenFrame:
    """A frame for the model.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        seconds: times for which the model sees it, ascending, at least one.
        arrived: when the frame came that it was chosen at, by `time.monotonic`.
        decode_seconds: spent since the frame chosen before it, on decoding and on this picture.
        note: why what came before does not go on in this frame; "" = it does.
    """

    picture: np.ndarray
    seconds: tuple[float, ...]
    arrived: float
    decode_seconds: float
    note: str = ""

    def after(self, dropped: "ChosenFrame") -> "ChosenFrame":
        """This frame with what must not be lost of one that is dropped before it."""
        seconds = dropped.decode_seconds + self.decode_seconds
        return replace(self, note=joined_notes(dropped.note, self.note), decode_seconds=seconds)


class FrameChooser:
    """Chooses by time stamps, over all openings of one source.

    Args:
        num_frames: of the model's window.
        frame_stride: without target_fps every so manieth frame of the source's usual rate is chosen.
        target_fps: frames a second that are chosen; None = by frame_stride.
        clock: of the source.
        summary: where frames are counted.
    """

    def __init__(
        self,
        *,
        num_frames: int,
        frame_stride: int,
        target_fps: float | None,
        clock: StampClock,
        summary: StreamSummary,
    ) -> None:
        self._num_frames, self._frame_stride, self._target_fps = num_frames, frame_stride, target_fps
        self._clock, self._summary = clock, summary
        self._sampler: TimeSampler | None = None
        self._before: SourceFrame | None = None
        self._first_seconds: float | None = None

    def begin(self, interval_seconds: float, *, is_live: bool = False) -> None:
        """The source is open, perhaps anew; the rate that is chosen stays the one of the first opening.

        Raises:
            ValueError: the rate is out of range.
        """
        self._clock.begin(interval_seconds, is_live=is_live)
        if self._sampler is None:
            fps = chosen_fps(interval_seconds, frame_stride=self._frame_stride, target_fps=self._target_fps)
            window = self._num_frames / fps
            self._sampler = TimeSampler(fps=fps, interval_seconds=interval_seconds, window_seconds=window)
            self._summary.fps = fps
        self._sampler.begin(interval_seconds)

    def chosen(self, frames: Iterable[SourceFrame]) -> Iterator[ChosenFrame]:
        """Those of these frames, the next ones of the source, that the model sees."""
        assert self._sampler is not None, "begin() comes first"
        decode_seconds, notes = 0.0, ""
        for frame in frames:
            self._summary.frames_read += 1
            self._summary.decode_seconds += frame.decode_seconds
            decode_seconds += frame.decode_seconds
            seconds, note = self._placed(frame)
            notes = joined_notes(notes, note)
            taken, before = self._sampler.take(seconds), self._before
            self._before = frame
            for one, times in ((before, taken.before), (frame, taken.now)):
                if one is not None and times:
                    picture, spent = _made(one)
                    self._summary.decode_seconds += spent
                    self._summary.frames_chosen += len(times)
                    yield ChosenFrame(
                        picture=picture,
                        seconds=times,
                        arrived=frame.arrived,
                        decode_seconds=decode_seconds + spent,
                        note=notes,
                    )
                    decode_seconds, notes = 0.0, ""

    def _placed(self, frame: SourceFrame) -> tuple[float, str]:
        """When a frame is shown, and why the wanted times begin anew with it; "" = they go on."""
        assert self._sampler is not None
        seconds, note = self._clock.seconds(frame.stamp_seconds, arrived=frame.arrived)
        if self._first_seconds is None:
            self._first_seconds = seconds
        self._summary.source_seconds = seconds - self._first_seconds
        if self._before is not None and self._before.size != frame.size:
            (height, width), (new_height, new_width) = self._before.size, frame.size
            note = joined_notes(note, f"its pictures changed from {width}x{height} to {new_width}x{new_height} pixels")
        if note:
            self._sampler.restart()
        return seconds, note


def _made(frame: SourceFrame) -> tuple[np.ndarray, float]:
    """The picture of a frame, and the seconds that it took."""
    started = time.monotonic()
    picture = frame.picture()
    return picture, time.monotonic() - started
