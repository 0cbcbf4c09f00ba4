"""Frames of a video file by number: exactly the displayed ones, or a `DecodeError` that says why not.

The standard of truth is PyAV decoding the whole file from the start. decord is quicker and serves where it
gives the same; the guard that decides this (`decord_refusal`) reads packets only and comes before decord's
constructor.
"""

import functools
import logging
import operator
import os
from collections.abc import Iterable
from types import TracebackType

import numpy as np

from stvit_video.data.backends import DecordReader, PyavReader, Reader
from stvit_video.data.probe import (
    Deadline,
    DecodeError,
    DecodeTimeoutError,
    Source,
    VideoIndex,
    decord_refusal,
    probe_video,
)
from stvit_video.optional import MissingLibraryError

__all__ = ["BACKENDS", "DecodeError", "DecodeTimeoutError", "Video", "open_video"]

BACKENDS = ("auto", "decord", "pyav")
_log = logging.getLogger(__name__)


class Video:
    """An open video; made by `open_video`, used in a `with` block."""

    def __init__(self, reader: Reader, source: Source, *, may_fall_back: bool) -> None:
        self._reader: Reader | None = reader
        self._index: VideoIndex = reader.index
        self._source = source
        self._may_fall_back = may_fall_back

    @property
    def backend(self) -> str:
        """The backend that really serves: "decord" or "pyav"."""
        return self._source.backend

    @property
    def num_frames(self) -> int:
        """Displayed frames."""
        return len(self._index.pts)

    @property
    def fps(self) -> float:
        """Frames per second, as the file states it."""
        return self._index.fps

    @property
    def height(self) -> int:
        """Displayed height in pixels, after rotation."""
        return self._index.height

    @property
    def width(self) -> int:
        """Displayed width in pixels, after rotation."""
        return self._index.width

    def pts_seconds(self, index: int) -> float:
        """When frame `index` is displayed, in seconds on the file's own clock (which need not start at 0).

        Raises:
            ValueError: there is no such frame.
        """
        (position,) = self._checked([index])
        return self._index.pts[position] * self._index.time_base_seconds

    def read(self, indices: Iterable[int]) -> np.ndarray:
        """The displayed frames with these numbers, in this order; repeats are allowed.

        With backend "auto", a file that decord fails on is read again with PyAV, and by PyAV from then on
        (see `backend`).

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
        deadline = self._source.deadline()
        try:
            return reader.read(positions, deadline)
        except DecodeTimeoutError:
            raise
        except DecodeError:
            if not self._may_fall_back:
                raise
        return self._fall_back(deadline).read(positions, deadline)

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

    def _fall_back(self, deadline: Deadline) -> Reader:
        """Go on with PyAV, for good: after one failure decord's answers count for nothing."""
        self.close()
        self._source = Source(self._source.path, "pyav", self._source.time_limit_seconds)
        self._reader = PyavReader(self._source, self._index, deadline)
        self._may_fall_back = False
        return self._reader

    def _open_reader(self) -> Reader:
        if self._reader is None:
            raise ValueError(f"the video {self._source.path!r} is closed; read inside its `with` block")
        return self._reader

    def _checked(self, indices: Iterable[int]) -> list[int]:
        try:
            positions = [operator.index(index) for index in indices]
        except TypeError as error:
            raise ValueError(f"frame indices must be integers, got {indices!r}") from error
        for position in positions:
            if not 0 <= position < self.num_frames:
                allowed = f"0 to {self.num_frames - 1}"
                raise ValueError(f"frame {position} is not in {self._source.path!r}; allowed are {allowed}")
        return positions


def open_video(path: str | os.PathLike[str], *, backend: str = "auto", time_limit_seconds: float = 10.0) -> Video:
    """Open a local video file for reading frames by number.

    Args:
        path: a local file; addresses and ffmpeg protocols are refused.
        backend: "auto" is decord where it gives the same frames as PyAV, and PyAV elsewhere and where decord
            is not installed (said once); "decord" and "pyav" insist.
        time_limit_seconds: how long one call may take: opening, and each `read`. Must be positive.

    Returns:
        The open `Video`; use it in a `with` block.

    Raises:
        ValueError: unknown backend or a time limit that is not positive.
        DecodeError: the file can't be read, or not by the backend asked for, or not within the time limit.
        MissingLibraryError: the library of the backend asked for does not import.
    """
    if backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; allowed are {', '.join(BACKENDS)}")
    if not time_limit_seconds > 0:
        raise ValueError(f"time_limit_seconds must be positive, got {time_limit_seconds!r}")
    may_fall_back = backend == "auto"
    source = Source(os.fspath(path), "pyav" if may_fall_back else backend, time_limit_seconds)
    deadline = source.deadline()
    index = probe_video(source, deadline)
    if backend == "pyav":
        return Video(PyavReader(source, index, deadline), source, may_fall_back=False)
    refusal = decord_refusal(index)
    if backend == "decord":
        if refusal is not None:
            raise source.error(f"decord is not safe on this file, {refusal}; use backend 'auto' or 'pyav'")
        return Video(DecordReader(source, index, deadline), source, may_fall_back=False)
    return _open_best(source, index, deadline, try_decord=refusal is None)


@functools.cache
def _warn_once(message: str) -> None:
    _log.warning(message)


def _open_best(source: Source, index: VideoIndex, deadline: Deadline, *, try_decord: bool) -> Video:
    """decord where it is safe, installed and counts right; else PyAV."""
    if try_decord:
        decord_source = Source(source.path, "decord", source.time_limit_seconds)
        try:
            return Video(DecordReader(decord_source, index, deadline), decord_source, may_fall_back=True)
        except DecodeTimeoutError:
            raise
        except MissingLibraryError as error:
            _warn_once(f"{error}; until then every file is read with PyAV")
        except DecodeError as error:
            _log.debug("PyAV reads what decord can not: %s", error)
    return Video(PyavReader(source, index, deadline), source, may_fall_back=False)
