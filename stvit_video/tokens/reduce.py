"""The slot that turns image tokens into fewer tokens: the grid it fills, whoever fills it."""

from torch import Tensor, nn

from stvit_video.layers.windows import check_windows, pad_grid, padded_sizes, partition_windows, reverse_windows
from stvit_video.tokens.grid import TokenGrid


class TokenReducer(nn.Module):
    """What every reducer shares: how many tokens it leaves, on the whole grid or in each window of it.

    Args:
        token_grid: the grid of the tokens that are left.
        window: sizes of the windows that are reduced each by itself; None = the whole grid is one window.
        image_grid: the grid of image tokens that `token_grid` is meant for; needed with `window`. Grids of other
            sizes then get as many tokens in each window.

    Raises:
        ValueError: `window` without `image_grid`, a window that does not divide the grid, or a number of windows that
            does not divide the tokens.
    """

    def __init__(
        self,
        *,
        token_grid: TokenGrid,
        window: tuple[int, ...] | None = None,
        image_grid: TokenGrid | None = None,
    ) -> None:
        super().__init__()
        if window is not None and image_grid is None:
            raise ValueError(f"window={window} needs the image_grid it divides; give both, or leave both out")
        self.window = window
        self.image_grid = image_grid
        self.token_grid = token_grid
        self.check_token_grid(token_grid)

    def check_token_grid(self, token_grid: TokenGrid) -> None:
        """Raise unless the reducer can leave tokens of that grid.

        Raises:
            ValueError: another number of axes, or a number of windows that does not divide the tokens.
        """
        num_axes = len(self.token_grid.sizes)
        if len(token_grid.sizes) != num_axes:
            raise ValueError(f"token grid {token_grid.sizes} has the wrong number of axes; give {num_axes} sizes")
        if self.window is not None and self.image_grid is not None:
            tokens_per_window(token_grid.sizes, grid=self.image_grid.sizes, window=self.window)

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

    def to_windows(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B * num_windows, *window, C); a grid that the windows do not divide is padded with zeros.

        Raises:
            ValueError: more tokens are to be left along an axis than a window, or the grid without windows, has.
        """
        check_reduction(tuple(x.shape[1:-1]) if self.window is None else self.window, self.tokens_per_window)
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

    def extra_repr(self) -> str:
        """The settings, for print(model)."""
        return f"token_grid={self.token_grid.sizes}, window={self.window}"


def check_reduction(grid: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Raise unless tokens of a grid of `sizes` can be made from image tokens of `grid`.

    Raises:
        ValueError: another number of axes, or a size over the grid's.
    """
    if not TokenGrid(sizes).fits_in(TokenGrid(grid)):
        raise ValueError(
            f"a token grid of {tuple(sizes)} can't be pooled from image tokens of {tuple(grid)}; "
            f"choose at most as many tokens along each axis"
        )


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
