import pytest
import timm
import torch

from stvit_video.layers.block import CrossBlock, LayerScale, TransformerBlock


def test_block_equals_timm():
    reference = timm.models.vision_transformer.Block(12, 3, qkv_bias=True, init_values=0.7)
    for norm in (reference.norm1, reference.norm2):
        norm.eps = 1e-6
    block = TransformerBlock(12, num_heads=3, layer_scale_init=0.7)
    block.load_state_dict(reference.state_dict())
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(block(x), reference(x))


@pytest.mark.parametrize("kind", [TransformerBlock, CrossBlock])
def test_the_norms_take_their_epsilon(kind):
    default, large = kind(6, num_heads=2), kind(6, num_heads=2, norm_eps=0.25)
    assert {m.eps for m in default.modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-6}
    assert {m.eps for m in large.modules() if isinstance(m, torch.nn.LayerNorm)} == {0.25}


def test_cross_block_with_itself_as_context_equals_self_attention_block():
    cross, plain = CrossBlock(6, num_heads=2), TransformerBlock(6, num_heads=2)
    state = {k: v for k, v in cross.state_dict().items() if ".q." not in k and ".kv." not in k}
    for part in ("weight", "bias"):
        q, kv = getattr(cross.attn.q, part), getattr(cross.attn.kv, part)
        state[f"attn.qkv.{part}"] = torch.cat([q, kv])
    plain.load_state_dict(state)
    x = torch.randn(3, 7, 6)
    torch.testing.assert_close(cross(x, x), plain(x))


def test_without_attention_shortcut_the_queries_are_not_added():
    with_shortcut = CrossBlock(6, num_heads=2)
    without = CrossBlock(6, num_heads=2, attention_shortcut=False)
    without.load_state_dict(with_shortcut.state_dict())
    for block in (with_shortcut, without):
        torch.nn.init.zeros_(block.mlp.fc2.weight)
        torch.nn.init.zeros_(block.mlp.fc2.bias)
    queries, context = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    torch.testing.assert_close(without(queries, context) + queries, with_shortcut(queries, context))


def test_drop_path_covers_both_branches():
    block = TransformerBlock(6, num_heads=2, drop_path_rate=0.999999).train()
    x = torch.randn(2, 3, 6)
    torch.testing.assert_close(block(x), x)


def test_layer_scale_multiplies_channels():
    scale = LayerScale(3, init_value=0.5)
    torch.testing.assert_close(scale(torch.ones(2, 3)), torch.full((2, 3), 0.5))


def test_attention_that_is_given_takes_the_place_of_plain_attention():
    attention = torch.nn.Linear(6, 6)
    block = TransformerBlock(6, num_heads=2, attention=attention)
    x = torch.randn(2, 3, 5, 6)  # on a grid
    expected = x + attention(block.norm1(x))
    torch.testing.assert_close(block(x), expected + block.mlp(block.norm2(expected)))
    assert block.attn is attention
