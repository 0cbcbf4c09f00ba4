"""Adaptive pooling of a token grid, by largest values or by means."""

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

from stvit_video.tokens.grid import check_reduction


def pooling_bins(size: int, num_bins: int) -> tuple[tuple[int, int], ...]:
    """Start and stop of `num_bins` cells that cover `size` positions evenly; neighbours may share positions.

    Source: the rule of torch.nn.AdaptiveMaxPool1d: floor(i * size / n) to ceil((i + 1) * size / n).
    """
    return tuple((i * size // num_bins, -(-(i + 1) * size // num_bins)) for i in range(num_bins))


def cut_bins(size: int, *, whole: int, num_bins: int) -> tuple[tuple[int, int], ...]:
    """What an axis that ends early leaves of the cells of a whole one: those that begin before its end.

    Args:
        size: positions that are there, the first ones.
        whole: positions of the whole axis.
        num_bins: its cells.
    """
    return tuple((start, min(stop, size)) for start, stop in pooling_bins(whole, num_bins) if start < size)


def pool_grid(
    x: Tensor,
    sizes: tuple[int, ...],
    pool: Callable[[Tensor, int], Tensor],
    *,
    whole: tuple[int, ...] | None = None,
) -> Tensor:
    """Adaptive pooling of a token grid, axis by axis, with static slices (so that it exports anywhere).

    Args:
        x: (B, *grid, C).
        sizes: the wanted grid; as many axes as `x` has, none longer than the grid's.
        pool: what makes one value of those along an axis, such as torch.amax.
        whole: the grid that `sizes` are for, where `x` is only the beginning of it; None = `x` is all of it.

    Returns:
        (B, *sizes, C); with `whole`, those of its cells of which `x` has a position, made of the positions that it has.

    Raises:
        ValueError: another number of axes, or a size over the grid's.
    """
    grid = tuple(x.shape[1:-1])
    check_reduction(whole or grid, sizes)
    for axis, (size, full, num_bins) in enumerate(zip(grid, whole or grid, sizes, strict=True), start=1):
        if size == full and size % num_bins == 0:
            sizes_now = x.shape  # few axes at a time: Core ML takes five
            cells = x.flatten(0, axis - 1).flatten(2).unflatten(1, (num_bins, size // num_bins))
            x = pool(cells, 2).unflatten(0, sizes_now[:axis]).unflatten(-1, sizes_now[axis + 1 :])
        else:
            bins = cut_bins(size, whole=full, num_bins=num_bins)
            x = torch.stack([pool(x.narrow(axis, start, stop - start), axis) for start, stop in bins], dim=axis)
    return x


def max_pool_grid(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """`pool_grid` by the largest values: (B, *grid, C) -> (B, *sizes, C)."""
    return pool_grid(x, sizes, torch.amax)


def mean_pool_grid(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """`pool_grid` by the mean, which is not weighted by the sizes of cells: (B, *grid, C) -> (B, *sizes, C)."""
    return pool_grid(x, sizes, torch.mean)


def max_pool_places(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Where `max_pool_grid` finds its values; of equal ones the first of each axis in turn.

    Args:
        x: (B, *grid, C).
        sizes: the wanted grid.

    Returns:
        (B, *sizes, C) int64, numbers of cells of `x`, the first axis slowest.
    """
    grid = x.shape[1:-1]
    numbers = torch.arange(prod(grid), dtype=torch.float64, device=x.device).reshape(1, *grid, 1).expand_as(x)
    pooled = pool_grid(torch.cat([x.double(), numbers]), sizes, _largest_with_numbers)  # numbers travel as more rows
    return pooled.chunk(2)[1].long()


def _largest_with_numbers(x: Tensor, axis: int) -> Tensor:
    """Along an axis, the largest of the first half of the rows, and what the second half has at their places."""
    values, numbers = x.chunk(2)
    at = values.argmax(dim=axis, keepdim=True)
    return torch.cat([values.gather(axis, at), numbers.gather(axis, at)]).squeeze(axis)
