import numpy as np
import pytest

from stvit_video.token_maps.cells import MAX_CELLS, cell_numbers, cell_sources, choose_cells, token_groups
from stvit_video.token_maps.token_site import token_site
from tests.helpers.short_models import short_clip, short_model


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


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "video_deit_tiny"])
def test_a_semantic_token_is_a_group_and_image_tokens_are_in_cells(name):
    model = short_model(name)
    site = token_site(model)
    seen = site.see(short_clip(model))
    grid = tuple(seen.tokens.shape[1:-1])
    expected = np.arange(8) if site.is_semantic else cell_numbers(grid, choose_cells(grid))
    np.testing.assert_array_equal(token_groups(site, seen), expected)
