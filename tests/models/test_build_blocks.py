import pytest
import torch
from torch import nn

from stvit_video.layers.block import TransformerBlock
from stvit_video.models.build_blocks import Level, build_blocks, make_slot, run_blocks, slot_makers
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plan_text import block_kinds, num_layers, parse_level
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.tokens.reducers.random import RandomReducer
from stvit_video.tokens.reducers.semantic import SemanticTokenGenerator
from stvit_video.tokens.reducers.tome import ToMeReducer
from stvit_video.tokens.slot import TokenSlot

GRID = TokenGrid((6, 10))
SETTINGS = {"num_heads": 2, "mlp_ratio": 2.0, "qkv_bias": True}
SLOT = TokenSlot(token_grid=TokenGrid((4, 6)), image_grid=GRID, window=(3, 5), layer_scale_init=0.5)


class Doubled(nn.Module):
    """Stands for a block that takes the grid as it is."""

    def __init__(self, drop_path_rate):
        super().__init__()
        self.rate = drop_path_rate

    def forward(self, x):
        return 2.0 * x


def build(plan, slot=SLOT, rates=(), **settings):
    torch.manual_seed(0)
    makers = {"window": Doubled, "mixer": Doubled, **slot_makers(6, slot, **{**SETTINGS, **settings})}
    makers["joint"] = makers["refine"]
    stages = parse_level(plan)
    rates = iter(rates or [0.0] * num_layers(stages))
    blocks = build_blocks(stages, makers, rates).eval()
    assert list(rates) == []
    return blocks, block_kinds(stages)


def test_a_module_for_every_block_and_rates_for_every_layer():
    rates = [0.1 * i for i in range(8)]
    blocks, _ = build("joint*2 semantic*2 local refine recover joint", rates=rates)
    assert [type(block) for block in blocks] == [
        TransformerBlock,
        TransformerBlock,
        SemanticTokenGenerator,
        TransformerBlock,
        TransformerBlock,
        TokenRecovery,
        TransformerBlock,
    ]
    assert [m.drop_probability for m in blocks.modules() if hasattr(m, "drop_probability")] == pytest.approx(rates)


@pytest.mark.parametrize(("kind", "module"), [("random", RandomReducer), ("pool", PoolReducer), ("tome", ToMeReducer)])
def test_reducers_without_weights_take_no_rate(kind, module):
    blocks, _ = build(f"joint {kind} refine*2", rates=[0.1, 0.2, 0.3])
    assert type(blocks[1]) is module
    assert blocks[1].token_grid == SLOT.token_grid
    assert blocks[1].window == SLOT.window
    assert list(blocks[1].parameters()) == []
    assert blocks[2].drop_path.drop_probability == 0.2


def test_the_slot_says_how_tokens_are_made():
    slot = TokenSlot(
        token_grid=TokenGrid((2, 2)),
        image_grid=GRID,
        window=(3, 5),
        key_window=(4, 7),
        layer_scale_init=None,
        attention_shortcut=False,
        global_centers=False,
    )
    blocks, _ = build("joint semantic*2 refine recover", slot=slot, norm_eps=0.5, refine_layer_scale=0.25)
    generator = blocks[1]
    assert (generator.window, generator.key_window, generator.centres) == ((3, 5), (4, 7), None)
    assert [layer.attention_shortcut for layer in generator.layers] == [False, True]
    assert isinstance(generator.layers[0].ls1, nn.Identity)
    assert blocks[2].ls1.gamma.tolist() == [0.25] * 6
    assert isinstance(blocks[3].ls1, nn.Identity)
    assert {m.eps for m in blocks.modules() if isinstance(m, nn.LayerNorm)} == {0.5}


def test_only_the_first_generator_has_centres():
    blocks, _ = build("joint semantic*2 refine recover joint semantic*2 refine recover")
    assert [block.centres is None for block in blocks if isinstance(block, SemanticTokenGenerator)] == [False, True]


def test_no_maker_for_a_kind():
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match="^a plan with a semantic block does not fit this model; it has joint, mixer$"):
        build_blocks(parse_level("joint semantic*2 refine"), {"joint": Doubled, "mixer": Doubled}, iter([0.0] * 5))


def test_blocks_of_the_grid_and_of_all_tokens():
    blocks, kinds = build("window joint mixer")
    x = torch.randn(2, 6, 10, 6)
    expected = 2.0 * blocks[1](2.0 * x.flatten(1, 2)).unflatten(1, (6, 10))
    torch.testing.assert_close(run_blocks(blocks, kinds, x), expected)


@pytest.mark.parametrize("sizes", [(6, 10), (9, 5), (7, 4)])
def test_local_blocks_see_the_tokens_of_their_window(sizes):
    blocks, kinds = build("window pool local")
    x = torch.randn(2, *sizes, 6)
    pooled = blocks[1](2.0 * x)
    expected = torch.zeros_like(pooled)
    for i in range(0, pooled.shape[1], 2):  # 2 x 3 tokens of each window
        for j in range(0, pooled.shape[2], 3):
            tokens = blocks[2](pooled[:, i : i + 2, j : j + 3].flatten(1, 2))
            expected[:, i : i + 2, j : j + 3] = tokens.unflatten(1, (2, 3))
    torch.testing.assert_close(run_blocks(blocks, kinds, x), expected)


def test_local_blocks_without_windows_see_all_tokens():
    slot = TokenSlot(token_grid=TokenGrid((2, 3)), image_grid=GRID)
    blocks, kinds = build("window pool local", slot=slot)
    x = torch.randn(2, 5, 7, 6)
    expected = blocks[2](blocks[1](2.0 * x).flatten(1, 2)).unflatten(1, (2, 3))
    torch.testing.assert_close(run_blocks(blocks, kinds, x), expected)


@pytest.mark.parametrize("sizes", [(6, 10), (7, 11)])
def test_recovery_gives_back_the_grid_that_the_reducer_took(sizes):
    blocks, kinds = build("window semantic*2 local refine recover mixer pool refine recover")
    x = torch.randn(2, *sizes, 6)
    first = 2.0 * x
    tokens = run_blocks(blocks[1:4], kinds[1:4], first).flatten(1, 2)
    second = 2.0 * blocks[4](first.flatten(1, 2), tokens).unflatten(1, sizes)
    tokens = blocks[7](blocks[6](second).flatten(1, 2))
    expected = blocks[8](second.flatten(1, 2), tokens).unflatten(1, sizes)
    out = run_blocks(blocks, kinds, x)
    assert out.shape == x.shape
    torch.testing.assert_close(out, expected)


def test_one_path_for_clips():
    slot = TokenSlot(token_grid=TokenGrid((2, 2, 3)), image_grid=TokenGrid((2, 6, 5)), window=(1, 6, 5))
    blocks, kinds = build("joint semantic*2 local refine", slot=slot)
    assert run_blocks(blocks, kinds, torch.randn(2, 3, 5, 5, 6)).shape == (2, 3, 2, 3, 6)


def test_a_level_comes_down_and_runs_its_schedule():
    stages, rates = parse_level("window mixer"), iter([0.1, 0.2, 0.3])
    level = Level(stages, {"window": Doubled, "mixer": Doubled}, rates, nn.Linear(3, 5))
    x = torch.randn(2, 6, 10, 3)
    torch.testing.assert_close(level(x), 4.0 * level.downsample(x))
    assert level.kinds == ("window", "mixer")
    assert [block.rate for block in level.blocks] == [0.1, 0.2]
    assert next(rates) == 0.3


def slot_of(**options):
    return make_slot(GRID, **{"dense": False, "num_tokens": None, "default_tokens": 8, **options})


def test_slots_from_options():
    assert slot_of() == TokenSlot(token_grid=TokenGrid((2, 4)), image_grid=GRID)
    assert slot_of(num_tokens=15).token_grid.sizes == (3, 5)
    assert slot_of(num_tokens=[5, 3]).token_grid.sizes == (5, 3)
    windows = slot_of(num_tokens=24, window=[3, 5], key_window=[4, 7], global_centers=False, layer_scale_init=None)
    assert (windows.token_grid.sizes, windows.window, windows.key_window) == ((4, 6), (3, 5), (4, 7))
    assert (windows.global_centers, windows.layer_scale_init, windows.attention_shortcut) == (False, None, True)
    assert make_slot(GRID, dense=True, num_tokens=None, default_tokens=8) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dense": True, "num_tokens": 8}, "num_tokens=8 .*dense model"),
        ({"dense": True, "window": (3, 5)}, r"token_window=\(3, 5\) .*dense model"),
        ({"dense": True, "key_window": (3, 5)}, r"key_window=\(3, 5\) .*dense model"),
        ({"num_tokens": 0}, "num_tokens=0 .*60 image tokens.* 1 to 60"),
        ({"num_tokens": 61}, "num_tokens=61 .*60 image tokens"),
        ({"num_tokens": (7, 2)}, r"num_tokens=\(7, 2\) .*grid \(6, 10\)"),
        ({"window": (4, 5)}, r"windows of \(4, 5\) .*divide.* grid \(6, 10\)"),
        ({"window": (3, 5, 2)}, r"windows of \(3, 5, 2\) .*divide.* grid \(6, 10\)"),
        ({"window": 5}, "token_window=5 .*each axis, at least 1"),
        ({"window": (3, 5), "num_tokens": 6}, "num_tokens=6 .*4 windows"),
        ({"window": (3, 5), "key_window": "57"}, "key_window='57' .*each axis"),
        ({"key_window": (4, 7)}, r"key_window=\(4, 7\) needs .*token_window"),
    ],
)
def test_options_that_make_no_slot(options, message):
    with pytest.raises(ValueError, match=message):
        slot_of(**options)
