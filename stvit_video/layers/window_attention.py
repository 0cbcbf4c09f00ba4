"""Self-attention inside windows of a token grid, plain or shifted, with a learned bias for every relative position."""

from math import prod

import torch
from torch import Tensor, nn

from stvit_video.layers.attention import attend, check_head_split
from stvit_video.layers.pos_embed import new_table
from stvit_video.layers.windows import crop_grid, pad_grid, partition_windows, reverse_windows, shift_grid


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
    cells = torch.arange(prod(window), device=device)
    rows = torch.zeros(len(cells), len(cells), dtype=torch.long, device=device)
    for axis, size in enumerate(window):
        place = cells // prod(window[axis + 1 :]) % size  # (N,)
        rows = rows * (2 * size - 1) + place[:, None] - place[None, :] + size - 1
    return rows


def position_bias(table: Tensor, window: tuple[int, ...]) -> Tensor:
    """What is added to the attention logits between the cells of a window.

    Args:
        table: (1, *offsets, A), 2 w - 1 offsets along an axis of w cells.
        window: cells along each axis; where fewer than w, the offsets that can't occur are left out.

    Returns:
        (A, N, N), N = prod(window).
    """
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
    regions = torch.zeros(1, *grid, 1, dtype=torch.long, device=device)
    for axis, (size, cells, moved) in enumerate(zip(grid, window, shift, strict=True), start=1):
        if moved:
            place = torch.arange(size, device=device)
            region = (place >= size - cells).long() + (place >= size - moved).long()
            shape = [size if a == axis else 1 for a in range(regions.ndim)]
            regions = regions * 3 + region.view(shape)
    cells_of_windows = partition_windows(regions, window).flatten(1)  # (num_windows, N)
    return cells_of_windows[:, :, None] == cells_of_windows[:, None, :]


class WindowAttention(nn.Module):
    """Softmax attention of every token to the tokens of its window.

    A grid that the window does not divide is padded with zeros behind its end; these are keys like all others. Along
    an axis where the grid has no more cells than the window, the window is cut to the grid and nothing is shifted; an
    offset between two tokens keeps its bias.

    Args:
        dim: channels C.
        num_heads: heads A; must divide `dim`.
        window: cells of a window along each axis, (h, w) or (t, h, w); the size of the table.
        full_window: the window that was asked for, of which `window` is what the grid leaves; None = `window`.
        shifted: whether windows begin half a window later, so that they straddle those of an unshifted layer.
        qkv_bias: whether the query, key and value projections have a bias.

    Raises:
        ValueError: `num_heads` does not divide `dim`.

    Source: Liu et al. 2021 (Swin), section 3.2; Liu et al. 2022 (Video Swin), section 3.2; weight names as in timm.
    Differs: the table is over a grid. torchvision's video model reads other rows of its table when it cuts a window
        along H or W; Microsoft's and timm's code shifts before it pads.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        window: tuple[int, ...],
        full_window: tuple[int, ...] | None = None,
        shifted: bool = False,
        qkv_bias: bool = True,
    ) -> None:
        super().__init__()
        check_head_split(dim, num_heads)
        self.num_heads = num_heads
        self.window = tuple(window)
        self.full_window = self.window if full_window is None else tuple(full_window)
        self.shifted = shifted
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.bias_table = new_table(1, *(2 * size - 1 for size in self.window), num_heads)

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x: (B, *grid, C), as many axes as the window.

        Returns:
            (B, *grid, C).
        """
        grid = tuple(x.shape[1:-1])
        window = tuple(min(g, w) for g, w in zip(grid, self.window, strict=True))
        shift = tuple(w // 2 if self.shifted and g > w else 0 for g, w in zip(grid, window, strict=True))
        x = shift_grid(pad_grid(x, window), shift)
        padded = tuple(x.shape[1:-1])
        bias = position_bias(self.bias_table, window)[None]  # (1, A, N, N)
        if any(shift):
            keep = same_region(padded, window=window, shift=shift, device=x.device)  # (num_windows, N, N)
            bias = bias.masked_fill(~keep[:, None], float("-inf"))
        windows = self._attend(partition_windows(x, window).flatten(1, -2), bias)
        x = reverse_windows(windows.unflatten(1, window), padded)
        return crop_grid(shift_grid(x, tuple(-s for s in shift)), grid)

    def _attend(self, windows: Tensor, bias: Tensor) -> Tensor:
        """Attention in every window; windows of their own biases take part as so many more heads.

        Args:
            windows: (B * W, N, C).
            bias: (W, A, N, N), or (1, A, N, N) for all windows.

        Returns:
            (B * W, N, C).
        """
        qkv = self.qkv(windows).unflatten(-1, (3, self.num_heads, -1)).unflatten(0, (-1, len(bias)))
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5).flatten(2, 3)  # each (B, W * A, N, D)
        out = attend(q, k, v, bias.flatten(0, 1)[None]).unflatten(1, (len(bias), -1))  # (B, W, A, N, D)
        return self.proj(out.transpose(2, 3).flatten(3).flatten(0, 1))

    def extra_repr(self) -> str:
        """The settings, for print(model)."""
        return f"window={self.window}, shifted={self.shifted}"
