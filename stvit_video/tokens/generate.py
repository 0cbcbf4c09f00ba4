"""Image tokens to semantic tokens: pooled over the grid, then sharpened by attention in two layers."""

import torch
from torch import Tensor, nn

from stvit_video.layers.block import CrossBlock
from stvit_video.layers.pos_embed import new_table, resize_grid
from stvit_video.layers.windows import (
    check_windows,
    overlapping_windows,
    partition_windows,
    reverse_windows,
)
from stvit_video.tokens.grid import TokenGrid


def pooling_bins(size: int, num_bins: int) -> tuple[tuple[int, int], ...]:
    """Start and stop of `num_bins` cells that cover `size` positions evenly; neighbours may share positions.

    Source: the rule of torch.nn.AdaptiveMaxPool1d: floor(i * size / n) to ceil((i + 1) * size / n).
    """
    return tuple((i * size // num_bins, -(-(i + 1) * size // num_bins)) for i in range(num_bins))


def max_pool_grid(x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Adaptive max-pooling of a token grid, axis by axis, with static slices (so that it exports anywhere).

    Args:
        x: (B, *grid, C).
        sizes: the wanted grid; as many axes as `x` has, none longer than the grid's.

    Returns:
        (B, *sizes, C).

    Raises:
        ValueError: another number of axes, or a size over the grid's.
    """
    grid = tuple(x.shape[1:-1])
    if not TokenGrid(sizes).fits_in(TokenGrid(grid)):
        raise ValueError(
            f"a token grid of {tuple(sizes)} can't be pooled from image tokens of {grid}; "
            f"choose at most as many tokens along each axis"
        )
    for axis, (size, num_bins) in enumerate(zip(grid, sizes, strict=True), start=1):
        if size % num_bins == 0:
            x = x.unflatten(axis, (num_bins, size // num_bins)).amax(axis + 1)
        else:
            cells = [x.narrow(axis, start, stop - start).amax(axis) for start, stop in pooling_bins(size, num_bins)]
            x = torch.stack(cells, dim=axis)
    return x


class SemanticTokenGenerator(nn.Module):
    """Cluster centres of the image tokens: `s0 = max-pool(x)`, two cross-attention layers on top.

    Layer 1 attends, inside each window, from the pooled tokens to themselves and the window's image tokens;
    layer 2 adds the learned global centres to the queries and attends to the tokens of layer 1 and all image
    tokens. One code path serves (H, W) and (T, H, W). The centres are a table over a token grid and are
    resized to the grid in use, so weights of one token count run at every other.

    Args:
        dim: channels C.
        num_heads: attention heads.
        token_grid: the semantic tokens' grid; also the size of the learned centres.
        window: sizes of the windows of layer 1; None = the whole grid is one window.
        key_window: sizes of the overlapping windows whose image tokens are the keys of layer 1; None = `window`.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether the attention projections have a bias.
        drop_path_rates: stochastic-depth rate of the two layers.
        layer_scale_init: start value of the branches' gains; None = no gains.
        attention_shortcut: whether the attention of each layer has a residual connection.

    Raises:
        ValueError: `key_window` without `window`.

    Source: STViT (arXiv:2303.08685), section 3.2; DESIGN section 3.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        token_grid: TokenGrid,
        window: tuple[int, ...] | None = None,
        key_window: tuple[int, ...] | None = None,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_path_rates: tuple[float, float] = (0.0, 0.0),
        layer_scale_init: float | None = 1e-5,
        attention_shortcut: bool = True,
    ) -> None:
        super().__init__()
        if key_window is not None and window is None:
            raise ValueError(f"key_window={key_window} needs a window; give window too, or leave both out")
        self.token_grid = token_grid
        self.window = window
        self.key_window = key_window
        self.centres = new_table(1, *token_grid.sizes, dim)
        self.layers = nn.ModuleList(
            CrossBlock(
                dim,
                num_heads=num_heads,
                mlp_ratio=mlp_ratio,
                qkv_bias=qkv_bias,
                drop_path_rate=rate,
                layer_scale_init=layer_scale_init,
                attention_shortcut=attention_shortcut,
            )
            for rate in drop_path_rates
        )

    def set_token_grid(self, token_grid: TokenGrid) -> None:
        """Generate tokens of another grid from now on; the learned centres keep their own size.

        Raises:
            ValueError: the number of axes differs from the centres'.
        """
        num_axes = self.centres.ndim - 2
        if len(token_grid.sizes) != num_axes:
            raise ValueError(f"token grid {token_grid.sizes} has the wrong number of axes; give {num_axes} sizes")
        self.token_grid = token_grid

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) image tokens -> (B, *token_grid, C) semantic tokens."""
        s1 = self._attend_in_windows(x)
        queries = (s1 + resize_grid(self.centres, self.token_grid.sizes)).flatten(1, -2)  # (B, K, C)
        context = torch.cat([s1.flatten(1, -2), x.flatten(1, -2)], dim=1)  # (B, K + N, C)
        return self.layers[1](queries, context).unflatten(1, self.token_grid.sizes)

    def _attend_in_windows(self, x: Tensor) -> Tensor:
        """Layer 1: (B, *grid, C) -> (B, *token_grid, C)."""
        grid, token_sizes = tuple(x.shape[1:-1]), self.token_grid.sizes
        window = self.window or grid
        check_windows(grid, window)
        per_window = tokens_per_window(token_sizes, grid=grid, window=window)
        windows = partition_windows(x, window)  # (B * num_windows, *window, C)
        keys = windows if self.key_window is None else overlapping_windows(x, window=window, key_window=self.key_window)
        pooled = max_pool_grid(windows, per_window).flatten(1, -2)
        s1 = self.layers[0](pooled, torch.cat([pooled, keys.flatten(1, -2)], dim=1))
        return reverse_windows(s1.unflatten(1, per_window), token_sizes)


def tokens_per_window(
    token_sizes: tuple[int, ...], *, grid: tuple[int, ...], window: tuple[int, ...]
) -> tuple[int, ...]:
    """Semantic tokens along each axis of one window.

    Args:
        token_sizes: the grid of all semantic tokens.
        grid: the grid of image tokens.
        window: sizes of a window, dividing `grid`.

    Raises:
        ValueError: the number of windows does not divide the semantic tokens along some axis.
    """
    numbers = tuple(g // w for g, w in zip(grid, window, strict=True))
    if len(token_sizes) != len(numbers) or any(t % n for t, n in zip(token_sizes, numbers, strict=False)):
        raise ValueError(
            f"{tuple(token_sizes)} semantic tokens do not share out over {numbers} windows; "
            f"choose a token grid whose every size is a multiple of the number of windows"
        )
    return tuple(t // n for t, n in zip(token_sizes, numbers, strict=True))
