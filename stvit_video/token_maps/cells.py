"""Cells of a grid of image tokens: what stands for the tokens of a dense model, which has too many to look at each."""

from math import prod

import numpy as np

from stvit_video.token_maps.token_site import SeenTokens, TokenSite
from stvit_video.tokens.grid import TokenGrid, choose_token_grid

__all__ = ["MAX_CELLS", "cell_numbers", "cell_sources", "choose_cells", "token_groups"]

MAX_CELLS = 64


def choose_cells(grid: tuple[int, ...]) -> tuple[int, ...]:
    """The grid of at most MAX_CELLS cells over a grid of image tokens, as many as can be, see `choose_token_grid`.

    Args:
        grid: (H, W) or (T, H, W).
    """
    for count in range(min(MAX_CELLS, prod(grid)), 1, -1):
        try:
            cells = choose_token_grid(count, TokenGrid(grid)).sizes
        except ValueError:  # no factors of this count fit the grid
            continue
        if max(cells) < count or count < 4:  # a prime number of strips along one axis is no grid
            return cells
    return (1,) * len(grid)


def cell_numbers(grid: tuple[int, ...], cells: tuple[int, ...]) -> np.ndarray:
    """The number of the cell of each image token, (N,) int64, first axes slowest; each is in one cell."""
    numbers = np.zeros((), dtype=np.int64)
    for size, count in zip(grid, cells, strict=True):
        along = np.arange(size) * count // size  # (size,)
        numbers = numbers[..., None] * count + along
    return numbers.reshape(-1)


def cell_sources(numbers: np.ndarray) -> np.ndarray:
    """What each cell comes from, its image tokens alike: (N,) numbers -> (K, N) float32, rows sum to 1."""
    inside = numbers == np.arange(numbers.max() + 1)[:, None]  # (K, N)
    return (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)


def token_groups(site: TokenSite, seen: SeenTokens) -> np.ndarray:
    """The number of the group of each token that is asked about as one, (N,) int64.

    A semantic token is a group by itself; those of a dense model are in the cells of `choose_cells`.
    """
    grid = tuple(seen.tokens.shape[1:-1])
    return np.arange(prod(grid)) if site.is_semantic else cell_numbers(grid, choose_cells(grid))
