"""The slot that turns image tokens into fewer tokens: its grid, and what a class that fills it says about itself."""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from stvit_video.layers.windows import (
    check_windows,
    in_pieces,
    pad_grid,
    padded_sizes,
    partition_windows,
    reverse_windows,
)
from stvit_video.tokens.grid import TokenGrid, check_reduction
from stvit_video.tokens.pooling import cut_bins, pool_grid
from stvit_video.tokens.reducers.source_weights import mean_weights, normed_sources, numbered, onto_image_tokens
from stvit_video.tokens.slot import BlockSettings, TokenSlot

if TYPE_CHECKING:
    from typing_extensions import Self


class TokenReducer(nn.Module):
    """What every reducer shares: how many tokens it leaves, on the whole grid or in each window of it.

    A reducer is a subclass with a name in `stvit_video.tokens.reducers.reducer_names.REDUCERS`. It overrides `forward`,
    `build` where it has weights, and `sources` where values weigh the image tokens. Plans, blocks, layer decay, frozen
    training and the loading of dense weights ask the class what it needs; nothing else knows the reducers apart.

    Attributes:
        num_layers: layers with weights. The reducer stands in a plan for as many blocks: it takes that many
            stochastic-depth rates and layer numbers, and that many refine blocks fewer follow it. Weights of layer i
            are in `self.layers[i]`; parameters beside `layers` count to the last layer. 0 = it has no parameters.
        runs_at_any_count: whether the same weights can leave another number of tokens (`set_num_tokens`, `elastic`).
        can_recover: whether a block that brings the image tokens back may follow (`recover`, stvit_r_ models).
        families: the families of models that the reducer works in, such as ("deit", "swin"); None = all.
        takes_block_weights: whether each of `layers` takes the weights of the dense block that it stands for; else the
            reducer starts with fresh weights.

    Args:
        token_grid: the grid of the tokens that are left.
        window: sizes of the windows that are reduced each by itself; None = the whole grid is one window.
        image_grid: the grid of image tokens that `token_grid` is meant for; needed with `window`. Grids of other
            sizes then get as many tokens in each window. Without windows a grid that has fewer image tokens than
            `token_grid` along an axis keeps as many as it has.
        cut_windows: whether windows that the end of the grid cuts leave only the tokens whose cells begin inside the
            grid; else they are filled up with zeros.

    Raises:
        ValueError: `window` without `image_grid`, a window that does not divide the grid, or a number of windows that
            does not divide the tokens.

    Source: docs/develop/design.md, "Reducers".
    """

    num_layers: ClassVar[int] = 0
    runs_at_any_count: ClassVar[bool] = True
    can_recover: ClassVar[bool] = True
    families: ClassVar[tuple[str, ...] | None] = None
    takes_block_weights: ClassVar[bool] = False

    @classmethod
    def build(
        cls, dim: int, *, slot: TokenSlot, blocks: BlockSettings, drop_path_rates: tuple[float, ...], is_first: bool
    ) -> "Self":
        """The reducer of a model; a subclass with weights overrides it.

        Args:
            dim: channels C.
            slot: the grid of the tokens, the windows, and settings of generation.
            blocks: the settings of the blocks around the slot.
            drop_path_rates: the stochastic-depth rate of each of the `num_layers` layers.
            is_first: whether no reducer of this kind is before it in the same level.

        Raises:
            ValueError: settings that the reducer refuses.
        """
        cut = slot.recover_window is not None
        return cls(token_grid=slot.token_grid, window=slot.window, image_grid=slot.image_grid, cut_windows=cut)

    def __init__(
        self,
        *,
        token_grid: TokenGrid,
        window: tuple[int, ...] | None = None,
        image_grid: TokenGrid | None = None,
        cut_windows: bool = False,
    ) -> None:
        super().__init__()
        if window is not None and image_grid is None:
            raise ValueError(f"window={window} needs the image_grid it divides; give both, or leave both out")
        self.window = window
        self.image_grid = image_grid
        self.cut_windows = cut_windows
        self.token_grid = token_grid
        self.check_token_grid(token_grid)

    def check_token_grid(self, token_grid: TokenGrid) -> None:
        """Raise unless the reducer can leave tokens of that grid.

        Raises:
            ValueError: another number of axes, a number of windows that does not divide the tokens, or another grid
                than the one whose number of tokens is built into the weights.
        """
        num_axes = len(self.token_grid.sizes)
        if len(token_grid.sizes) != num_axes:
            raise ValueError(f"token grid {token_grid.sizes} has the wrong number of axes; give {num_axes} sizes")
        if self.window is not None and self.image_grid is not None:
            tokens_per_window(token_grid.sizes, grid=self.image_grid.sizes, window=self.window)
        if not self.runs_at_any_count and token_grid != self.token_grid:
            raise ValueError(
                f"token grid {token_grid.sizes} is not possible: the weights of {type(self).__name__} are for "
                f"{self.token_grid.sizes} tokens; keep these without elastic, or build a model with "
                f"num_tokens={token_grid.sizes}"
            )

    def set_token_grid(self, token_grid: TokenGrid) -> None:
        """Leave tokens of another grid from now on.

        Raises:
            ValueError: as `check_token_grid`.
        """
        self.check_token_grid(token_grid)
        self.token_grid = token_grid

    @property
    def tokens_per_window(self) -> tuple[int, ...]:
        """Tokens left along each axis of one window; of the whole grid where there are no windows."""
        if self.window is None or self.image_grid is None:
            return self.token_grid.sizes
        return tokens_per_window(self.token_grid.sizes, grid=self.image_grid.sizes, window=self.window)

    def window_tokens(self, grid: tuple[int, ...]) -> tuple[int, ...]:
        """Tokens left along each axis of a window of image tokens on `grid`; without windows at most as many as these.

        Raises:
            ValueError: as `tokens_per_window`.
        """
        wanted = self.tokens_per_window
        if self.window is not None or not self.runs_at_any_count or len(grid) != len(wanted):
            return wanted
        return tuple(min(tokens, size) for tokens, size in zip(wanted, grid, strict=True))

    def reduce(self, x: Tensor, function: Callable[[Tensor, tuple[int, ...]], Tensor]) -> Tensor:
        """Reduce every window by a function.

        Args:
            x: (B, *grid, C).
            function: windows (n, *window, C), and the sizes to leave -> (n, *sizes, C). With `cut_windows` it is
                called for each kind of cut window as well, with what is there of it.

        Returns:
            (B, *sizes, C).

        Raises:
            ValueError: as `to_windows`.
        """
        if self.window is None or not self.cut_windows:
            grid = tuple(x.shape[1:-1])
            return self.from_windows(function(self.to_windows(x), self.window_tokens(grid)), grid)
        return in_pieces(partial(self._reduce_piece, function), x, self.window)

    def _reduce_piece(
        self, function: Callable[[Tensor, tuple[int, ...]], Tensor], x: Tensor, cut: tuple[int, ...]
    ) -> Tensor:
        """Windows of one kind, `cut` long, that make up `x`: (B, *grid, C) -> (B, *sizes, C)."""
        axes = zip(cut, self.window or cut, self.tokens_per_window, strict=True)
        sizes = tuple(len(cut_bins(size, whole=whole, num_bins=tokens)) for size, whole, tokens in axes)
        tokens = function(partition_windows(x, cut), sizes)
        return reverse_windows(tokens, tuple(g // c * s for g, c, s in zip(x.shape[1:-1], cut, sizes, strict=True)))

    def pool(self, windows: Tensor, sizes: tuple[int, ...], how: Callable[[Tensor, int], Tensor]) -> Tensor:
        """Pool windows, whole or cut: (n, *window, C) -> (n, *sizes, C), by `how`, such as torch.amax."""
        if self.window is None or tuple(windows.shape[1:-1]) == self.window:
            return pool_grid(windows, sizes, how)
        return pool_grid(windows, self.tokens_per_window, how, whole=self.window)

    def to_windows(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B * num_windows, *window, C); a grid that the windows do not divide is padded with zeros.

        Raises:
            ValueError: more tokens are to be left along an axis than a window, or the grid without windows, has.
        """
        grid = tuple(x.shape[1:-1])
        check_reduction(self.window or grid, self.window_tokens(grid))
        return x if self.window is None else partition_windows(pad_grid(x, self.window), self.window)

    def from_windows(self, tokens: Tensor, grid: tuple[int, ...]) -> Tensor:
        """Put the tokens of every window back into one grid.

        Args:
            tokens: (B * num_windows, *tokens_per_window, C).
            grid: of the image tokens.

        Returns:
            (B, *sizes, C), sizes = tokens per window times windows along each axis.
        """
        if self.window is None:
            return tokens
        counts = tuple(p // w for p, w in zip(padded_sizes(grid, self.window), self.window, strict=True))
        return reverse_windows(tokens, tuple(n * t for n, t in zip(counts, tokens.shape[1:-1], strict=True)))

    def sources(self, x: Tensor) -> Tensor:
        """How much of each token comes from each image token, as the reducer runs now; without gradients.

        This one is exact for tokens that are means of image tokens whose weights depend on values through choices
        alone. Reducers of other kinds override it.

        Args:
            x: (B, *grid, C).

        Returns:
            (B, K, N) float32, tokens and image tokens in the order of their grids. Rows sum to 1: what comes from the
            padding of windows is left out, and a token of padding alone comes from all image tokens alike.

        Raises:
            ValueError: the tokens are no such means.
        """
        return normed_sources(mean_weights(self, x))

    def attention_share(self, x: Tensor) -> Tensor | None:
        """The share (B, K) of `sources` that attention supplies; None = no attention beside a pooling has a share."""
        return None

    def spread_windows(self, weights: Tensor, x: Tensor) -> Tensor:
        """Weights of the cells of each window, as weights of all image tokens.

        Args:
            weights: (B * num_windows, Kw, M), in the order of `to_windows`.
            x: (B, *grid, C), the image tokens.

        Returns:
            (B, K, N).
        """
        grid = tuple(x.shape[1:-1])
        numbers = self.to_windows(numbered(x)).flatten(1)  # (num_windows, M)
        spread = onto_image_tokens(weights, numbers, num_tokens=prod(grid))  # (B * num_windows, Kw, N)
        return self.from_windows(spread.unflatten(1, self.window_tokens(grid)), grid).flatten(1, -2)

    def extra_repr(self) -> str:
        """The settings, for print(model)."""
        return f"token_grid={self.token_grid.sizes}, window={self.window}"


def tokens_per_window(
    token_sizes: tuple[int, ...], *, grid: tuple[int, ...], window: tuple[int, ...]
) -> tuple[int, ...]:
    """Tokens along each axis of one window.

    Args:
        token_sizes: the grid of all tokens that are left.
        grid: the grid of image tokens.
        window: sizes of a window, dividing `grid`.

    Raises:
        ValueError: the window does not divide the grid, or the number of windows does not divide the tokens.
    """
    check_windows(grid, window)
    numbers = tuple(g // w for g, w in zip(grid, window, strict=True))
    if len(token_sizes) != len(numbers) or any(t % n for t, n in zip(token_sizes, numbers, strict=False)):
        raise ValueError(
            f"{tuple(token_sizes)} semantic tokens do not share out over {numbers} windows; "
            f"choose a token grid whose every size is a multiple of the number of windows"
        )
    return tuple(t // n for t, n in zip(token_sizes, numbers, strict=True))
