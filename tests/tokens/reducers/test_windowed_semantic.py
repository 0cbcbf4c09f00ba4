import pytest
import torch
from torch.nn import functional as F

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.semantic import SemanticTokenGenerator
from stvit_video.tokens.reducers.windowed_semantic import WindowedTokenGenerator
from stvit_video.tokens.slot import BlockSettings, TokenSlot

WINDOW, TOKENS, KEYS, CENTRES = (3, 5), (2, 3), (5, 7), (6, 11)


def make(rule="masked", **options):
    torch.manual_seed(0)
    slot = TokenSlot(
        token_grid=TokenGrid((4, 6)),
        image_grid=TokenGrid((6, 10)),
        **{
            "window": WINDOW,
            "key_window": KEYS,
            "center_window": CENTRES,
            "recover_window": (4, 6),
            "layer_scale_init": 0.5,
            "global_centers": False,
            **options,
        },
    )
    blocks = BlockSettings(num_heads=2)
    built = WindowedTokenGenerator.build(6, slot=slot, blocks=blocks, drop_path_rates=(0.0, 0.0), is_first=True)
    built.padding_rule = rule
    return built.eval()


def around(place, window, key_window, size):
    """The cells of the grid that a window sees along an axis."""
    start = place * window - (key_window - window) // 2
    return slice(max(start, 0), max(min(start + key_window, size), 0))


def slow_generate(generator, x):
    """Window by window with nothing but what lies inside the grid."""
    rows, columns = (-(-size // window) for size, window in zip(x.shape[1:3], WINDOW, strict=True))
    bands = []
    for i in range(rows):
        band = []
        for j in range(columns):
            own = x[:, WINDOW[0] * i : WINDOW[0] * (i + 1), WINDOW[1] * j : WINDOW[1] * (j + 1)]
            filled = F.pad(own, (0, 0, 0, WINDOW[1] - own.shape[2], 0, WINDOW[0] - own.shape[1]), value=float("-inf"))
            tokens = F.adaptive_max_pool2d(filled.movedim(-1, 1), TOKENS).movedim(1, -1)
            there = tokens.isfinite().all(-1)[0]
            tokens = tokens[:, there.any(1)][:, :, there.any(0)]
            s, sizes = tokens.flatten(1, 2), tokens.shape[1:3]
            for layer, keys in zip(generator.layers, (KEYS, CENTRES), strict=True):
                seen = x[:, around(i, WINDOW[0], keys[0], x.shape[1])][:, :, around(j, WINDOW[1], keys[1], x.shape[2])]
                s = layer(s, seen.flatten(1, 2))
            band.append(s.unflatten(1, sizes))
        bands.append(torch.cat(band, dim=2))
    return torch.cat(bands, dim=1)


@pytest.mark.parametrize("grid", [(6, 10), (7, 13), (8, 11), (2, 4), (1, 21)])
@pytest.mark.parametrize("shortcut", [True, False])
def test_generation_as_a_slow_loop(grid, shortcut):
    generator, x = make(attention_shortcut=shortcut), torch.randn(2, *grid, 6)
    torch.testing.assert_close(generator(x), slow_generate(generator, x))


def test_what_lies_behind_the_picture_changes_nothing():
    """In the larger grid the windows inside the smaller one have the same tokens where they see nothing of the rest."""
    generator, x = make(), torch.randn(1, 12, 30, 6)
    alone, beside = generator(x[:, :, :25]), generator(x)
    torch.testing.assert_close(alone[:, :, :9], beside[:, :, :9])
    assert not torch.allclose(alone[:, :, 12:15], beside[:, :, 12:15])


def test_weights_have_the_names_of_the_other_generator():
    other = SemanticTokenGenerator(
        6, num_heads=2, token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=WINDOW
    )
    assert set(make(global_centers=True).state_dict()) == set(other.state_dict())


def test_centres_are_added_to_the_queries_of_layer_2():
    generator, x = make(global_centers=True), torch.randn(1, 6, 10, 6)
    out = generator(x)
    generator.centres.data += 1.0
    assert not torch.allclose(generator(x), out)
    generator.centres.data.zero_()
    torch.testing.assert_close(generator(x), slow_generate(generator, x))


def test_the_released_rule_fills_windows_with_zeros():
    generator, x = make("released detector"), torch.randn(2, 7, 9, 6)
    assert generator(x).shape == (2, 6, 6, 6)
    assert make()(x).shape == (2, 5, 6, 6)


def test_gradients_reach_every_parameter():
    for rule in ("masked", "released detector"):
        generator = make(rule, global_centers=True)
        generator(torch.randn(2, 7, 9, 6)).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())


def test_another_number_of_tokens():
    generator, x = make(), torch.randn(1, 7, 9, 6)
    generator.set_token_grid(TokenGrid((2, 10)))
    assert generator(x).shape == (1, 3, 9, 6)


def test_windows_that_do_not_cover_their_window():
    with pytest.raises(ValueError, match=r"center_window=\(2, 5\) .*cover window=\(3, 5\)"):
        make(center_window=(2, 5))


@pytest.mark.parametrize("ask", ["sources", "attention_share"])
def test_it_does_not_say_where_its_tokens_come_from(ask):
    with pytest.raises(ValueError, match="detectors and segmenters .* a model that labels videos or pictures"):
        getattr(make(), ask)(torch.randn(1, 6, 10, 6))
