"""Layer numbers against the rules of BEiT/VideoMAE (for a ViT) and SimMIM (for a Swin), written down again here."""

import re

import pytest
from torch import nn

from stvit_video.models.factory import create_model
from stvit_video.models.parameter_groups import (
    head_parameters,
    layer_depths,
    learned_reducers,
    num_layers,
    slot_parameters,
)

SMALL = {"image_size": 32, "embed_dim": 12, "num_heads": 2, "patch_size": 8, "num_classes": 3}


def vit_layer(name, *, depth):
    """BEiT's rule for a ViT of `depth` blocks."""
    if name.startswith(("cls_token", "pos_embed", "patch_embed")):
        return 0
    block = re.match(r"blocks\.(\d+)\.", name)
    return int(block[1]) + 1 if block else depth + 1


def swin_layer(name, *, depths):
    """SimMIM's rule, but that our step down stands at the begin of a level, not at the end of the one before."""
    if name.startswith("patch_embed"):
        return 0
    level = re.match(r"levels\.(\d+)\.(?:blocks\.(\d+)|downsample)\.", name)
    if not level:
        return sum(depths) + 1
    before = sum(depths[: int(level[1])])
    return before if level[2] is None else before + int(level[2]) + 1


def test_a_vit_is_numbered_as_in_videomae():
    for name, options in (("deit_tiny", {}), ("video_deit_tiny", {"num_frames": 4, "base_attention": "joint"})):
        model = create_model(name, depth=5, **SMALL, **options)
        depths = layer_depths(model)
        assert depths == {name: vit_layer(name, depth=5) for name, _ in model.named_parameters()}
        assert num_layers(model) == 5


def test_a_swin_is_numbered_as_in_simmim():
    model = create_model("video_swin_tiny", num_frames=4, image_size=64, depths=(1, 2, 3, 1), num_classes=3)
    expected = {name: swin_layer(name, depths=(1, 2, 3, 1)) for name, _ in model.named_parameters()}
    assert layer_depths(model) == expected
    assert num_layers(model) == 7


def test_the_slot_of_a_vit_takes_the_numbers_of_the_blocks_it_stands_for():
    model = create_model("stvit_video_deit_tiny", num_frames=4, depth=6, generate_at=2, num_tokens=4, **SMALL)
    depths = layer_depths(model)
    by_hand = {
        "pos_embed": 0,
        "patch_embed.proj.weight": 0,
        "blocks.1.attn.qkv.weight": 2,
        "temporal_pos_embed": 3,
        "blocks.2.layers.0.attn.q.weight": 3,
        "blocks.2.layers.1.attn.q.weight": 4,
        "blocks.2.centres": 4,
        "blocks.3.attn.qkv.weight": 5,
        "blocks.4.mlp.fc1.bias": 6,
        "norm.weight": 7,
        "head.bias": 7,
    }
    assert {name: depths[name] for name in by_hand} == by_hand
    assert list(depths) == [name for name, _ in model.named_parameters()]


def test_reducers_without_weights_have_no_layer():
    options = {"num_frames": 4, "depth": 6, "generate_at": 2, "num_tokens": 4, "reducer": "pool"}
    model = create_model("stvit_video_deit_tiny", **options, **SMALL)
    depths = layer_depths(model)
    assert depths["blocks.1.norm1.weight"] == 2
    assert depths["blocks.3.norm1.weight"] == depths["temporal_pos_embed"] == 3
    assert slot_parameters(model) == set()


def test_around_a_backbone_all_is_head():
    detector = nn.Module()
    detector.backbone = create_model("casvit_xs", image_size=32)
    detector.neck, detector.head = nn.Linear(2, 3), nn.Linear(3, 2)
    assert head_parameters(detector) == {"neck.weight", "neck.bias", "head.weight", "head.bias"}


def test_a_cas_vit_counts_mixers_attention_and_the_slot():
    options = {"num_frames": 3, "image_size": 32, "num_classes": 3, "distillation": True}
    model = create_model("stvit_r_video_casvit_xs", **options)
    depths = layer_depths(model)
    kinds = model.levels[2].kinds
    assert kinds == ("mixer", "semantic", "mixer", "recover", "refine") or "semantic" in kinds
    assert depths["stem.conv1.weight"] == 0
    assert depths["levels.1.downsample.proj.weight"] == 2
    assert depths["temporal_pos_embed"] == depths["levels.2.blocks.1.layers.0.norm1.weight"] == 6
    assert depths["levels.2.blocks.1.centres"] == 7
    assert depths["levels.3.blocks.0.norm1.weight"] == 4 + 1 + 2 + len(kinds) - 2 + 1
    assert depths["dist_head.weight"] == depths["head.weight"] == depths["norm.bias"] == num_layers(model) + 1
    assert head_parameters(model) == {"head.weight", "head.bias", "dist_head.weight", "dist_head.bias"}
    added = {index for index, kind in enumerate(kinds) if kind != "mixer"}
    found = {int(name.split(".")[3]) for name in slot_parameters(model) - {"temporal_pos_embed"}}
    assert found == added


def test_the_slots_parameters_are_what_a_dense_model_has_not():
    model = create_model("stvit_r_video_deit_tiny", num_frames=4, depth=6, generate_at=2, num_tokens=4, **SMALL)
    prefixes = {".".join(name.split(".")[:2]) for name in slot_parameters(model)}
    kinds = [f"blocks.{i}" for i, kind in enumerate(model.kinds) if kind in ("semantic", "recover")]
    assert prefixes == {*kinds, "temporal_pos_embed"}
    assert slot_parameters(create_model("deit_tiny", depth=2, **SMALL)) == set()


def test_reducers_that_learn():
    assert "semantic" in learned_reducers()
    assert not {"random", "pool", "tome", "none"} & set(learned_reducers())


def test_a_foreign_model_has_no_layers():
    with pytest.raises(ValueError, match="Linear .*parameter weight .*no known layer"):
        layer_depths(nn.Linear(2, 3))
