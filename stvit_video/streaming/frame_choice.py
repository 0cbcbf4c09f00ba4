"""From all frames of a source to those that the model sees, with their times."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from stvit_video.streaming.source_frames import SourceFrame
from stvit_video.streaming.stream_notes import Note, gathered, seconds_words
from stvit_video.streaming.stream_step import StreamSummary
from stvit_video.streaming.time_sampling import StampClock, TimeSampler, chosen_fps

__all__ = ["ChosenFrame", "FrameChooser"]

MAX_REPEATS = 2  # a model that sees each frame more often than that sees no motion
TINY_SECONDS = 1e-6
RATE_MARGIN = 1.01  # for rates that are rounded


@dataclass(frozen=True, kw_only=True, eq=False)
class ChosenFrame:
    """A frame for the model.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        seconds: times for which the model sees it, ascending, at least one.
        arrived: when the frame came that it was chosen at, by `time.monotonic`.
        decode_seconds: spent since the frame chosen before it, on decoding and on this picture.
        notes: why what came before does not go on in this frame; () = it does.
    """

    picture: np.ndarray
    seconds: tuple[float, ...]
    arrived: float
    decode_seconds: float
    notes: tuple[Note, ...] = ()

    def after(self, dropped: "ChosenFrame") -> "ChosenFrame":
        """This frame with what must not be lost of one that is dropped before it."""
        seconds = dropped.decode_seconds + self.decode_seconds
        return replace(self, notes=gathered(dropped.notes, self.notes), decode_seconds=seconds)


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
        self._notes: tuple[Note, ...] = ()  # that the next chosen frame takes

    def begin(self, interval_seconds: float, *, is_live: bool = False, note: Note | None = None) -> None:
        """The source is open, perhaps anew; the rate that is chosen stays the one of the first opening.

        Args:
            interval_seconds: usual time from one frame to the next.
            is_live: True = where stamps don't tell the time, arrivals do.
            note: why what came before does not go on.

        Raises:
            ValueError: the rate is out of range, or more than twice that of the source.
        """
        self._clock.begin(interval_seconds, is_live=is_live)
        if self._sampler is None:
            fps = chosen_fps(interval_seconds, frame_stride=self._frame_stride, target_fps=self._target_fps)
            self._require_source_rate(fps, 1 / interval_seconds)
            # from a window of one frame to the next frame is no gap, nor is what is longer in floats alone
            window_seconds = max(self._num_frames, 2) / fps + TINY_SECONDS
            self._sampler = TimeSampler(fps=fps, interval_seconds=interval_seconds, window_seconds=window_seconds)
            self._summary.fps = fps
        self._sampler.begin(interval_seconds)
        if note is not None:
            self._sampler.restart()
            self._notes = gathered(self._notes, [note])

    def chosen(self, frames: Iterable[SourceFrame]) -> Iterator[ChosenFrame]:
        """Those of these frames, the next ones of the source, that the model sees."""
        assert self._sampler is not None, "begin() comes first"
        decode_seconds = 0.0
        for frame in frames:
            self._summary.frames_read += 1
            self._summary.decode_seconds += frame.decode_seconds
            decode_seconds += frame.decode_seconds
            seconds = self._placed(frame)
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
                        notes=self._notes,
                    )
                    decode_seconds, self._notes = 0.0, ()

    def _placed(self, frame: SourceFrame) -> float:
        """When a frame is shown; where that or its picture does not go on, the wanted times begin anew with it."""
        assert self._sampler is not None
        seconds, back_seconds = self._clock.seconds(frame.stamp_seconds, arrived=frame.arrived)
        if self._first_seconds is None:
            self._first_seconds = seconds
        self._summary.source_seconds = seconds - self._first_seconds
        notes = [*self._breaks(frame, seconds, back_seconds)]
        if notes:
            self._sampler.restart()
            self._notes = gathered(self._notes, notes)
        return seconds

    def _breaks(self, frame: SourceFrame, seconds: float, back_seconds: float) -> Iterator[Note]:
        """Why a frame does not go on from the one before it."""
        assert self._sampler is not None
        if back_seconds:
            words = f"its time stamps ran back by {seconds_words(back_seconds)}"
            yield Note(kind="clock", words=words, seconds=back_seconds)
        if self._before is not None and self._before.size != frame.size:
            (height, width), (new_height, new_width) = self._before.size, frame.size
            words = f"its pictures changed from {width}x{height} to {new_width}x{new_height} pixels"
            yield Note(kind="size", words=words)
        if (gap_seconds := self._sampler.gap(seconds)) and self._summary.fps:
            window = seconds_words(self._num_frames / self._summary.fps)
            words = f"a gap of {seconds_words(gap_seconds)}, longer than the window of {window}"
            yield Note(kind="gap", words=words, seconds=gap_seconds)

    def _require_source_rate(self, fps: float, source_fps: float) -> None:
        """Note a rate above that of the source, and refuse one that is far above it."""
        name = self._summary.source
        if fps > MAX_REPEATS * source_fps * RATE_MARGIN:
            raise ValueError(
                f"target_fps={fps:g} is more than twice the {source_fps:.3g} frames a second of {name}; use at most "
                f"{MAX_REPEATS * source_fps:.3g}"
            )
        if fps > source_fps * RATE_MARGIN:
            self._summary.add_note(
                f"{name} has {source_fps:.3g} frames a second; frames are repeated for target_fps={fps:g}"
            )


def _made(frame: SourceFrame) -> tuple[np.ndarray, float]:
    """The picture of a frame, and the seconds that it took."""
    started = time.monotonic()
    picture = frame.picture()
    return picture, time.monotonic() - started
