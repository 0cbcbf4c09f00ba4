import itertools

import pytest
import torch

from stvit_video.layers.attention import SelfAttention
from stvit_video.layers.window_attention import WindowAttention, position_bias, relative_positions, same_region
from stvit_video.layers.windows import partition_windows, reverse_windows


def window_attention(window, *, seed=0, num_heads=2, **options):
    torch.manual_seed(seed)
    layer = WindowAttention(6, num_heads=num_heads, window=window, **options)
    layer.bias_table.data.normal_()
    return layer


def slow_window_attention(layer, x, *, shifted):
    """Token by token: two tokens see each other where the window grid, moved by half a window, has both in one cell."""
    grid, A = x.shape[1:-1], layer.num_heads
    window, shift = [min(g, w) for g, w in zip(grid, layer.window, strict=True)], [w // 2 for w in layer.window]
    if layer.rule == "whole windows":
        window = layer.window
    else:
        shift = [w // 2 if g > w else 0 for g, w in zip(grid, window, strict=True)]
    shift = shift if shifted else [0 for _ in shift]
    padded = [-(-g // w) * w for g, w in zip(grid, window, strict=True)]
    cells = list(itertools.product(*[range(p) for p in padded]))
    window_of = {c: tuple((p - s) // w for p, s, w in zip(c, shift, window, strict=True)) for c in cells}
    zero = torch.zeros(x.shape[-1])
    out = torch.zeros_like(x)
    for b in range(len(x)):
        inside = {c: all(p < g for p, g in zip(c, grid, strict=True)) for c in cells}
        projected = {c: layer.qkv(x[(b, *c)] if inside[c] else zero).view(3, A, -1) for c in cells}
        for query in itertools.product(*[range(g) for g in grid]):
            keys = [c for c in cells if window_of[c] == window_of[query]]
            offsets = [[q - k + w - 1 for q, k, w in zip(query, c, layer.window, strict=True)] for c in keys]
            heads = []
            for a in range(A):
                q = projected[query][0, a]
                logits = torch.stack(
                    [
                        q @ projected[c][1, a] / len(q) ** 0.5 + layer.bias_table[(0, *offset, a)]
                        for c, offset in zip(keys, offsets, strict=True)
                    ]
                )
                heads.append(torch.softmax(logits, 0) @ torch.stack([projected[c][2, a] for c in keys]))
            out[(b, *query)] = layer.proj(torch.cat(heads))
    return out


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(
    ("grid", "window"),
    [
        ((6, 4), (3, 2)),
        ((5, 7), (2, 3)),
        ((2, 7), (5, 4)),
        ((3, 2), (3, 5)),
        ((3, 4, 5), (2, 3, 2)),
        ((1, 5, 4), (2, 2, 3)),
    ],
)
def test_equals_slow_loop(grid, window, shifted):
    layer = window_attention(window, shifted=shifted)
    x = torch.randn(2, *grid, 6)
    with torch.no_grad():
        expected = slow_window_attention(layer, x, shifted=shifted)
        torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(("grid", "window"), [((5, 7), (2, 3)), ((2, 7), (5, 4)), ((3, 2), (3, 5))])
def test_whole_windows_on_every_grid(grid, window, shifted):
    """As in code for detection: small grids are padded to whole windows, and shifted, too."""
    layer = window_attention(window, shifted=shifted)
    layer.rule = "whole windows"
    x = torch.randn(2, *grid, 6)
    torch.testing.assert_close(layer(x), slow_window_attention(layer, x, shifted=shifted))


def test_relative_positions_by_hand():
    """A window of 1 x 3, then 2 x 2: rows of a table over 1 x 5 and over 3 x 3 offsets."""
    assert relative_positions((1, 3)).tolist() == [[2, 1, 0], [3, 2, 1], [4, 3, 2]]
    assert relative_positions((2, 2)).tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]


def test_bias_of_a_cut_window_is_a_part_of_the_whole_windows():
    table = torch.randn(1, 5, 7, 9, 2)  # of a window (3, 4, 5)
    whole = position_bias(table, (3, 4, 5)).view(2, 3, 4, 5, 3, 4, 5)
    cut = position_bias(table, (2, 4, 3)).view(2, 2, 4, 3, 2, 4, 3)
    torch.testing.assert_close(cut, whole[:, :2, :, 1:4, :2, :, 1:4])


@pytest.mark.parametrize(("grid", "window", "shift"), [((6, 6), (3, 2), (1, 1)), ((4, 6, 5), (2, 3, 5), (1, 1, 0))])
def test_same_region_equals_slow_loop(grid, window, shift):
    """Rolled back to where they were, cells of one window are neighbours unless the roll carried one around the end."""
    keep = same_region(grid, window=window, shift=shift)
    places = torch.stack(torch.meshgrid(*[torch.arange(g) for g in grid], indexing="ij"), dim=-1)[None]
    windows = partition_windows(places, window).flatten(1, -2)  # places after the roll
    for number, cells in enumerate(windows.tolist()):
        for i, j in itertools.product(range(len(cells)), repeat=2):
            around = [
                [p + s >= g for p, s, g in zip(cells[n], shift, grid, strict=True)] for n in (i, j)
            ]  # before the roll the cell was at p + s
            assert keep[number, i, j].item() == (around[0] == around[1])


def test_one_window_without_bias_is_plain_attention():
    layer = window_attention((3, 5), shifted=True)
    layer.bias_table.data.zero_()
    plain = SelfAttention(6, num_heads=2)
    plain.load_state_dict({k: v for k, v in layer.state_dict().items() if k != "bias_table"})
    x = torch.randn(2, 3, 5, 6)
    torch.testing.assert_close(layer(x), plain(x.flatten(1, 2)).view_as(x))


def test_permuted_windows_give_permuted_windows():
    layer, grid = window_attention((2, 3, 2)), (4, 3, 6)
    windows = partition_windows(torch.randn(1, *grid, 6), (2, 3, 2))
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    permuted = partition_windows(layer(reverse_windows(windows[order], grid)), (2, 3, 2))
    torch.testing.assert_close(permuted, partition_windows(layer(reverse_windows(windows, grid)), (2, 3, 2))[order])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_few_bits_stay_finite_and_near(dtype):
    layer = window_attention((2, 3), shifted=True)
    x = torch.randn(2, 5, 7, 6)
    expected = layer(x)
    layer.to(dtype)
    torch.testing.assert_close(layer(x.to(dtype)).float(), expected, atol=0.05, rtol=0.05)
    assert layer(1e3 * x.to(dtype)).isfinite().all()


def test_every_parameter_gets_a_finite_gradient_through_the_masks():
    layer = window_attention((2, 3), shifted=True)
    layer(torch.randn(2, 6, 6, 6)).square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in layer.parameters())


def test_weights_and_settings():
    layer = window_attention((2, 3, 4), num_heads=3, full_window=(8, 7, 7), shifted=True, qkv_bias=False)
    shapes = {key: tuple(value.shape) for key, value in layer.state_dict().items()}
    assert shapes == {"qkv.weight": (18, 6), "proj.weight": (6, 6), "proj.bias": (6,), "bias_table": (1, 3, 5, 7, 3)}
    assert (layer.window, layer.full_window) == ((2, 3, 4), (8, 7, 7))
    assert "window=(2, 3, 4), shifted=True" in repr(layer)


def test_heads_must_divide_channels():
    with pytest.raises(ValueError, match="num_heads=4 .*6 channels"):
        window_attention((2, 3), num_heads=4)
