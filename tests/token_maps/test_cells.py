import numpy as np
import pytest

from stvit_video.token_maps.cells import MAX_CELLS, cell_numbers, cell_sources, choose_cells


@pytest.mark.parametrize(
    ("grid", "cells"),
    [
        ((4, 8, 8), (4, 4, 4)),
        ((8, 14, 14), (4, 4, 4)),
        ((14, 14), (8, 8)),
        ((3, 5), (3, 5)),
        ((2, 2, 2), (2, 2, 2)),
        ((1, 1), (1, 1)),
        ((1, 7, 7), (1, 7, 7)),
    ],
)
def test_as_many_cells_as_can_be(grid, cells):
    assert choose_cells(grid) == cells
    assert np.prod(cells) <= MAX_CELLS


@pytest.mark.parametrize(("grid", "cells"), [((5, 7), (2, 3)), ((3, 5, 7), (2, 5, 3))])
def test_each_image_token_is_in_one_cell_and_no_cell_is_empty(grid, cells):
    numbers = cell_numbers(grid, cells)
    for place, number in zip(np.ndindex(*grid), numbers, strict=True):
        along = [p * c // g for p, c, g in zip(place, cells, grid, strict=True)]
        assert number == np.ravel_multi_index(along, cells)
    assert set(numbers) == set(range(int(np.prod(cells))))


def test_a_cell_comes_from_its_image_tokens_alike():
    np.testing.assert_allclose(cell_sources(np.array([0, 1, 1, 0])), [[0.5, 0, 0, 0.5], [0, 0.5, 0.5, 0]])
