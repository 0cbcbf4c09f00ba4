import pytest
import torch
from torch import nn

from stvit_video.layers.block import TransformerBlock
from stvit_video.models.deit_blocks import block_kinds, build_blocks, init_linear
from stvit_video.tokens.generate import SemanticTokenGenerator
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.schedule import parse_schedule

STAGES = parse_schedule("frame*2 generate*2 refine recover joint")
SETTINGS = {"num_heads": 2, "mlp_ratio": 2.0, "qkv_bias": True, "layer_scale_init": 0.1}


def test_a_module_for_every_block_and_rates_for_every_layer():
    blocks = build_blocks(STAGES, 6, token_grid=TokenGrid((2, 3)), drop_path_rate=0.6, **SETTINGS)
    kinds = [
        TransformerBlock,
        TransformerBlock,
        SemanticTokenGenerator,
        TransformerBlock,
        TokenRecovery,
        TransformerBlock,
    ]
    assert [type(block) for block in blocks] == kinds
    assert block_kinds(STAGES) == ("frame", "frame", "generate", "refine", "recover", "joint")
    rates = [module.drop_probability for module in blocks.modules() if hasattr(module, "drop_probability")]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def test_generation_needs_a_token_grid():
    with pytest.raises(ValueError, match="a schedule with a generate stage needs a token_grid; give one"):
        build_blocks(STAGES, 6, token_grid=None, drop_path_rate=0.0, **SETTINGS)


def test_the_rate_that_was_given_is_named():
    with pytest.raises(ValueError, match=r"drop_path_rate=2 is not possible; it must lie in \[0, 1\)"):
        build_blocks(STAGES, 6, token_grid=TokenGrid((2, 3)), drop_path_rate=2, **SETTINGS)


@pytest.mark.parametrize("module", [nn.Linear(30, 50), nn.Conv2d(3, 50, (2, 5))])
def test_weights_are_drawn_by_fan_in_and_fan_out(module):
    torch.manual_seed(0)
    init_linear(module)
    limit = (6 / (30 + 50)) ** 0.5
    assert 0.95 * limit < module.weight.abs().max() <= limit
    assert module.bias.abs().max() == 0
