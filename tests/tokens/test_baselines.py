"""Random drop, pooling and ToMe against torch, counts and a slow loop written from the paper."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from stvit_video.tokens.baselines import (
    PoolReducer,
    RandomReducer,
    ToMeReducer,
    evaluation_places,
    mean_pool_grid,
    merge_tokens,
)
from stvit_video.tokens.grid import TokenGrid

REDUCERS = [PoolReducer, RandomReducer, ToMeReducer]
pooled_axes = st.lists(
    st.integers(1, 9).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size))), min_size=2, max_size=3
)


def make(kind, token_grid, grid=None, window=None):
    image_grid = None if grid is None else TokenGrid(grid)
    return kind(token_grid=TokenGrid(token_grid), image_grid=image_grid, window=window).eval()


def slow_merge(tokens, num_tokens):
    """ToMe for one sequence, token by token: (mean, size) pairs in lists."""
    items = [(token.double(), 1) for token in tokens]
    while len(items) > num_tokens:
        a, b = items[::2], [list(item) for item in items[1::2]]
        edges = []
        for i, (token, _) in enumerate(a):
            similarities = [float(F.cosine_similarity(token, other, dim=0)) for other, _ in b]
            j = max(range(len(b)), key=similarities.__getitem__)
            edges.append((similarities[j], i, j))
        edges.sort(key=lambda edge: -edge[0])
        merged = edges[: min(len(b), len(items) - num_tokens)]
        totals = [(mean * size, size) for mean, size in b]
        for _, i, j in merged:
            totals[j] = (totals[j][0] + a[i][0] * a[i][1], totals[j][1] + a[i][1])
        gone = {i for _, i, _ in merged}
        kept = [item for i, item in enumerate(a) if i not in gone]
        items = kept + [(total / size, size) for total, size in totals]
    return torch.stack([token for token, _ in items])


@pytest.mark.parametrize("num_tokens", [34, 30, 18, 17, 8, 3, 1])
def test_merging_equals_a_slow_loop(num_tokens):
    torch.manual_seed(num_tokens)
    x = torch.randn(2, 35, 5)
    expected = torch.stack([slow_merge(tokens, num_tokens) for tokens in x]).float()
    torch.testing.assert_close(merge_tokens(x, num_tokens), expected)


def test_merging_down_to_one_is_the_mean():
    x = torch.randn(2, 13, 5)
    torch.testing.assert_close(merge_tokens(x, 1)[:, 0], x.mean(1))


def test_equal_tokens_merge_first():
    x = 10.0 * torch.eye(8)[[0, 1, 2, 3, 4, 4, 2, 5]]  # of places 4 and 5, and of 2 (even) and 6 (even)
    merged = merge_tokens(x[None], 7)[0]
    assert sorted(map(tuple, merged.tolist())) == sorted(map(tuple, x[[0, 1, 2, 3, 4, 6, 7]].tolist()))


def test_merging_in_half_precision_does_not_overflow():
    x = (2e4 * torch.ones(1, 64, 3) + torch.rand(1, 64, 3)).half()
    merged = merge_tokens(x, 2)
    assert merged.dtype == torch.float16
    torch.testing.assert_close(merged.float(), torch.full((1, 2, 3), 2e4), rtol=1e-3, atol=0)


@settings(deadline=None)
@given(pooled_axes)
def test_mean_pooling_equals_torch(axes):
    grid, sizes = zip(*axes, strict=True)
    x = torch.randn(2, *grid, 3)
    pool = F.adaptive_avg_pool2d if len(grid) == 2 else F.adaptive_avg_pool3d
    torch.testing.assert_close(mean_pool_grid(x, sizes), pool(x.movedim(-1, 1), sizes).movedim(1, -1))
    torch.testing.assert_close(make(PoolReducer, sizes)(x), mean_pool_grid(x, sizes))


def test_pooling_in_windows_of_the_grid():
    pool = make(PoolReducer, (4, 6), (6, 10), (3, 5))
    x = torch.randn(2, 6, 10, 3)
    torch.testing.assert_close(pool(x)[:, 2:, :3], mean_pool_grid(x[:, 3:, :5], (2, 3)))


def test_random_drop_keeps_tokens_in_the_order_of_the_grid():
    x = torch.arange(35.0).reshape(1, 5, 7, 1).expand(2, -1, -1, -1)
    for training in (True, False):
        kept = make(RandomReducer, (3, 4)).train(training)(x)
        assert kept.shape == (2, 3, 4, 1)
        places = kept.flatten(1).long()
        assert (places.diff(dim=1) > 0).all()
        assert ((places >= 0) & (places < 35)).all()


def test_random_drop_is_fixed_outside_training_and_new_in_it():
    x = torch.arange(35.0).reshape(1, 5, 7, 1).expand(3, -1, -1, -1)
    reducer = make(RandomReducer, (3, 4))
    fixed = reducer(x)
    torch.testing.assert_close(fixed[0].flatten().tolist(), [float(place) for place in evaluation_places(35, 12)])
    torch.testing.assert_close(fixed[1], fixed[0])
    torch.testing.assert_close(make(RandomReducer, (3, 4))(x), fixed)
    reducer.train()
    drawn = torch.stack([reducer(x) for _ in range(3)]).flatten(0, 1).flatten(1)  # 3 calls of 3 samples
    assert len({tuple(row) for row in drawn.tolist()}) == 9


def test_random_drop_keeps_every_place_equally_often():
    torch.manual_seed(0)
    x = torch.eye(15).reshape(1, 3, 5, 15).expand(2000, -1, -1, -1)
    shares = make(RandomReducer, (2, 3)).train()(x).sum((1, 2)).mean(0)
    torch.testing.assert_close(shares, torch.full((15,), 6 / 15), atol=0.05, rtol=0)


@pytest.mark.parametrize("kind", REDUCERS)
@pytest.mark.parametrize("grid", [(3, 5), (2, 3, 5)])
def test_all_tokens_are_the_tokens(kind, grid):
    x = torch.randn(2, *grid, 4)
    for mode in (True, False):
        torch.testing.assert_close(make(kind, grid).train(mode)(x), x)


@pytest.mark.parametrize("kind", REDUCERS)
def test_windows_are_reduced_each_by_itself(kind):
    reducer = make(kind, (4, 6), (6, 10), (3, 5))
    x = torch.randn(2, 6, 10, 3)
    alone = make(kind, (2, 3))
    torch.testing.assert_close(reducer(x)[:, 2:, 3:], alone(x[:, 3:, 5:]))
    for sizes, tokens in [((9, 5), (6, 3)), ((7, 11), (6, 9)), ((2, 4), (2, 3))]:
        assert reducer(torch.randn(2, *sizes, 3)).shape == (2, *tokens, 3)


@pytest.mark.parametrize("kind", REDUCERS)
def test_more_tokens_than_there_are(kind):
    with pytest.raises(ValueError, match=r"grid of \(3, 3\) .*pooled.* \(2, 9\)"):
        make(kind, (3, 3))(torch.zeros(1, 2, 9, 4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", REDUCERS)
def test_large_values_stay_finite(kind, dtype):
    reduced = make(kind, (2, 3))(1e3 * torch.randn(2, 9, 11, 6).to(dtype))
    assert reduced.dtype == dtype
    assert reduced.isfinite().all()


@pytest.mark.parametrize("kind", REDUCERS)
def test_compiled_and_exported_reducers_give_the_same(kind):
    reducer = make(kind, (2, 3))
    x = torch.randn(2, 5, 7, 6)
    expected = reducer(x)
    torch.testing.assert_close(torch.compile(reducer, backend="eager", fullgraph=True)(x), expected)
    torch.testing.assert_close(torch.export.export(reducer, (x,)).module()(x), expected)
