import pytest
import torch
from torch.nn import functional as F

from stvit_video.layers.attention import CrossAttention
from stvit_video.layers.key_spans import (
    attend_in_windows,
    attend_to_spans,
    centred_spans,
    columns_seen,
    cut_spans,
    hidden_mask,
    masked_spans,
    released_spans,
    sees_nothing,
    surround,
)

DIM = 6
SIZES = {"query_window": (2, 3), "window": (3, 2), "key_window": (6, 5)}  # of queries, of their keys, of what they see
HIDDEN = -1000.0


def attention():
    torch.manual_seed(0)
    return CrossAttention(DIM, num_heads=2)


def slow_attention(module, queries, keys, mask):
    """(N, C) to (M, C), written out; `mask` (M,) is added to the logits."""
    q, (k, v) = module.q(queries), module.kv(keys).chunk(2, dim=-1)
    heads = []
    for q_head, k_head, v_head in zip(q.chunk(2, -1), k.chunk(2, -1), v.chunk(2, -1), strict=True):
        weights = torch.softmax(q_head @ k_head.T / (DIM // 2) ** 0.5 + mask, dim=-1)
        heads.append(weights @ v_head)
    return module.proj(torch.cat(heads, dim=-1))


def slow_masked(module, queries, context, *, query_window, window, key_window):
    """Every query by itself, to the keys of the grid that lie in the rectangle around its window."""
    out = torch.zeros_like(queries)
    for sample in range(len(queries)):
        for row in range(queries.shape[1]):
            for column in range(queries.shape[2]):
                keys = []
                for r in range(context.shape[1]):
                    for c in range(context.shape[2]):
                        first = [
                            place // own * cells - (around - cells) // 2
                            for place, own, cells, around in zip(
                                (row, column), query_window, window, key_window, strict=True
                            )
                        ]
                        if all(0 <= at - f < k for at, f, k in zip((r, c), first, key_window, strict=True)):
                            keys.append(context[sample, r, c])
                one = queries[sample, row, column][None]
                out[sample, row, column] = slow_attention(module, one, torch.stack(keys), torch.tensor(0.0))[0]
    return out


def slow_released(module, queries, context, blank, *, query_window, window, key_window, padding):
    """The published rule on a grid that is padded for good: -1000 on what it hides, by its own slices."""
    numbers = [-(-size // cells) for size, cells in zip(queries.shape[1:3], query_window, strict=True)]
    before = [(around - own) // 2 for around, own in zip(key_window, window, strict=True)]
    whole = [n * own for n, own in zip(numbers, window, strict=True)]
    keys = blank.expand(len(context), *(w + k for w, k in zip(whole, key_window, strict=True)), DIM).clone()
    keys[:, before[0] : before[0] + context.shape[1], before[1] : before[1] + context.shape[2]] = context
    inside = torch.zeros(*whole)
    inside[-padding[0] :, -padding[1] :] = HIDDEN
    mask = torch.full(keys.shape[1:3], HIDDEN)
    mask[before[0] : before[0] + whole[0], before[1] : before[1] + whole[1]] = inside
    out = torch.zeros_like(queries)
    for sample in range(len(queries)):
        for i in range(numbers[0]):
            for j in range(numbers[1]):
                rows = slice(i * window[0], i * window[0] + key_window[0])
                columns = slice(j * window[1], j * window[1] + key_window[1])
                own = (slice(i * query_window[0], (i + 1) * query_window[0]),)
                own = (sample, *own, slice(j * query_window[1], (j + 1) * query_window[1]))
                asked = queries[own]
                seen, hidden = keys[sample, rows, columns].flatten(0, 1), mask[rows, columns].flatten()
                out[own] = slow_attention(module, asked.flatten(0, 1), seen, hidden).view_as(asked)
    return out


def test_spans_of_an_axis_by_hand():
    assert cut_spans(8, 3) == ((0, 3), (3, 6), (6, 8))
    assert cut_spans(2, 3) == ((0, 2),)
    assert centred_spans(2, window=7, key_window=14) == ((-3, 11), (4, 18))
    spans = masked_spans((8, 5), (10, 20), query_window=(3, 3), window=(4, 7), key_window=(6, 14))
    assert spans.queries == (((0, 3), (3, 6), (6, 8)), ((0, 3), (3, 5)))
    assert spans.keys == (((0, 5), (3, 9), (7, 10)), ((0, 11), (4, 18)))
    assert spans.ring is None


def test_a_key_window_is_never_smaller_than_its_window():
    assert masked_spans((4,) * 2, (6,) * 2, query_window=(2, 2), window=(3, 3), key_window=(1, 1)).keys[0] == (
        (0, 3),
        (3, 6),
    )


@pytest.mark.parametrize("columns", [1, 2, 9])
@pytest.mark.parametrize("grids", [((4, 9), (6, 6)), ((5, 7), (7, 5)), ((1, 2), (2, 1)), ((3, 11), (4, 8))])
def test_masked_attention_as_a_slow_loop(grids, columns):
    module = attention()
    queries, context = (torch.randn(2, *grid, DIM) for grid in grids)
    spans = masked_spans(*grids, **SIZES)
    with torch.no_grad():
        out = attend_to_spans(module.q(queries), module.kv(context), spans, num_heads=2, columns=columns)
        torch.testing.assert_close(module.proj(out), slow_masked(module, queries, context, **SIZES))


@pytest.mark.parametrize("columns", [1, 9])
@pytest.mark.parametrize("padding", [(0, 0), (0, 1), (2, 0), (1, 1), (2, 1)])
@pytest.mark.parametrize("numbers", [(3, 4), (1, 2), (1, 1)])
def test_released_attention_as_a_slow_loop(numbers, padding, columns, monkeypatch):
    """All cases of the published slices: nothing, a strip or a corner is hidden, or all keys of some window."""
    module, blank = attention(), torch.randn(DIM)
    grid = tuple(n * own - p for n, own, p in zip(numbers, SIZES["window"], padding, strict=True))
    queries = torch.randn(2, *(n * own for n, own in zip(numbers, SIZES["query_window"], strict=True)), DIM)
    context = torch.randn(2, *grid, DIM)
    spans = released_spans(queries.shape[1:3], grid, padding=padding, **SIZES)
    with torch.no_grad():
        kv = surround(module.kv(context), module.kv(blank), spans.ring.widths)
        out = module.proj(attend_to_spans(module.q(queries), kv, spans, num_heads=2, columns=columns))
        slow = slow_released(module, queries, context, blank, padding=padding, **SIZES)
        torch.testing.assert_close(out, slow, atol=2e-5, rtol=1e-4)  # their sum with -1000 keeps 4 digits
        torch.testing.assert_close(attend_in_windows(module, queries, module.kv(context), spans, blank=blank), out)


def test_padding_beyond_the_keys_hides_them_all():
    """In recovery the image tokens' padding is cut off the few tokens' grid, which may be smaller."""
    sizes = {"query_window": (7, 7), "window": (3, 3), "key_window": (9, 9)}
    module, blank = attention(), torch.randn(DIM)
    for grid, padding in [((1, 3), (6, 4)), ((8, 8), (6, 6)), ((8, 14), (6, 0))]:
        numbers = [-(-size // 7) for size in grid]
        queries, context = torch.randn(1, *grid, DIM), torch.randn(1, 3 * numbers[0], 3 * numbers[1], DIM)
        spans = released_spans(grid, context.shape[1:3], padding=padding, **sizes)
        slow = slow_released(module, queries, context, blank, padding=padding, **sizes)
        out = attend_in_windows(module, queries, module.kv(context), spans, blank=blank)
        torch.testing.assert_close(out, slow, atol=2e-5, rtol=1e-4)


def test_gradients_are_those_of_the_masked_form():
    module, grids = attention(), ((5, 7), (7, 5))
    queries, context = (torch.randn(2, *grid, DIM, requires_grad=True) for grid in grids)
    spans, found = masked_spans(*grids, **SIZES), []
    for columns in (1, 9):
        out = attend_to_spans(module.q(queries), module.kv(context), spans, num_heads=2, columns=columns)
        found.append(torch.autograd.grad(out.square().sum(), (queries, context, *module.kv.parameters())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_one_graph_for_compilers():
    module, grids = attention(), ((5, 7), (7, 5))
    queries, context = (torch.randn(2, *grid, DIM) for grid in grids)
    spans = masked_spans(*grids, **SIZES)

    def run(q, c):
        return attend_in_windows(module, q, module.kv(c), spans, blank=torch.zeros(DIM))

    with torch.no_grad():
        compiled = torch.compile(run, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(queries, context), run(queries, context))


def test_no_mask_where_one_window_sees_its_whole_rectangle():
    spans = masked_spans((5, 7), (7, 5), **SIZES)
    device = torch.device("cpu")
    assert hidden_mask(spans, 0, range(1, 2), device=device) is None
    mask = hidden_mask(spans, 0, range(3), device=device)
    assert mask.shape == (2 * 7, 5 * columns_seen(spans, range(3))[1])
    assert 0 < mask.float().mean() < 1


def test_a_surrounded_grid():
    x = torch.randn(2, 3, 2, 4)
    value = torch.randn(4)
    out = surround(x, value, ((1, 2), (0, 3)))
    assert out.shape == (2, 6, 5, 4)
    torch.testing.assert_close(out[:, 1:4, :2], x)
    torch.testing.assert_close(F.pad(x - value, (0, 0, 0, 3, 1, 2)) + value, out)
    torch.testing.assert_close(out[:, 0, 0], value.expand(2, -1))


def test_a_window_whose_keys_are_all_hidden():
    spans = released_spans((8, 8), (6, 6), query_window=(7, 7), window=(3, 3), key_window=(9, 9), padding=(6, 6))
    assert all(sees_nothing(spans.ring, rows, columns) for rows in spans.keys[0] for columns in spans.keys[1])
    spans = released_spans((8, 8), (6, 6), query_window=(7, 7), window=(3, 3), key_window=(9, 9), padding=(2, 2))
    assert not any(sees_nothing(spans.ring, rows, columns) for rows in spans.keys[0] for columns in spans.keys[1])
