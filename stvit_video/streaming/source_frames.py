"""Frames of a source before any is chosen: when each came, what its time stamp says, and how its picture is made."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from stvit_video.data.decoding.request import DecodeError

__all__ = ["SourceError", "SourceFrame", "given_frames"]


class SourceError(DecodeError):
    """A source that can't be opened or read on, or ends too early; the message names it without its secrets."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceFrame:
    """A frame of a source.

    Attributes:
        stamp_seconds: its time on the source's own clock; None = it has none.
        size: (height, width) in pixels, as displayed.
        arrived: when it came, by `time.monotonic`.
        decode_seconds: that were spent on decoding since the frame before.
        picture: makes the picture, (H, W, 3) uint8 RGB.
    """

    stamp_seconds: float | None
    size: tuple[int, int]
    arrived: float
    decode_seconds: float
    picture: Callable[[], np.ndarray]


def given_frames(pairs: Iterable[Any]) -> Iterator[SourceFrame]:
    """The frames of an iterator of (seconds, frame): when each is shown, and (H, W, 3) uint8 RGB.

    Raises:
        ValueError: what comes is no such pair.
    """
    for number, pair in enumerate(pairs):
        arrived = time.monotonic()
        seconds, frame = _checked(number, pair)
        yield SourceFrame(
            stamp_seconds=seconds,
            size=(frame.shape[0], frame.shape[1]),
            arrived=arrived,
            decode_seconds=0.0,
            picture=lambda frame=frame: frame,  # type: ignore[misc]  # of this turn of the loop
        )


def _checked(number: int, pair: Any) -> tuple[float, np.ndarray]:
    try:
        seconds, frame = pair
    except (TypeError, ValueError):
        raise ValueError(
            f"item {number} of the iterator is a {type(pair).__name__}; a source yields pairs (seconds, frame)"
        ) from None
    if not isinstance(seconds, Real) or not math.isfinite(seconds):
        raise ValueError(f"frame {number} of the iterator has the time {seconds!r:.80}; give finite seconds")
    is_array = isinstance(frame, np.ndarray)
    if not is_array or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        what = f"{frame.dtype} of shape {frame.shape}" if is_array else type(frame).__name__
        raise ValueError(f"frame {number} of the iterator is a {what}; give arrays (H, W, 3) of uint8, RGB")
    return float(seconds), frame
