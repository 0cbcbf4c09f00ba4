"""What tokens come from, against loops that take one number at a time."""

from itertools import product

import numpy as np
import pytest
import torch

from stvit_video.layers.block import CrossBlock
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.source_weights import (
    largest_shares,
    layer_weights,
    mean_weights,
    normed_sources,
    numbered,
    onto_image_tokens,
)
from stvit_video.tokens.slot import BlockSettings, TokenSlot

DIM, HEADS = 6, 2
CASES = {  # grid, grid of tokens, window, key window; grids of more image tokens follow from these
    "picture": ((5, 7), (2, 3), None, None),
    "clip": ((3, 5, 7), (2, 2, 3), None, None),
    "windows": ((6, 10), (4, 6), (3, 5), None),
    "key windows": ((6, 10), (4, 4), (3, 5), (5, 7)),
    "windows of clips": ((2, 6, 5), (2, 2, 3), (1, 3, 5), (2, 3, 5)),
}


def reducer_of(name, case, **settings):
    grid, token_grid, window, key_window = CASES[case]
    torch.manual_seed(0)
    slot = TokenSlot(
        TokenGrid(token_grid),
        TokenGrid(grid),
        window=window,
        key_window=key_window if name == "semantic" else None,
        **{"layer_scale_init": 0.5} | settings,
    )
    rates = (0.0,) * REDUCERS[name].num_layers
    blocks = BlockSettings(num_heads=HEADS)
    return REDUCERS[name].build(DIM, slot=slot, blocks=blocks, drop_path_rates=rates, is_first=True).eval()


def normed(norm, x):
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + norm.eps)
    return x * norm.weight.detach().numpy() + norm.bias.detach().numpy()


def linear(layer, x):
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def slow_layer(block, query, context, kept):
    """One query (C,) to a context (M, C): weights (M,), the share of attention, and the output (C,)."""
    attention, size = block.attn, DIM // HEADS
    q = linear(attention.q, normed(block.norm1, query))
    keys, values = np.split(linear(attention.kv, normed(block.norm1, context)), 2, axis=1)
    mean, heads = np.zeros(len(context)), []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        logits = np.array([q[part] @ key[part] / np.sqrt(size) for key in keys])
        weights = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        mean += weights / HEADS
        heads.append(weights @ values[:, part])
    attended = linear(attention.proj, np.concatenate(heads)) * block.ls1.gamma.detach().numpy()
    length = np.sqrt((attended**2).sum())
    share = length / (length + np.sqrt((kept**2).sum())) if block.attention_shortcut else 1.0
    out = attended + query if block.attention_shortcut else attended
    hidden = torch.from_numpy(normed(block.norm2, out)).float()
    return mean, share, out + block.ls2.gamma.detach().numpy() * block.mlp(hidden).detach().numpy()


def cells_of(size, number):
    return [range(i * size // number, -(-(i + 1) * size // number)) for i in range(number)]


def slow_rollout(generator, x):
    """Sources (K, N) and shares of attention (K,) of image tokens (*grid, C), windows, cells, channels one by one."""
    grid, image_tokens = x.shape[:-1], x.reshape(-1, DIM)
    window = generator.window or grid
    key_window = generator.key_window or window
    padded = [-(-size // w) * w for size, w in zip(grid, window, strict=True)]
    numbers = np.full(padded, -1)
    numbers[tuple(slice(size) for size in grid)] = np.arange(len(image_tokens)).reshape(grid)
    value = lambda number: np.zeros(DIM) if number < 0 else image_tokens[number]  # noqa: E731
    row = lambda number: np.eye(len(image_tokens))[number] if number >= 0 else np.zeros(len(image_tokens))  # noqa: E731
    sizes, found = generator.window_tokens(tuple(grid)), {}
    for at in product(*[range(p // w) for p, w in zip(padded, window, strict=True)]):
        own = numbers[tuple(slice(i * w, (i + 1) * w) for i, w in zip(at, window, strict=True))]
        starts = [
            min(max(i * w - (k - w) // 2, 0), p - k) for i, w, k, p in zip(at, window, key_window, padded, strict=True)
        ]
        keys = numbers[tuple(slice(s, s + k) for s, k in zip(starts, key_window, strict=True))].reshape(-1)
        pooled, rows = [], []
        for cell in product(*[cells_of(w, t) for w, t in zip(window, sizes, strict=True)]):
            members = own[np.ix_(*cell)].reshape(-1)
            best = [max(members, key=lambda n, c=channel: value(n)[c]) for channel in range(DIM)]
            pooled.append(np.array([value(n)[channel] for channel, n in enumerate(best)]))
            rows.append(sum(row(n) for n in best) / DIM)
        context = np.stack([*pooled, *[value(n) for n in keys]])
        for number, place in enumerate(np.ndindex(*sizes)):
            weights, share, out = slow_layer(generator.layers[0], pooled[number], context, pooled[number])
            gathered = sum(w * r for w, r in zip(weights, [*rows, *[row(n) for n in keys]], strict=True))
            index = tuple(i * t + p for i, t, p in zip(at, sizes, place, strict=True))
            found[index] = (out, (1 - share) * rows[number] + share * gathered, share)
    ordered = [found[index] for index in sorted(found)]
    tokens, first = np.stack([token for token, _, _ in ordered]), np.stack([r for _, r, _ in ordered])
    centres = np.zeros_like(tokens)
    if generator.centres is not None:
        assert generator.centres[0, ..., 0].numel() == len(tokens), "no resizing in this loop"
        centres = generator.centres.detach().numpy().reshape(-1, DIM)
    sources, shares = [], []
    for number, token in enumerate(tokens):
        context = np.concatenate([tokens, image_tokens])
        weights, share, _ = slow_layer(generator.layers[1], token + centres[number], context, token)
        mixed = (1 - share) * first[number] + share * (weights @ np.concatenate([first, np.eye(len(image_tokens))]))
        sources.append(mixed / mixed.sum())
        shares.append(1 - (1 - share) * (1 - ordered[number][2]))
    return np.stack(sources), np.array(shares)


@pytest.mark.parametrize("case", CASES)
def test_sources_of_generated_tokens_are_those_of_a_slow_loop(case):
    generator = reducer_of("semantic", case)
    x = torch.randn(2, *CASES[case][0], DIM)
    sources, shares = generator.sources(x), generator.attention_share(x)
    for number in range(2):
        expected, expected_shares = slow_rollout(generator, x[number].numpy())
        np.testing.assert_allclose(sources[number], expected, atol=2e-6)
        np.testing.assert_allclose(shares[number], expected_shares, atol=2e-6)


def test_padding_of_windows_is_left_out():
    generator = reducer_of("semantic", "key windows", global_centers=False)
    x = torch.randn(1, 5, 8, DIM)  # padded to 6 x 10
    expected, _ = slow_rollout(generator, x[0].numpy())
    np.testing.assert_allclose(generator.sources(x)[0], expected, atol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_without_gain_tokens_come_from_pooling_alone(case):
    generator = reducer_of("semantic", case, layer_scale_init=0.0)
    x = torch.randn(2, *CASES[case][0], DIM)
    assert float(generator.attention_share(x).abs().max()) == 0
    pooled = generator.reduce(x, lambda windows, sizes: generator.pool(windows, sizes, torch.amax)).flatten(1, -2)
    is_source = pooled.unsqueeze(2) == x.flatten(1, -2).unsqueeze(1)  # (B, K, N, C): no two values are equal
    torch.testing.assert_close(generator.sources(x), is_source.float().mean(-1))


@pytest.mark.parametrize("only", [0, 1])
def test_with_a_huge_gain_a_layer_leaves_its_attention_alone(only):
    generator = reducer_of("semantic", "picture", layer_scale_init=0.0, global_centers=False)
    x = torch.randn(1, 5, 7, DIM)
    pooled = generator.sources(x)
    s0 = generator.pool(x, (2, 3), torch.amax).flatten(1, -2)
    with torch.no_grad():
        generator.layers[only].ls1.gamma.fill_(1e8)
        weights, _ = layer_weights(generator.layers[only], s0, torch.cat([s0, x.flatten(1, -2)], dim=1), kept=s0)
    assert float(generator.attention_share(x).min()) > 1 - 1e-6
    expected = weights[..., :6] @ pooled + weights[..., 6:]
    torch.testing.assert_close(generator.sources(x), expected, atol=1e-6, rtol=0)


def test_without_shortcut_layer_1_leaves_nothing_of_the_pooling():
    generator = reducer_of("semantic", "picture", attention_shortcut=False)
    assert torch.equal(generator.attention_share(torch.randn(1, 5, 7, DIM)), torch.ones(1, 6))


@pytest.mark.parametrize("name", ["random", "pool", "tome", "token_learner"])
@pytest.mark.parametrize("case", CASES)
def test_means_are_what_their_sources_say(name, case):
    reducer = reducer_of(name, case)
    x = torch.randn(2, *CASES[case][0], DIM)
    with torch.inference_mode():
        sources, tokens = reducer.sources(x), reducer(x).flatten(1, -2)
    torch.testing.assert_close(sources @ x.flatten(1, -2), tokens, atol=1e-5, rtol=0)
    torch.testing.assert_close(sources.sum(-1), torch.ones(tokens.shape[:2]))
    assert reducer.attention_share(x) is None


def slow_merging(x, num_tokens):
    """The members of each token that merging of (N, C) leaves, by lists."""
    sets = [[number] for number in range(len(x))]
    while len(sets) > num_tokens:
        means = [x[members].mean(0) for members in sets]
        unit = [mean / np.linalg.norm(mean) for mean in means]
        even, odd = range(0, len(sets), 2), range(1, len(sets), 2)
        best = {i: max(odd, key=lambda j, i=i: unit[i] @ unit[j]) for i in even}
        order = sorted(even, key=lambda i: -(unit[i] @ unit[best[i]]))
        merged = order[: min(len(sets) // 2, len(sets) - num_tokens)]
        for i in merged:
            sets[best[i]] = sets[best[i]] + sets[i]
        sets = [sets[i] for i in even if i not in merged] + [sets[j] for j in odd]
    return sets


def test_sources_of_merged_tokens_are_their_members():
    x = torch.randn(1, 5, 7, DIM)
    sources = reducer_of("tome", "picture").sources(x)[0]
    for row, members in zip(sources, slow_merging(x[0].reshape(-1, DIM).double().numpy(), 6), strict=True):
        expected = torch.zeros(35)
        expected[members] = 1 / len(members)
        torch.testing.assert_close(row, expected)


def test_weights_of_means_by_derivatives():
    weights = torch.rand(3, 35)
    x = torch.randn(2, 5, 7, 4)
    found = mean_weights(lambda tokens: (weights @ tokens.flatten(1, -2)).unflatten(1, (3, 1)), x)
    torch.testing.assert_close(found, weights.expand(2, 3, 35))


def test_weights_that_values_make_are_refused():
    def soft(tokens):
        return (tokens.flatten(1, -2).softmax(1) * tokens.flatten(1, -2)).sum(1)[:, None, None]

    with pytest.raises(ValueError, match="weights depend on choices alone.* override its method sources"):
        mean_weights(soft, torch.randn(2, 5, 7, 4))


def test_rows_are_normed_and_empty_ones_are_even():
    rows = normed_sources(torch.tensor([[[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]))
    torch.testing.assert_close(rows, torch.tensor([[[0.25, 0.75, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]]))


def test_image_tokens_are_numbered_from_one():
    assert numbered(torch.zeros(2, 2, 3, 4)).tolist() == [[[[1], [2], [3]], [[4], [5], [6]]]]


def test_weights_of_windows_are_put_onto_their_image_tokens():
    weights = torch.tensor([[[0.5, 0.2, 0.3]], [[0.1, 0.2, 0.7]]])  # two windows of three cells
    spread = onto_image_tokens(weights, torch.tensor([[1, 2, 0], [4, 4, 3]]), num_tokens=4)
    torch.testing.assert_close(spread, torch.tensor([[[0.5, 0.2, 0.0, 0.0]], [[0.0, 0.0, 0.7, 0.3]]]))


def test_channels_count_alike():
    places = torch.tensor([[[2, 0, 2, 1]]])
    torch.testing.assert_close(largest_shares(places, num_cells=4), torch.tensor([[[0.25, 0.25, 0.5, 0.0]]]))


def test_the_share_of_attention_is_that_of_its_norm():
    torch.manual_seed(0)
    block = CrossBlock(DIM, num_heads=HEADS, layer_scale_init=0.5).eval()
    queries, context = torch.randn(1, 2, DIM), torch.randn(1, 3, DIM)
    weights, shares = layer_weights(block, queries, context, kept=queries)
    for number in range(2):
        query, found = queries[0, number].numpy(), context[0].numpy()
        expected, share, _ = slow_layer(block, query, found, query)
        np.testing.assert_allclose(weights[0, number].detach(), expected, atol=1e-6)
        np.testing.assert_allclose(shares[0, number].item(), share, atol=1e-6)
