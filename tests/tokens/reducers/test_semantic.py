import re

import pytest
import torch
from torch.nn import functional as F

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.semantic import SemanticTokenGenerator


def make(token_grid, grid=None, window=None, key_window=None, **settings):
    torch.manual_seed(0)
    generator = SemanticTokenGenerator(
        6,
        num_heads=2,
        token_grid=TokenGrid(token_grid),
        image_grid=None if grid is None else TokenGrid(grid),
        window=window,
        key_window=key_window,
        layer_scale_init=0.5,
        **settings,
    )
    return generator.eval()


def slow_generate(generator, x, *, shortcut=True, centres=True):
    """The equations of docs/develop/design.md, "Generation", for one window over the whole grid."""

    def attend(block, queries, keys, shortcut=True):
        attended = block.attn(block.norm1(queries), torch.cat([block.norm1(k) for k in keys], dim=1))
        s = queries * shortcut + block.ls1.gamma * attended
        return s + block.ls2.gamma * block.mlp(block.norm2(s))

    sizes = generator.token_grid.sizes
    pool = F.adaptive_max_pool2d if len(sizes) == 2 else F.adaptive_max_pool3d
    s0 = pool(x.movedim(-1, 1), sizes).flatten(2).transpose(1, 2)
    tokens = x.flatten(1, -2)
    s1 = attend(generator.layers[0], s0, [s0, tokens], shortcut)
    queries = s1 + generator.centres.flatten(1, -2) if centres else s1
    return attend(generator.layers[1], queries, [s1, tokens])


@pytest.mark.parametrize(("grid", "token_grid"), [((5, 7), (2, 3)), ((3, 5, 7), (2, 2, 3))])
def test_generation_as_designed(grid, token_grid):
    generator = make(token_grid)
    x = torch.randn(2, *grid, 6)
    torch.testing.assert_close(generator(x).flatten(1, -2), slow_generate(generator, x))


@pytest.mark.parametrize("shortcut", [True, False])
@pytest.mark.parametrize("centres", [True, False])
def test_only_the_first_layer_can_lack_its_shortcut(shortcut, centres):
    generator = make((2, 3), attention_shortcut=shortcut, global_centers=centres)
    x = torch.randn(2, 5, 7, 6)
    expected = slow_generate(generator, x, shortcut=shortcut, centres=centres)
    torch.testing.assert_close(generator(x).flatten(1, -2), expected)
    assert ("centres" in dict(generator.named_parameters())) == centres


def test_the_norms_take_their_epsilon():
    generator = make((2, 3), norm_eps=0.25)
    assert {m.eps for m in generator.modules() if isinstance(m, torch.nn.LayerNorm)} == {0.25}


@pytest.mark.parametrize(
    ("grid", "window", "token_grid"), [((6, 10), (3, 5), (4, 6)), ((2, 6, 5), (1, 3, 5), (2, 2, 3))]
)
def test_first_layer_of_a_window_sees_its_window_alone(grid, window, token_grid):
    generator = make(token_grid, grid, window)
    x = torch.randn(1, *grid, 6)
    changed = x.clone()
    corner = (slice(None), *[slice(0, w) for w in window])
    changed[corner] += 1.0
    before, after = generator._attend_in_windows(x), generator._attend_in_windows(changed)
    numbers = [g // w for g, w in zip(grid, window, strict=True)]
    inside = (slice(None), *[slice(0, t // n) for t, n in zip(token_grid, numbers, strict=True)])
    differs = (before - after).abs().amax(-1) > 0
    assert differs[inside].all()
    differs[inside] = False
    assert not differs.any()


def test_permuting_windows_permutes_tokens():
    generator = make((4, 6), (6, 10), (3, 5))
    x = torch.randn(2, 6, 10, 6)
    swapped = torch.cat([x[:, 3:], x[:, :3]], dim=1)
    out = generator._attend_in_windows(x)
    expected = torch.cat([out[:, 2:], out[:, :2]], dim=1)
    torch.testing.assert_close(generator._attend_in_windows(swapped), expected)


def test_key_windows_reach_over_the_window():
    generator = make((2, 2), (6, 6), (3, 3), (4, 4))
    x = torch.randn(1, 6, 6, 6)
    changed = x.clone()
    changed[:, 3, 0] = torch.randn(6)  # in the lower window, and in the upper window's keys
    difference = (generator._attend_in_windows(x) - generator._attend_in_windows(changed)).abs().amax(-1)[0] > 0
    assert difference.tolist() == [[True, False], [True, False]]


@pytest.mark.parametrize(
    ("sizes", "tokens"), [((6, 10), (4, 6)), ((9, 5), (6, 3)), ((3, 20), (2, 12)), ((7, 11), (6, 9)), ((2, 4), (2, 3))]
)
def test_other_grids_have_as_many_tokens_in_each_window(sizes, tokens):
    generator = make((4, 6), (6, 10), (3, 5), (4, 7))
    x = torch.randn(2, *sizes, 6)
    assert generator(x).shape == (2, *tokens, 6)


def test_grids_that_the_window_does_not_divide_are_padded_with_zeros():
    generator = make((4, 6), (6, 10), (3, 5), (4, 7))
    x = torch.randn(2, 5, 9, 6)
    padded = F.pad(x, (0, 0, 0, 1, 0, 1))
    torch.testing.assert_close(generator._attend_in_windows(x), generator._attend_in_windows(padded))
    context = torch.cat([generator._attend_in_windows(x).flatten(1, 2), x.flatten(1, 2)], dim=1)
    queries = (generator._attend_in_windows(x) + generator.centres).flatten(1, 2)
    torch.testing.assert_close(generator(x).flatten(1, 2), generator.layers[1](queries, context))  # without the padding


def test_one_set_of_weights_runs_at_any_token_grid():
    generator = make((2, 3, 4))
    x = torch.randn(2, 5, 6, 7, 6)
    for sizes in [(1, 1, 1), (5, 6, 7), (3, 2, 5)]:
        generator.set_token_grid(TokenGrid(sizes))
        assert generator(x).shape == (2, *sizes, 6)
    generator.set_token_grid(TokenGrid((2, 3, 4)))
    torch.testing.assert_close(generator(x).flatten(1, -2), slow_generate(generator, x))


def test_large_values_stay_finite_in_bf16():
    generator = make((2, 3)).bfloat16()
    assert generator(1e4 * torch.randn(2, 5, 7, 6).bfloat16()).isfinite().all()


def test_gradients_reach_every_parameter():
    generator = make((2, 3))
    generator(torch.randn(2, 5, 7, 6)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())


def test_tokens_that_windows_can_not_share():
    with pytest.raises(ValueError, match=r"\(3, 6\) semantic tokens .*\(2, 2\) windows"):
        make((3, 6), (6, 10), (3, 5))


def test_key_window_needs_a_window():
    with pytest.raises(ValueError, match=r"key_window=\(4, 4\) needs a window"):
        make((2, 2), key_window=(4, 4))


@pytest.mark.parametrize("key_window", [(2, 9), (4, 7, 7)])
def test_key_window_covers_the_window(key_window):
    with pytest.raises(ValueError, match=rf"key_window={re.escape(str(key_window))} .*cover window=\(3, 5\)"):
        make((4, 6), (6, 10), (3, 5), key_window)


def test_token_grid_with_other_axes():
    with pytest.raises(ValueError, match=r"grid \(2, 2, 2\) .*axes.* 2 sizes"):
        make((2, 2)).set_token_grid(TokenGrid((2, 2, 2)))
