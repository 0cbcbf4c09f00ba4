"""Frames of a video file by number: exactly the displayed ones, or a `DecodeError` that says why not.

The standard of truth is PyAV decoding the whole file from the start, and PyAV is what reads unless another backend is
asked for: it was measured to be quicker than decord, since it leaves out frames that nobody needs, its calls end in
time, and there is no file that only others read. What can't be interrupted (decord, torchcodec) runs in a process of
its own that can be killed; the guard that decides whether decord may read a file at all (`decord_refusal`) sees
packets only and comes before decord's constructor.
"""

import importlib.util
import operator
import os
from collections.abc import Callable, Iterable
from types import TracebackType

import numpy as np

from stvit_video.data.decoding.decord_backend import DecordReader
from stvit_video.data.decoding.isolated_backend import CAN_ISOLATE, IsolatedReader, probe_isolated
from stvit_video.data.decoding.pixel_shape import turned_aspect
from stvit_video.data.decoding.probe import (
    VideoIndex,
    decord_refusal,
    opening_seconds,
    probe_video,
    reading_seconds,
    scan_video,
)
from stvit_video.data.decoding.pyav_backend import PyavReader
from stvit_video.data.decoding.reader import LIBRARIES, Reader
from stvit_video.data.decoding.request import Deadline, DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.torchcodec_backend import TorchcodecReader
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.utils.choices import Backend, words_of
from stvit_video.utils.optional import load_optional

__all__ = ["BACKENDS", "READERS", "DecodeError", "DecodeTimeoutError", "Video", "open_video"]

READERS: dict[str, Callable[[DecodeRequest, VideoIndex, Deadline], Reader]] = {
    "decord": DecordReader,
    "pyav": PyavReader,
    "torchcodec": TorchcodecReader,
}
ISOLATED = "isolated"
BACKENDS = words_of(Backend)


class Video:
    """An open video; made by `open_video`, used in a `with` block.

    Attributes:
        times: when each frame is shown, counted from the first one.
    """

    def __init__(self, reader: Reader, source: DecodeRequest) -> None:
        self._reader: Reader | None = reader
        self._index: VideoIndex = reader.index
        self._source = source
        try:
            self.times: FrameTimes = self._index.times
        except ValueError as error:
            raise source.error("it states no frame rate, and its time stamps give none") from error

    @property
    def backend(self) -> str:
        """The backend that really serves: "decord", "pyav" or "torchcodec"."""
        return self._source.backend

    @property
    def num_frames(self) -> int:
        """Displayed frames."""
        return len(self._index.pts)

    @property
    def fps(self) -> float:
        """Frames per second: what the file states where its time stamps agree, else the mean that they give."""
        return self.times.fps

    @property
    def height(self) -> int:
        """Displayed height in pixels, after rotation."""
        return self._index.height

    @property
    def width(self) -> int:
        """Displayed width in pixels, after rotation."""
        return self._index.width

    @property
    def pixel_aspect(self) -> tuple[int, int]:
        """Width : height of a displayed pixel, as the file states it; (1, 1) = square. `read` leaves it alone."""
        return turned_aspect(self._index.pixel_aspect, quarter_turns=self._index.quarter_turns)

    @property
    def other_sizes(self) -> frozenset[tuple[int, int]]:
        """(width, height) as stored of frames that `read` has scaled to the size of the first; known of PyAV alone."""
        return frozenset(self._reader.other_sizes) if isinstance(self._reader, PyavReader) else frozenset()

    def pts_seconds(self, index: int) -> float:
        """When frame `index` is displayed, in seconds on the file's own clock (which need not start at 0).

        Raises:
            ValueError: there is no such frame.
        """
        (position,) = self._checked([index])
        return self._index.pts[position] * self._index.time_base_seconds

    def read(self, indices: Iterable[int]) -> np.ndarray:
        """The displayed frames with these numbers, in this order; repeats are allowed.

        Args:
            indices: frame numbers, from 0 to num_frames - 1; may be empty.

        Returns:
            (len(indices), H, W, 3) uint8, RGB.

        Raises:
            ValueError: an index is out of range or no integer, or the video is closed.
            DecodeError: a frame can't be decoded, or not within the time limit.
        """
        reader, positions = self._open_reader(), self._checked(indices)
        if not positions:
            return np.empty((0, self.height, self.width, 3), dtype=np.uint8)
        deadline = self._source.deadline(reading_seconds(self._index, positions))
        try:
            return reader.read(positions, deadline)
        except MemoryError as error:
            frames = f"{len(positions)} frames of {self.width}x{self.height} pixels"
            raise self._source.error(f"{frames} do not fit into memory; read fewer at once") from error

    def close(self) -> None:
        """Give back the file; a second call does nothing."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_reader(self) -> Reader:
        if self._reader is None:
            raise ValueError(f"the video {self._source.shown!r} is closed; read inside its `with` block")
        return self._reader

    def _checked(self, indices: Iterable[int]) -> list[int]:
        try:
            positions = [operator.index(index) for index in indices]
        except TypeError as error:
            raise ValueError(f"frame indices must be integers, got {indices!r}") from error
        for position in positions:
            if not 0 <= position < self.num_frames:
                allowed = f"0 to {self.num_frames - 1}"
                raise ValueError(f"frame {position} is not in {self._source.shown!r}; allowed are {allowed}")
        return positions


def open_video(
    path: str | os.PathLike[str],
    *,
    backend: str = "auto",
    time_limit_seconds: float | None = None,
    isolate: bool | None = None,
    allow_addresses: bool = False,
    name: str = "",
) -> Video:
    """Open a local video file for reading frames by number.

    Args:
        path: a local file; addresses, ffmpeg protocols and playlists are refused.
        backend: "auto" and "pyav" are PyAV; "isolated" is PyAV in a process of its own, as with isolate=True; also
            "decord" and "torchcodec".
        time_limit_seconds: how long one call may take: opening, and each `read`. Must be positive. None = 10 s, and
            more where size, frames and pixels of the file say that a slow machine needs it (`time_limits.py`). A call
            that hangs in a process of its own is ended a second later; starting that process is not counted.
        isolate: read in a process of its own, which can be killed and may crash. None = where a call can't be
            interrupted otherwise (decord, torchcodec), on POSIX systems; True = always, for files that may crash
            the decoder; False = never, and a hanging call is left behind in a thread.
        allow_addresses: True = hand `path` to ffmpeg as it stands, so that it may be an address or a playlist
            and reach the network; for sources that you trust and that end. Only with PyAV.
        name: what errors call the video instead of `path`, which may be a temporary copy; "" = the path.

    Returns:
        The open `Video`; use it in a `with` block.

    Raises:
        ValueError: unknown backend, a time limit that is not positive, `isolate` where there is no POSIX, or
            `allow_addresses` with another backend than "auto" and "pyav".
        DecodeError: the file can't be read, or not by the backend asked for, or not within the time limit.
        MissingLibraryError: the library of the backend asked for does not import.
    """
    if backend == ISOLATED:
        backend, isolate = "pyav", True
    _check_settings(backend, time_limit_seconds, isolate, allow_addresses)
    source = DecodeRequest(
        os.fspath(path), "pyav" if backend == "auto" else backend, time_limit_seconds, allow_addresses, name
    )
    deadline = source.deadline()
    if source.backend == "pyav" and not isolate:
        scanned = scan_video(source, deadline)
        return Video(PyavReader(source, scanned.index, deadline, scanned=scanned), source)
    index = probe_isolated(source, deadline, library=LIBRARIES["pyav"]) if isolate else probe_video(source, deadline)
    refusal = decord_refusal(index) if source.backend == "decord" else None
    if refusal is not None:
        raise source.error(f"decord is not safe on this file, {refusal}; use backend=auto or backend=pyav")
    deadline = source.extended(deadline, source.listing_seconds + opening_seconds(index))  # who lists it once more
    return Video(_reader(source, index, deadline, isolated=CAN_ISOLATE if isolate is None else isolate), source)


def _check_settings(
    backend: str, time_limit_seconds: float | None, isolate: bool | None, allow_addresses: bool
) -> None:
    if backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; allowed are {', '.join(BACKENDS)}")
    if time_limit_seconds is not None and not time_limit_seconds > 0:
        raise ValueError(f"time_limit_seconds must be positive, got {time_limit_seconds!r}")
    if isolate and not CAN_ISOLATE:
        raise ValueError("isolate=True needs a POSIX system (Linux, macOS); leave it None or False here")
    if allow_addresses and backend not in ("auto", "pyav"):
        raise ValueError(f"allow_addresses=True needs backend 'auto' or 'pyav', got {backend!r}")


def _reader(source: DecodeRequest, index: VideoIndex, deadline: Deadline, *, isolated: bool) -> Reader:
    """The reader of the source's backend, in this process or in one of its own."""
    if not isolated:
        return READERS[source.backend](source, index, deadline)
    library = LIBRARIES[source.backend]
    if importlib.util.find_spec(library["name"].split(".")[0]) is None:
        load_optional(**library)  # fails, in words, without starting a process
    return IsolatedReader(source, index, deadline, library=library)
