"""Overlapping windows over a picture, and the mean of the logits where they overlap."""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor

from stvit_video.dense.anchors import Size


def window_starts(side: int, *, window: int, stride: int) -> list[int]:
    """First pixels of the windows along a side; the last window ends with the side, where it is longer than a window.

    Args:
        side: of the picture, in pixels.
        window: side of a window.
        stride: pixels from window to window; the last one can be nearer.
    """
    last = max(side - window, 0)
    return [*range(0, last, stride), last]


def window_places(size: Size, *, window: int, stride: int) -> list[tuple[int, int]]:
    """First row and column of the windows over a picture, row by row; see `window_starts`."""
    rows, columns = (window_starts(side, window=window, stride=stride) for side in size)
    return list(product(rows, columns))


def slide(picture: Tensor, run: Callable[[Tensor], Tensor], *, window: int, stride: int, together: int = 1) -> Tensor:
    """The logits of a picture as the mean of those of its windows.

    Args:
        picture: (3, H, W).
        run: from windows (n, 3, h, w) to their logits (n, K, h, w); they come in the order of `window_places`.
        window: side of a window in pixels; shorter sides of the picture are taken whole.
        stride: pixels from window to window.
        together: windows in a call of `run`.

    Returns:
        (K, H, W).

    Source: mmsegmentation, slide_inference of EncoderDecoder.
    """
    size: Size = (picture.shape[-2], picture.shape[-1])
    places = window_places(size, window=window, stride=stride)
    total, counts = torch.zeros((), device=picture.device), torch.zeros(size, device=picture.device)
    for top, left, logits in _windows(picture, run, places, window=window, together=together):
        if not total.ndim:
            total = torch.zeros(len(logits), *size, device=picture.device)
        total[:, top : top + window, left : left + window] += logits
        counts[top : top + window, left : left + window] += 1
    return total / counts


def _windows(
    picture: Tensor, run: Callable[[Tensor], Tensor], places: list[tuple[int, int]], *, window: int, together: int
) -> Iterator[tuple[int, int, Tensor]]:
    """The first row and column of every window, and its logits (K, h, w)."""
    for start in range(0, len(places), together):
        part = places[start : start + together]
        batch = torch.stack([picture[:, top : top + window, left : left + window] for top, left in part])
        yield from ((*place, logits) for place, logits in zip(part, run(batch).float(), strict=True))
