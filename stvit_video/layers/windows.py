"""Windows over any number of axes: partition, reverse, shift, and overlapping key windows."""

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F


def check_windows(grid: tuple[int, ...], window: tuple[int, ...]) -> None:
    """Raise unless `window` divides `grid` along every axis.

    Raises:
        ValueError: another number of axes, or a size that the window does not divide.
    """
    if len(grid) != len(window) or any(w < 1 or g % w for g, w in zip(grid, window, strict=False)):
        raise ValueError(
            f"windows of {tuple(window)} do not divide the token grid {tuple(grid)}; "
            f"choose a window whose every size divides the grid's"
        )


def padded_sizes(grid: tuple[int, ...], window: tuple[int, ...]) -> tuple[int, ...]:
    """The smallest sizes of at least `grid` that `window` divides."""
    return tuple(-(-g // w) * w for g, w in zip(grid, window, strict=True))


def pad_grid(x: Tensor, window: tuple[int, ...]) -> Tensor:
    """Zeros behind the end of every axis, up to the next multiple of the window: (B, *grid, C) -> (B, *padded, C)."""
    grid = tuple(x.shape[1:-1])
    padded = padded_sizes(grid, window)
    if padded == grid:
        return x
    ends = [end for g, p in zip(reversed(grid), reversed(padded), strict=True) for end in (0, p - g)]
    return F.pad(x, (0, 0, *ends))


def crop_grid(x: Tensor, grid: tuple[int, ...]) -> Tensor:
    """The first cells along every axis: (B, *padded, C) -> (B, *grid, C), the inverse of `pad_grid`."""
    for axis, size in enumerate(grid, start=1):
        if x.shape[axis] != size:
            x = x.narrow(axis, 0, size)
    return x


def partition_windows(x: Tensor, window: tuple[int, ...]) -> Tensor:
    """Cut a token grid into windows.

    Args:
        x: (B, *grid, C).
        window: sizes of a window, each dividing the grid's.

    Returns:
        (B * num_windows, *window, C), windows ordered as the grid is (first axis slowest).

    Raises:
        ValueError: the window does not divide the grid.
    """
    check_windows(tuple(x.shape[1:-1]), window)
    for axis, size in enumerate(window):
        x = x.unflatten(1 + 2 * axis, (-1, size))  # (B, ..., number, size, ..., C)
    return _windows_to_batch(x, len(window))


def _windows_to_batch(x: Tensor, num_axes: int) -> Tensor:
    """(B, number, size, number, size, ..., C) -> (B * num_windows, *window, C)."""
    numbers = [1 + 2 * a for a in range(num_axes)]
    return x.permute(0, *numbers, *[n + 1 for n in numbers], -1).flatten(0, num_axes)


def reverse_windows(windows: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Put windows back into their grid: the inverse of `partition_windows`.

    Args:
        windows: (B * num_windows, *window, C).
        grid: sizes of the whole grid.

    Returns:
        (B, *grid, C).

    Raises:
        ValueError: the window does not divide the grid.
    """
    window = tuple(windows.shape[1:-1])
    check_windows(grid, window)
    numbers = tuple(g // w for g, w in zip(grid, window, strict=True))
    num_axes = len(grid)
    x = windows.unflatten(0, (-1, *numbers))  # (B, *numbers, *window, C)
    order = [axis for a in range(num_axes) for axis in (1 + a, 1 + num_axes + a)]
    x = x.permute(0, *order, -1)  # (B, num, size, num, size, ..., C)
    return x.reshape(x.shape[0], *grid, x.shape[-1])


def in_pieces(function: Callable[[Tensor, tuple[int, ...]], Tensor], x: Tensor, window: tuple[int, ...]) -> Tensor:
    """Run a function over the whole windows of a grid, and over those that the ends of the grid cut.

    Args:
        function: (B, *grid, C), and the window, which divides that grid -> (B, *sizes, C'). It is called for each kind
            of window: the whole ones, those cut along one axis, and so on.
        x: (B, *grid, C).
        window: sizes of a whole window.

    Returns:
        (B, *sizes, C'), what the function gave, put together.
    """
    return _in_pieces(function, x, window, ())


def _in_pieces(
    function: Callable[[Tensor, tuple[int, ...]], Tensor], x: Tensor, window: tuple[int, ...], cut: tuple[int, ...]
) -> Tensor:
    """The same, once the first axes are divided; `cut` is the window along these."""
    if len(cut) == len(window):
        return function(x, cut)
    axis, cells = 1 + len(cut), window[len(cut)]
    rest = x.shape[axis] % cells
    whole = x.shape[axis] - rest
    parts = ((0, whole, cells), (whole, rest, rest))
    outputs = [
        _in_pieces(function, x.narrow(axis, start, size), window, (*cut, size_of_window))
        for start, size, size_of_window in parts
        if size
    ]
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=axis)


def shift_grid(x: Tensor, shift: tuple[int, ...]) -> Tensor:
    """Roll a grid by `shift` cells towards lower positions, around the ends; a negated shift undoes it.

    Args:
        x: (B, *grid, C).
        shift: cells along each axis.

    Returns:
        (B, *grid, C).
    """
    if not any(shift):
        return x
    return torch.roll(x, shifts=tuple(-s for s in shift), dims=tuple(range(1, 1 + len(shift))))


def key_window_starts(size: int, *, window: int, key_window: int) -> tuple[int, ...]:
    """Where the key windows of one axis begin: centred on their windows, moved inside the grid.

    Args:
        size: cells of the axis, a multiple of `window`.
        window: cells of a window.
        key_window: cells of a key window, from `window` to `size`.

    Returns:
        One start a window.

    Source: STViT-R (docs/develop/design.md, "Windows and key windows"): 7-cell windows on 14 cells have 10-cell key
        windows at 0 and 4.
    """
    centred = (i * window - (key_window - window) // 2 for i in range(size // window))
    return tuple(min(max(start, 0), size - key_window) for start in centred)


def check_key_window(window: tuple[int, ...], key_window: tuple[int, ...], *, name: str = "key_window") -> None:
    """Raise unless `key_window`, which the caller knows by `name`, covers `window`.

    Raises:
        ValueError: another number of axes, or a size below the window's.
    """
    if len(key_window) != len(window) or any(k < w for k, w in zip(key_window, window, strict=False)):
        raise ValueError(
            f"{name}={tuple(key_window)} does not cover window={tuple(window)}; "
            f"give as many sizes, each at least the window's"
        )


def overlapping_windows(x: Tensor, *, window: tuple[int, ...], key_window: tuple[int, ...]) -> Tensor:
    """For every window of the grid, the larger window of cells around it.

    Args:
        x: (B, *grid, C).
        window: sizes of a window, each dividing the grid's.
        key_window: sizes of the larger windows; sizes over the grid's count as the grid's.

    Returns:
        (B * num_windows, *key_window, C), in the order of `partition_windows`.

    Raises:
        ValueError: the window does not divide the grid, or a key window is smaller than its window.
    """
    grid = tuple(x.shape[1:-1])
    check_windows(grid, window)
    check_key_window(window, key_window)
    keys = tuple(min(k, g) for k, g in zip(key_window, grid, strict=True))
    for axis, (size, w, k) in enumerate(zip(grid, window, keys, strict=True)):
        starts = key_window_starts(size, window=w, key_window=k)
        picked = [start + offset for start in starts for offset in range(k)]
        position = 1 + 2 * axis
        x = x.index_select(position, torch.tensor(picked, device=x.device)).unflatten(position, (len(starts), k))
    return _windows_to_batch(x, len(grid))


def num_windows(grid: tuple[int, ...], window: tuple[int, ...]) -> int:
    """How many windows of `window` cells make up `grid`."""
    return prod(g // w for g, w in zip(grid, window, strict=True))
