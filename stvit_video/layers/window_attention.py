"""Self-attention inside windows of a token grid, plain or shifted, with a learned bias for every relative position."""

from functools import partial
from math import prod

import torch
from torch import Tensor, nn

from stvit_video.layers.attention import attend, check_head_split, self_attend
from stvit_video.layers.batch_parts import in_parts
from stvit_video.layers.pos_embed import new_table
from stvit_video.layers.windows import crop_grid, pad_grid, partition_windows, reverse_windows, shift_grid

# What happens to grids that the window does not divide, and to windows that are larger than the grid:
# "plain": pad, then shift; offsets keep their biases. "first cells": the same, but a cut window has the biases between
# the first cells of the whole one, as in Video Swin's released code and torchvision. "shift first": shift, then pad, as
# in timm. "whole windows": pad to whole windows and shift on every grid, as in Microsoft's code for detection.
WINDOW_RULES = ("plain", "first cells", "shift first", "whole windows")


def relative_positions(window: tuple[int, ...], *, device: torch.device | None = None) -> Tensor:
    """For every pair of cells of a window, the row of their offset in a flat table over all offsets.

    Args:
        window: cells along each axis.
        device: of the answer.

    Returns:
        (N, N) whole numbers, N = prod(window), for query i and key j: i - j + w - 1 along an axis of w cells, the last
        axis fastest.

    Source: Liu et al. 2021 (Swin), section 3.2.
    """
    num_axes = len(window)
    rows = torch.zeros((1,) * 2 * num_axes, dtype=torch.long, device=device)
    for axis, size in enumerate(window):
        place = torch.arange(size, device=device)
        shape = [size if a % num_axes == axis else 1 for a in range(2 * num_axes)]
        rows = rows * (2 * size - 1) + (place[:, None] - place[None, :] + size - 1).view(shape)
    return rows.reshape(prod(window), prod(window))  # from (*window, *window)


def position_bias(table: Tensor, window: tuple[int, ...], *, of_first_cells: bool = False) -> Tensor:
    """What is added to the attention logits between the cells of a window.

    Args:
        table: (1, *offsets, A), 2 w - 1 offsets along an axis of w cells.
        window: cells along each axis, at most w.
        of_first_cells: in a window of fewer cells than the table's, take the biases between as many first cells of the
            table's window, whatever their offsets, in place of those of the same offsets.

    Returns:
        (A, N, N), N = prod(window).
    """
    if of_first_cells:
        full = tuple((size + 1) // 2 for size in table.shape[1:-1])
        rows = relative_positions(full, device=table.device)[: prod(window), : prod(window)]
    else:
        for axis, size in enumerate(window, start=1):
            table = table.narrow(axis, (table.shape[axis] - 2 * size + 1) // 2, 2 * size - 1)
        rows = relative_positions(window, device=table.device)
    bias = table.flatten(0, -2).index_select(0, rows.flatten())  # (N * N, A)
    return bias.unflatten(0, tuple(rows.shape)).permute(2, 0, 1)


def same_region(
    grid: tuple[int, ...],
    *,
    window: tuple[int, ...],
    shift: tuple[int, ...],
    device: torch.device | None = None,
) -> Tensor:
    """Which cells of a window may see each other once the grid was shifted around its ends.

    Args:
        grid: cells along each axis, multiples of the window's.
        window: cells of a window along each axis.
        shift: cells that `shift_grid` moved the grid by; 0 = not along this axis.
        device: of the answer.

    Returns:
        (num_windows, N, N) boolean, True = both cells were neighbours before the shift as well.

    Source: Liu et al. 2021 (Swin), section 3.2, the cyclic shift.
    """
    regions = torch.zeros(1, *grid, 1, dtype=torch.uint8, device=device)  # up to 3 regions an axis
    for axis, (size, cells, moved) in enumerate(zip(grid, window, shift, strict=True), start=1):
        if moved:
            place = torch.arange(size, device=device)
            region = (place >= size - cells).byte() + (place >= size - moved).byte()
            shape = [size if a == axis else 1 for a in range(regions.ndim)]
            regions = regions * 3 + region.view(shape)
    cells_of_windows = partition_windows(regions, window).flatten(1)  # (num_windows, N)
    return cells_of_windows[:, :, None] == cells_of_windows[:, None, :]


class WindowAttention(nn.Module):
    """Softmax attention of every token to the tokens of its window.

    A grid that the window does not divide is padded with zeros behind its end; these are keys like all others. Along
    an axis where the grid has no more cells than the window, the window is cut to the grid and nothing is shifted. The
    codes that weights come from differ in both, hence `rule`.

    Args:
        dim: channels C.
        num_heads: heads A; must divide `dim`.
        window: cells of a window along each axis, (h, w) or (t, h, w); the size of the table.
        full_window: the window that was asked for, of which `window` is what the grid leaves; None = `window`.
        grid_window: what the grid leaves of the window where the table is kept for the whole of it; None = `window`.
        shifted: whether windows begin half a window later, so that they straddle those of an unshifted layer.
        qkv_bias: whether the query, key and value projections have a bias.

    Raises:
        ValueError: `num_heads` does not divide `dim`.

    Attributes:
        rule: one of WINDOW_RULES; "plain" where nobody says otherwise.

    Source: Liu et al. 2021 (Swin), section 3.2; Liu et al. 2022 (Video Swin), section 3.2; weight names as in timm.
    Differs: the table is over a grid.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        window: tuple[int, ...],
        full_window: tuple[int, ...] | None = None,
        grid_window: tuple[int, ...] | None = None,
        shifted: bool = False,
        qkv_bias: bool = True,
    ) -> None:
        super().__init__()
        check_head_split(dim, num_heads)
        self.num_heads = num_heads
        self.window = tuple(window)
        self.full_window = self.window if full_window is None else tuple(full_window)
        self.grid_window = self.window if grid_window is None else tuple(grid_window)
        self.shifted = shifted
        self.rule = WINDOW_RULES[0]
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.bias_table = new_table(1, *(2 * size - 1 for size in self.window), num_heads)

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x: (B, *grid, C), as many axes as the window; or tokens (B, N, C) that have no windows, such as semantic
                ones: all of them attend to all, without a bias.

        Returns:
            (B, *grid, C), or (B, N, C).
        """
        if x.ndim == 3:
            return self._attend_to_all(x)
        grid = tuple(x.shape[1:-1])
        window, shift = self._window_and_shift(grid)
        if self.rule == "shift first":
            x = pad_grid(shift_grid(x, shift), window)
        else:
            x = shift_grid(pad_grid(x, window), shift)
        padded = tuple(x.shape[1:-1])
        bias = position_bias(self.bias_table, window, of_first_cells=self.rule == "first cells")[None]  # (1, A, N, N)
        if any(shift):
            keep = same_region(padded, window=window, shift=shift, device=x.device)  # (num_windows, N, N)
            bias = bias.masked_fill(~keep[:, None], float("-inf"))
        attend_in_windows = partial(self._attend, bias=bias)
        windows = partition_windows(x, window).flatten(1, -2)  # (B * num_windows, N, C)
        windows = in_parts(attend_in_windows, windows, width=self.qkv.out_features, group=len(bias))
        x = reverse_windows(windows.unflatten(1, window), padded)
        back = tuple(-s for s in shift)
        if self.rule == "shift first":
            return shift_grid(crop_grid(x, grid), back)
        return crop_grid(shift_grid(x, back), grid)

    def _window_and_shift(self, grid: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The window on a grid, and by how many cells it is shifted along each axis."""
        if self.rule == "whole windows":
            return self.window, tuple(w // 2 if self.shifted else 0 for w in self.window)
        window = tuple(min(g, w) for g, w in zip(grid, self.window, strict=True))
        return window, tuple(w // 2 if self.shifted and g > w else 0 for g, w in zip(grid, window, strict=True))

    def _attend_to_all(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        out = self_attend(x, self.qkv, self.proj, num_heads=self.num_heads)
        # Processes that train together wait for a gradient of every weight.
        return out + 0.0 * self.bias_table.sum() if self.training else out

    def _attend(self, windows: Tensor, bias: Tensor) -> Tensor:
        """Attention in every window; over several samples, windows of their own biases take part as so many more heads.

        Args:
            windows: (B * W, N, C).
            bias: (W, A, N, N), or (1, A, N, N) for all windows.

        Returns:
            (B * W, N, C).
        """
        is_one_sample = not torch.compiler.is_compiling() and len(bias) == len(windows)  # a graph is for any batch
        if len(bias) == 1 or is_one_sample:
            return self_attend(windows, self.qkv, self.proj, num_heads=self.num_heads, bias=bias)
        qkv = self.qkv(windows).unflatten(-1, (3, self.num_heads, -1)).unflatten(0, (-1, len(bias)))
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5).flatten(2, 3)  # each (B, W * A, N, D)
        out = attend(q, k, v, bias.flatten(0, 1)[None]).unflatten(1, (len(bias), -1))  # (B, W, A, N, D)
        return self.proj(out.transpose(2, 3).flatten(3).flatten(0, 1))

    def extra_repr(self) -> str:
        """The settings, for print(model)."""
        return f"window={self.window}, shifted={self.shifted}"
