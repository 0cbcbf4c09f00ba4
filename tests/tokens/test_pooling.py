import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from stvit_video.tokens.pooling import cut_bins, max_pool_grid, max_pool_places, mean_pool_grid, pool_grid, pooling_bins

pooled_axes = st.lists(
    st.integers(1, 9).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size))), min_size=2, max_size=3
)


def test_bins_by_hand():
    assert pooling_bins(7, 3) == ((0, 3), (2, 5), (4, 7))
    assert pooling_bins(6, 3) == ((0, 2), (2, 4), (4, 6))


@settings(deadline=None)
@given(pooled_axes)
def test_pooling_by_the_largest_equals_torch(axes):
    grid, sizes = zip(*axes, strict=True)
    x = torch.randn(2, *grid, 3)
    pool = F.adaptive_max_pool2d if len(grid) == 2 else F.adaptive_max_pool3d
    torch.testing.assert_close(max_pool_grid(x, sizes), pool(x.movedim(-1, 1), sizes).movedim(1, -1))


def test_pooling_to_more_tokens_than_there_are():
    with pytest.raises(ValueError, match=r"grid of \(2, 6\) .*pooled.* \(3, 5\)"):
        max_pool_grid(torch.zeros(1, 3, 5, 2), (2, 6))


@settings(deadline=None)
@given(pooled_axes)
def test_pooling_by_the_mean_equals_torch(axes):
    grid, sizes = zip(*axes, strict=True)
    x = torch.randn(2, *grid, 3)
    pool = F.adaptive_avg_pool2d if len(grid) == 2 else F.adaptive_avg_pool3d
    torch.testing.assert_close(mean_pool_grid(x, sizes), pool(x.movedim(-1, 1), sizes).movedim(1, -1))


def test_bins_of_an_axis_that_ends_early():
    assert cut_bins(7, whole=7, num_bins=3) == pooling_bins(7, 3)
    assert cut_bins(3, whole=7, num_bins=3) == ((0, 3), (2, 3))
    assert cut_bins(1, whole=7, num_bins=3) == ((0, 1),)


@pytest.mark.parametrize("grid", [(5, 7), (3, 7), (5, 2), (1, 1)])
def test_pooling_of_the_beginning_of_a_grid(grid):
    """Its cells are those of the whole grid, without the positions that are not there."""
    x = torch.randn(2, *grid, 3)
    whole = torch.full((2, 5, 7, 3), float("-inf"))
    whole[:, : grid[0], : grid[1]] = x
    expected = max_pool_grid(whole, (2, 3))
    there = expected.isfinite().all(-1)[0]
    out = pool_grid(x, (2, 3), torch.amax, whole=(5, 7))
    assert out.shape[1] * out.shape[2] == there.sum()
    torch.testing.assert_close(out, expected[:, : out.shape[1], : out.shape[2]])
    pooled = pool_grid(torch.ones(2, *grid, 3), (2, 3), torch.mean, whole=(5, 7))
    torch.testing.assert_close(pooled, torch.ones_like(out))


@settings(deadline=None)
@given(pooled_axes)
def test_places_of_the_largest_values(axes):
    grid, sizes = zip(*axes, strict=True)
    x = torch.randn(2, *grid, 3)
    places = max_pool_places(x, sizes)
    values = x.flatten(1, -2).gather(1, places.flatten(1, -2))
    torch.testing.assert_close(values.unflatten(1, sizes), max_pool_grid(x, sizes), rtol=0, atol=0)


def test_of_equal_values_the_first_is_taken():
    assert max_pool_places(torch.zeros(1, 3, 5, 1), (1, 2)).flatten().tolist() == [0, 2]
