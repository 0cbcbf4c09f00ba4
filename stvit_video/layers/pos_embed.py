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


def split_class_position(pos_embed: Tensor, *, num_class_tokens: int) -> tuple[Tensor, Tensor]:
    """(1, num_class_tokens + N, C) -> the class tokens' part and the (1, N, C) of the image tokens."""
    return pos_embed[:, :num_class_tokens], pos_embed[:, num_class_tokens:]


def new_table(*shape: int) -> torch.nn.Parameter:
    """A learned table, drawn from a normal distribution of deviation 0.02 truncated at two deviations."""
    return torch.nn.Parameter(torch.nn.init.trunc_normal_(torch.empty(shape), std=0.02))
