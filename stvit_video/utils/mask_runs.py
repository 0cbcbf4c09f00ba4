"""Masks as COCO's run lengths: numbers of pixels down the columns, beginning with pixels outside of the object."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["mask_of_runs", "read_run_lengths", "runs_of_mask"]

_FIRST = 48  # the letter of 0


def read_run_lengths(text: str) -> list[int]:
    """The numbers that COCO has packed into a text.

    Each number is 5 bits a letter, lowest first; from the fourth on it is the difference to the one two places before.

    Raises:
        ValueError: the text breaks off, or holds other letters.
    """
    found: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - _FIRST
        if not 0 <= bits < 64:
            raise ValueError(f"the letter {letter!r} stands in no run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        found.append(value + found[-2] if len(found) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("the run lengths break off")
    return found


def mask_of_runs(counts: list[int], *, height: int, width: int) -> NDArray[np.uint8]:
    """The mask (height, width) uint8, 1 = inside; in memory column after column.

    Args:
        counts: run lengths that cover height * width pixels.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: they cover another number of pixels, or one is below 0.
    """
    values = np.arange(len(counts), dtype=np.uint8) & 1
    return np.repeat(values, counts).reshape(width, height).T


def runs_of_mask(mask: NDArray[Any]) -> dict[str, Any]:
    """A mask (H, W), not 0 = inside, as COCO writes it: {"size": [H, W], "counts": [...]}."""
    pixels = np.asarray(mask != 0).T.ravel()  # down the columns
    changes = np.flatnonzero(np.diff(pixels, prepend=False))
    runs = np.diff([0, *changes.tolist(), len(pixels)])
    return {"size": list(mask.shape), "counts": runs.tolist()}
