"""Sizes of token grids: integers only, no tensors."""

from dataclasses import dataclass
from itertools import product
from math import log, prod

from stvit_video.layers.numbers import is_whole


@dataclass(frozen=True)
class TokenGrid:
    """A grid of tokens over an image, (H, W), or a clip, (T, H, W).

    Args:
        sizes: tokens along each axis, time first.

    Raises:
        ValueError: not 2 or 3 axes, or a size that is no whole number of at least 1.
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        sizes = tuple(self.sizes)
        if len(sizes) not in (2, 3) or any(not is_whole(s) or s < 1 for s in sizes):
            raise ValueError(
                f"a token grid of {sizes} is not possible; give (H, W) or (T, H, W), every size a whole number, "
                f"at least 1"
            )
        object.__setattr__(self, "sizes", tuple(int(s) for s in sizes))

    @property
    def count(self) -> int:
        """Number of tokens."""
        return prod(self.sizes)

    def fits_in(self, other: "TokenGrid") -> bool:
        """Whether no axis has more tokens than the same axis of `other`."""
        return len(self.sizes) == len(other.sizes) and all(a <= b for a, b in zip(self.sizes, other.sizes, strict=True))


def choose_window_tokens(num_tokens: int, image_grid: TokenGrid, window: tuple[int, ...]) -> TokenGrid:
    """The grid of `num_tokens` semantic tokens that is shared out evenly over the windows of `image_grid`.

    Args:
        num_tokens: semantic tokens K, of all windows together.
        image_grid: the grid of image tokens they are pooled from.
        window: sizes of a window, dividing `image_grid`.

    Returns:
        A grid of exactly `num_tokens` cells, its every size a multiple of the number of windows along its axis.

    Raises:
        ValueError: `num_tokens` is below 1, no multiple of the number of windows, more than the image grid has, or no
            grid of that share fits in a window.
    """
    numbers = tuple(g // w for g, w in zip(image_grid.sizes, window, strict=True))
    if not 1 <= num_tokens <= image_grid.count or num_tokens % prod(numbers):
        raise ValueError(
            f"num_tokens={num_tokens} does not share out over {prod(numbers)} windows of {tuple(window)} tokens; "
            f"choose a multiple of {prod(numbers)} up to {image_grid.count}"
        )
    grids = _grids_of(num_tokens // prod(numbers), tuple(window))
    if not grids:
        raise ValueError(
            f"num_tokens={num_tokens} is {num_tokens // prod(numbers)} for each of {prod(numbers)} windows, which has "
            f"no factors that fit {tuple(window)}; choose another count, or give num_tokens as a grid"
        )
    in_window = min(grids, key=lambda sizes: _unevenness(sizes, window))
    return TokenGrid(tuple(n * t for n, t in zip(numbers, in_window, strict=True)))


def choose_token_grid(num_tokens: int, image_grid: TokenGrid) -> TokenGrid:
    """The grid of `num_tokens` semantic tokens whose cells are most alike over `image_grid`.

    Cells are kept as square as possible in space first, then as even as possible between space and time;
    of equals, the grid with more steps in time.

    Args:
        num_tokens: semantic tokens K.
        image_grid: the grid of image tokens they are pooled from.

    Returns:
        A grid of exactly `num_tokens` cells that fits in `image_grid`.

    Raises:
        ValueError: fewer than 1 token, more tokens than the image grid has, or no grid of that count fits.
    """
    if not 1 <= num_tokens <= image_grid.count:
        raise ValueError(
            f"num_tokens={num_tokens} is not possible over the {image_grid.count} image tokens of the grid "
            f"{image_grid.sizes}; choose 1 to {image_grid.count}"
        )
    grids = _grids_of(num_tokens, image_grid.sizes)
    if not grids:
        raise ValueError(
            f"num_tokens={num_tokens} has no factors that fit the grid {image_grid.sizes}; "
            f"choose another count, or give num_tokens as a grid"
        )
    return TokenGrid(min(grids, key=lambda sizes: _unevenness(sizes, image_grid.sizes)))


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


def _grids_of(count: int, limits: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every way to write `count` as a product of one factor an axis, none over its limit."""
    divisors = [d for d in range(1, count + 1) if count % d == 0]
    leading = product(*[[d for d in divisors if d <= limit] for limit in limits[:-1]])
    grids = [(*sizes, count // prod(sizes)) for sizes in leading if count % prod(sizes) == 0]
    return [sizes for sizes in grids if sizes[-1] <= limits[-1]]


def _unevenness(sizes: tuple[int, ...], limits: tuple[int, ...]) -> tuple[float, float, int]:
    """How far the cells are from square in space, then from cubes in space-time; then fewer time steps."""
    cells = [log(limit / size) for size, limit in zip(sizes, limits, strict=True)]
    in_space = abs(cells[-1] - cells[-2])
    return round(in_space, 9), round(max(cells) - min(cells), 9), -sizes[0]
