"""PyAV and decord behind `open_video`: both give the same frames for the same numbers, or fail in words."""

import bisect
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from stvit_video.data.places import av_failure, open_container
from stvit_video.data.probe import VideoIndex
from stvit_video.data.source import Deadline, DecodeError, DecodeTimeoutError, Source
from stvit_video.optional import load_optional

Result = TypeVar("Result")
# What each backend needs, as arguments of `load_optional`.
LIBRARIES = {
    "decord": {"name": "decord", "needed_for": "backend='decord'", "install": "pip install decord"},
    "pyav": {"name": "av", "needed_for": "backend='pyav'", "install": "pip install av"},
    "torchcodec": {
        "name": "torchcodec.decoders",
        "needed_for": "backend='torchcodec'",
        "install": "pip install torchcodec (which itself needs the shared libraries of ffmpeg)",
    },
}


class Reader(Protocol):
    """What `open_video` asks of a backend; frames are numbered in display order."""

    index: VideoIndex

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these in-range positions (at least one): (n, H, W, 3) uint8 RGB."""

    def close(self) -> None:
        """Give back the file; may be called twice."""


class PyavReader:
    """Seeks to the keyframe at or before a wanted frame and decodes forward, checking every timestamp.

    Where the packets can't be trusted (`VideoIndex.distrust`) it decodes the whole file once when it is
    made, to count the displayed frames, and reads from the start afterwards.
    """

    def __init__(self, source: Source, index: VideoIndex, deadline: Deadline) -> None:
        self._source = source
        self._av = load_optional(**LIBRARIES["pyav"])
        self._to_rgb = self._av.video.reformatter.VideoReformatter()  # kept: making one costs more than using it
        self._keyframes = index.keyframes
        self._container: Any = None
        self._frames: Iterator[Any] | None = None
        self._next = 0  # position of the frame that comes next out of self._frames
        self._after_seek = False
        self.index = self._counted(index, deadline) if index.distrust else index

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: a wanted frame, or one that it depends on, can't be decoded; or time is over.
        """
        try:
            return self._read(indices, deadline)
        except DecodeError as error:
            self.close()
            if isinstance(error, DecodeTimeoutError) or not self._after_seek:
                raise
        # What a seek breaks, decoding from the start may still give; that is the standard of truth.
        self._keyframes = (0,)
        return self._read(indices, deadline)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
        self._container = self._frames = None

    def _read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        out = np.empty((len(indices), self.index.height, self.index.width, 3), dtype=np.uint8)
        slots: dict[int, list[int]] = {}
        for slot, position in enumerate(indices):
            slots.setdefault(position, []).append(slot)
        for position in sorted(slots):
            out[slots[position]] = self._displayed(self._frame_at(position, deadline))  # (H, W, 3)
        return out

    def _frame_at(self, position: int, deadline: Deadline) -> Any:
        """The decoded frame at this position, by the shortest way from where the decoder stands."""
        keyframe = self._keyframes[bisect.bisect_right(self._keyframes, position) - 1]
        if self._frames is None or self._next > position or self._next < keyframe:
            self._start_at(keyframe, deadline)
        while self._next < position:
            self._pull(deadline)
        return self._pull(deadline)

    def _pull(self, deadline: Deadline) -> Any:
        """The next frame, checked to be the one that the index promises."""
        frame = self._decode_one(deadline)
        if frame is None:
            raise self._lost(f"the file ends after {self._next} frames")
        if not self.index.distrust and frame.pts != self.index.pts[self._next]:
            raise self._lost(f"timestamp {frame.pts} comes instead of {self.index.pts[self._next]}")
        if self._after_seek and frame.is_corrupt:
            raise self._lost("it is damaged")
        self._next += 1
        return frame

    def _decode_one(self, deadline: Deadline) -> Any:
        """Whatever frame comes next, None at the end."""
        self._source.check_time(deadline, "decoding")
        assert self._frames is not None
        try:
            return next(self._frames, None)
        except (self._av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise av_failure(self._av, self._source, error, "decoding", self._lost_frame()) from error

    def _lost(self, cause: str) -> DecodeError:
        return self._source.error(f"{self._lost_frame()} ({cause})")

    def _lost_frame(self) -> str:
        return f"frame {self._next} of {len(self.index.pts)} is lost"

    def _restart(self) -> None:
        """Stand before the first frame, in a freshly opened file."""
        self.close()
        self._container, stream = open_container(self._av, self._source)
        self._frames = self._container.decode(stream)
        self._next, self._after_seek = 0, False

    def _start_at(self, keyframe: int, deadline: Deadline) -> None:
        """Stand before the frame at this position, which decoding may start from."""
        if keyframe == 0 or self._container is None:
            self._restart()
        if keyframe == 0:
            return
        stream = self._container.streams.best("video")
        target = self.index.pts[keyframe]
        self._next, self._after_seek = keyframe, True
        try:
            self._container.seek(target, stream=stream)
        except (self._av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise av_failure(self._av, self._source, error, "decoding", self._lost_frame()) from error
        self._frames = self._skip_before(target, self._container.decode(stream), deadline)

    def _skip_before(self, target: int, frames: Iterator[Any], deadline: Deadline) -> Iterator[Any]:
        """Drop what is displayed before the keyframe: it may lack the frames that it depends on."""
        before = True
        for frame in frames:
            before = before and frame.pts is not None and frame.pts < target
            if not before:
                yield frame
            else:
                self._source.check_time(deadline, "seeking")

    def _displayed(self, frame: Any) -> np.ndarray:
        """(H, W, 3) uint8 RGB, turned as the file says."""
        index = self.index
        if (frame.height, frame.width) != (index.coded_height, index.coded_width):
            first = f"{index.coded_width}x{index.coded_height}"
            raise self._source.error(f"a frame is {frame.width}x{frame.height} where the first is {first}")
        picture = self._to_rgb.reformat(frame, format="rgb24").to_ndarray()  # (h, w, 3) as stored
        picture = picture[:, ::-1] if index.flipped else picture
        return np.rot90(picture, index.quarter_turns)

    def _counted(self, index: VideoIndex, deadline: Deadline) -> VideoIndex:
        """The index with the timestamps of the frames that a decode of the whole file displays."""
        self.index = index
        pts: list[int] = []
        try:
            self._restart()
            while (frame := self._decode_one(deadline)) is not None:
                guess = round(len(pts) / (index.fps * index.time_base_seconds))
                pts.append(guess if frame.pts is None else frame.pts)
                self._next = len(pts)
        finally:
            self.close()
        return replace(index, pts=tuple(pts), keyframes=(0,))


class DecordReader:
    """decord, for files that `decord_refusal` lets through; each call runs under a watch.

    A decord call can't be interrupted: one that hangs in spite of the guard is left behind in its thread, and
    the caller gets its error. Only in a process of its own (`isolated.py`) is it ended.
    """

    def __init__(self, source: Source, index: VideoIndex, deadline: Deadline) -> None:
        self._source = source
        self.index = index
        decord = load_optional(**LIBRARIES["decord"])
        self._video: Any = self._watched(
            lambda: decord.VideoReader(os.path.abspath(source.path), ctx=decord.cpu(0), num_threads=1),
            deadline,
        )
        counted = len(self._video)
        if counted != len(index.pts):
            raise source.error(f"decord counts {counted} frames where the packets hold {len(index.pts)}")

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: decord fails, answers in another shape, or does not come back in time.
        """
        frames = self._watched(lambda: self._video.get_batch(list(indices)).asnumpy(), deadline)
        expected = (len(indices), self.index.height, self.index.width, 3)
        if frames.shape != expected:
            raise self._source.error(f"decord gives frames of shape {frames.shape} instead of {expected}")
        return frames

    def close(self) -> None:
        """Close the file."""
        self._video = None

    def _watched(self, call: Callable[[], Result], deadline: Deadline) -> Result:
        return watched(call, self._source, deadline)


def watched(call: Callable[[], Result], source: Source, deadline: Deadline) -> Result:
    """The result of a call of the source's backend that can't be interrupted.

    Raises:
        DecodeError: what the call raised, in one line, or that it takes too long (DecodeTimeoutError).
    """
    try:
        return run_within(call, seconds=deadline.remaining_seconds())
    except TimeoutError as error:
        raise source.timeout(f"a call of {source.backend}") from error
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise source.error(f"{source.backend} says: {first_line}") from error


def run_within(call: Callable[[], Result], *, seconds: float) -> Result:
    """Run `call` in a thread of its own and wait for it at most so long.

    Returns:
        What the call returns; what it raises is raised here.

    Raises:
        TimeoutError: the call is still running after `seconds`; it is left behind in its daemon thread.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="decoder call", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"the call took longer than {seconds:g} s")
    return results[0]
