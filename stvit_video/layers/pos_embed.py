"""Learned tables over a token grid, and their resizing to another grid."""

import torch
from torch import Tensor
from torch.nn import functional as F


def resize_grid(table: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Interpolate a table over a token grid to other sizes: cubic in space, linear in time.

    Args:
        table: (1, *grid, C) with grid (H, W) or (T, H, W), or (1, T, C) over time alone.
        sizes: the wanted grid, as many axes as the table's.

    Returns:
        (1, *sizes, C); `table` itself where the sizes are equal.

    Raises:
        ValueError: the number of axes differs.
    """
    grid = tuple(table.shape[1:-1])
    if len(grid) != len(sizes):
        raise ValueError(f"a table over the grid {grid} can't be resized to {tuple(sizes)}: give {len(grid)} sizes")
    if grid == tuple(sizes):
        return table
    if len(grid) != 2 and grid[0] != sizes[0]:
        table = _resize_time(table, sizes[0])
    if len(grid) >= 2 and grid[-2:] != tuple(sizes[-2:]):
        table = _resize_space(table, sizes[-2:])
    return table


def _resize_time(table: Tensor, num_steps: int) -> Tensor:
    """(1, T, ..., C) -> (1, num_steps, ..., C), linear."""
    flat = table.flatten(2).transpose(1, 2)  # (1, ...*C, T)
    flat = F.interpolate(flat.float(), size=num_steps, mode="linear", align_corners=False).to(table.dtype)
    return flat.transpose(1, 2).unflatten(2, table.shape[2:])


def _resize_space(table: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """(1, [T,] H, W, C) -> (1, [T,] *sizes, C), cubic."""
    leading = table.shape[:-3]
    flat = table.reshape(-1, *table.shape[-3:]).permute(0, 3, 1, 2)  # (1*T, C, H, W)
    flat = F.interpolate(flat.float(), size=tuple(sizes), mode="bicubic", align_corners=False).to(table.dtype)
    return flat.permute(0, 2, 3, 1).unflatten(0, leading)


def sincos_table(sizes: tuple[int, ...], dim: int, *, max_period: float = 10_000.0) -> Tensor:
    """Sines and cosines of the place along every axis of a grid, each axis in its own channels.

    Args:
        sizes: the grid.
        dim: channels C; each axis gets C // (2 * num_axes) frequencies, channels left over are 0.
        max_period: 2 pi times this is the longest wavelength, in cells.

    Returns:
        (1, *sizes, C).

    Source: Vaswani et al. 2017, section 3.5; over two axes as in Beyer et al. 2022, "Better plain ViT baselines".
    """
    num_frequencies = dim // (2 * len(sizes))
    frequencies = max_period ** -(torch.arange(num_frequencies) / max(num_frequencies, 1))
    parts = []
    for axis, size in enumerate(sizes):
        angles = torch.arange(size)[:, None] * frequencies  # (size, F)
        shape = [size if a == axis else 1 for a in range(len(sizes))]
        parts.append(torch.cat([angles.sin(), angles.cos()], dim=1).view(*shape, -1).expand(*sizes, -1))
    table = torch.cat(parts, dim=-1)
    return F.pad(table, (0, dim - table.shape[-1]))[None]


def new_table(*shape: int) -> torch.nn.Parameter:
    """A learned table, drawn from a normal distribution of deviation 0.02 truncated at two deviations."""
    return torch.nn.Parameter(torch.nn.init.trunc_normal_(torch.empty(shape), std=0.02))
