"""Token merging against a slow loop written from the paper, and cases by hand."""

import pytest
import torch
from torch.nn import functional as F

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.tome import ToMeReducer, merge_tokens


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


def test_the_reducer_merges_the_tokens_of_each_window():
    reducer = ToMeReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5))
    x = torch.randn(2, 6, 10, 3)
    window = merge_tokens(x[:, 3:, :5].flatten(1, 2), 6).unflatten(1, (2, 3))
    torch.testing.assert_close(reducer(x)[:, 2:, :3], window)


def test_merging_in_windows_that_the_end_cuts():
    reducer = ToMeReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5), cut_windows=True)
    torch.testing.assert_close(reducer(torch.ones(2, 7, 12, 3)), torch.ones(2, 5, 8, 3))
