"""Antialiased resizing of frames without torch: the bytes that torch gives on a CPU.

A row is resized first, then a column. Each pass rounds its weights to whole numbers and its sums to bytes, as torch
does. The passes are products with parts of a banded matrix, in float32; a sum of more than 24 bits may be rounded,
so that one byte in tens of thousands is off by 1.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from stvit_video.data.transforms.crops import resized_size
from stvit_video.utils.choices import Interpolation

__all__ = ["resize_frames", "resize_short_side_numpy"]

OUTPUTS_AT_ONCE = 32  # pixels of a product: more are fewer calls, and more zeros in the matrix
WEIGHT_BITS, MOST_SHIFT = 15, 22  # of a rounded weight; of all of them together


class _Part(NamedTuple):
    """Some neighbouring pixels of a side: `weights` (inputs, outputs) float32 of the inputs from `first_input` on."""

    first_output: int
    first_input: int
    weights: np.ndarray


class _Filter(NamedTuple):
    """Weight by distance in pixels, how far it reaches to each side, and whether sums may leave 0..255."""

    weight: Callable[[np.ndarray], np.ndarray]
    reach: float
    overshoots: bool


def resize_short_side_numpy(
    frames: np.ndarray, *, short_side: int, interpolation: Interpolation = "bilinear"
) -> np.ndarray:
    """Resize frames (T, H, W, 3) uint8 so that the short side has `short_side` pixels; antialiased.

    Raises:
        ValueError: another shape or dtype, or an unknown interpolation.
    """
    _require_frames(frames)
    height, width = resized_size(frames.shape[1], frames.shape[2], short_side=short_side)
    return resize_frames(frames, height=height, width=width, interpolation=interpolation)


def resize_frames(frames: np.ndarray, *, height: int, width: int, interpolation: Interpolation) -> np.ndarray:
    """Resize frames (T, H, W, 3) uint8 to (T, height, width, 3) uint8; antialiased.

    Args:
        frames: RGB.
        height: in pixels.
        width: in pixels.
        interpolation: "bilinear" or "bicubic".

    Raises:
        ValueError: another shape or dtype, or an unknown interpolation.

    Source: `interpolate(mode=interpolation, antialias=True)` of torch on bytes, on a CPU.
    """
    _require_frames(frames)
    if interpolation not in FILTERS:
        raise ValueError(f"interpolation={interpolation!r} is unknown; use one of {', '.join(FILTERS)}")
    if frames.shape[1:3] == (height, width):
        return frames
    resized = np.empty((len(frames), height, width, 3), dtype=np.uint8)
    for frame, place in zip(frames, resized, strict=True):
        place[...] = _resized(frame, height, width, interpolation).transpose(1, 2, 0)  # (height, width, 3)
    return resized


def _resized(frame: np.ndarray, height: int, width: int, interpolation: Interpolation) -> np.ndarray:
    """One frame (H, W, 3) uint8 as (3, height, width) float32 of whole numbers in 0..255."""
    old_height, old_width = frame.shape[:2]
    pixels = np.empty((3, old_height, old_width), dtype=np.float32)
    pixels[...] = frame.transpose(2, 0, 1)  # (3, H, W)
    overshoots = FILTERS[interpolation].overshoots
    if width != old_width:
        rows = np.empty((3 * old_height, width), dtype=np.float32)
        flat = pixels.reshape(-1, old_width)  # (3 * H, W)
        for start, first, weights in _parts(old_width, width, interpolation):
            inputs = flat[:, first : first + weights.shape[0]]
            np.matmul(inputs, weights, out=rows[:, start : start + weights.shape[1]])
        pixels = _rounded(rows, overshoots).reshape(3, old_height, width)
    if height != old_height:
        columns = np.empty((3, height, width), dtype=np.float32)
        for start, first, weights in _parts(old_height, height, interpolation):
            inputs = pixels[:, first : first + weights.shape[0]]
            np.matmul(weights.T, inputs, out=columns[:, start : start + weights.shape[1]])
        pixels = _rounded(columns, overshoots)
    return pixels


def _rounded(sums: np.ndarray, overshoots: bool) -> np.ndarray:
    """Sums as whole numbers in 0..255, halves upwards; in place."""
    sums += 0.5
    np.floor(sums, out=sums)
    return np.clip(sums, 0, 255, out=sums) if overshoots else sums


@lru_cache(maxsize=64)
def _parts(old: int, new: int, interpolation: Interpolation) -> tuple[_Part, ...]:
    """The matrix from a side of `old` pixels to one of `new`, in parts that leave out most of its zeros."""
    firsts, weights = _weights(old, new, FILTERS[interpolation])
    parts = []
    for start in range(0, new, OUTPUTS_AT_ONCE):
        outputs = range(start, min(start + OUTPUTS_AT_ONCE, new))
        first = min(firsts[number] for number in outputs)
        stop = max(firsts[number] + len(weights[number]) for number in outputs)
        matrix = np.zeros((stop - first, len(outputs)), dtype=np.float32)
        for column, number in enumerate(outputs):
            top = firsts[number] - first
            matrix[top : top + len(weights[number]), column] = weights[number]
        parts.append(_Part(start, first, matrix))
    return tuple(parts)


def _weights(old: int, new: int, kind: _Filter) -> tuple[list[int], list[np.ndarray]]:
    """For each new pixel the first old one that counts, and the weights of this one and the next.

    The weights are multiples of the same power of 2, the smallest one of which the largest weight is fewer than
    2 ** 15.
    """
    scale = old / new
    stretch = max(scale, 1.0)
    firsts, weights = [], []
    for number in range(new):
        center = scale * (number + 0.5)
        first = max(int(center - kind.reach * stretch + 0.5), 0)
        stop = min(int(center + kind.reach * stretch + 0.5), old)
        values = kind.weight((np.arange(first, stop) - center + 0.5) / stretch)
        firsts.append(first)
        weights.append(values / values.sum())
    largest = max(values.max() for values in weights)
    shift = next((n for n in range(MOST_SHIFT) if int(0.5 + largest * 2 ** (n + 1)) >= 2**WEIGHT_BITS), MOST_SHIFT)
    return firsts, [np.trunc(values * 2**shift + np.copysign(0.5, values)) / 2**shift for values in weights]


def _triangle(distance: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic with a = -0.5."""
    x = np.abs(distance)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _require_frames(frames: np.ndarray) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(f"frames are {frames.dtype} of shape {frames.shape}; needed is uint8 (T, H, W, 3)")


FILTERS: dict[str, _Filter] = {
    "bilinear": _Filter(_triangle, 1.0, overshoots=False),
    "bicubic": _Filter(_cubic, 2.0, overshoots=True),
}
