"""OpenMMLab's names of a Swin, written by hand, and its merger, which joins neighbours by torch's Unfold."""

import re

import pytest
import torch
from drawn_maps import mmseg_name, shaken, three_maps, tiny_segmenter
from swin_weights import LITTLE, converted, microsoft_state, shake
from torch import nn

from stvit_video.dense import load_dense
from stvit_video.models.swin.blocks import PatchMerging
from stvit_video.models.swin.openmmlab import as_microsoft, is_openmmlab
from stvit_video.models.swin.variants import swin


def openmmlab_state(model):
    """Our weights as OpenMMLab's libraries write them."""
    state = {}
    for key, value in microsoft_state(model).items():
        if key == "window_rule":
            continue
        if ".downsample." in key:
            value = joined_by_unfold(value)
        words = key.split(".")
        words[0] = {"layers": "stages", "norms": f"norm{words[1]}"}.get(words[0], words[0])
        if words[0].startswith("norm") and words[0] != "norm":
            del words[1]
        if "attn" in words:
            words.insert(words.index("attn") + 1, "w_msa")
        key = re.sub(r"mlp\.fc(\d)", lambda layer: f"ffn.layers.{['0.0', '1'][int(layer[1]) - 1]}", ".".join(words))
        state[key.replace("patch_embed.proj", "patch_embed.projection")] = value
    return state


def joined_by_unfold(weights):
    """Weights (..., 4 * C) over columns, then rows, then channels, for the order of torch's Unfold, one by one."""
    channels = weights.shape[-1] // 4
    moved = torch.empty_like(weights)
    for column in range(2):
        for row in range(2):
            for channel in range(channels):
                there = channel * 4 + row * 2 + column
                moved[..., there] = weights[..., (column * 2 + row) * channels + channel]
    return moved


@pytest.mark.parametrize("features_only", [True, False])
def test_names_there_and_back(features_only):
    model = shake(swin(video=False, num_classes=5, image_size=64, window_size=4, features_only=features_only, **LITTLE))
    theirs = openmmlab_state(model)
    assert is_openmmlab(theirs)
    assert {"stages.1.blocks.0.ffn.layers.0.0.weight", "stages.0.downsample.norm.bias"} <= set(theirs)
    assert ("norm3.weight" in theirs) == features_only
    back = converted(theirs, "OpenMMLab's Swin")
    rule = back.pop("window_rule")
    assert int(rule) == (3 if features_only else 0)
    ours = model.state_dict()
    assert set(back) == set(ours) - {"window_rule"}
    assert all(torch.equal(value, ours[key]) for key, value in back.items())


def test_a_merger_by_unfold_is_ours():
    torch.manual_seed(0)
    ours = PatchMerging(6)
    nn.init.normal_(ours.norm.weight)
    nn.init.normal_(ours.norm.bias)
    x = torch.randn(2, 8, 10, 6)
    theirs = {f"stages.0.downsample.{key}": joined_by_unfold(value) for key, value in ours.state_dict().items()}
    patches = nn.Unfold(kernel_size=2, stride=2)(x.permute(0, 3, 1, 2)).transpose(1, 2)  # (2, 4 * 5, 4 * 6)
    norm = (theirs["stages.0.downsample.norm.weight"], theirs["stages.0.downsample.norm.bias"])
    merged = nn.functional.layer_norm(patches, (24,), *norm) @ theirs["stages.0.downsample.reduction.weight"].T
    torch.testing.assert_close(ours(x).flatten(1, 2), merged)
    back = as_microsoft(theirs)
    assert all(torch.equal(back[f"layers.0.downsample.{key}"], value) for key, value in ours.state_dict().items())


def test_a_upernet_of_mmsegmentation():
    options = {"backbone": "swin_tiny", "backbone_options": LITTLE, "head_rule": "mmseg"}
    theirs = shaken(tiny_segmenter("upernet", seed=1, **options))
    shake(theirs.backbone)
    theirs.backbone.load_state_dict(theirs.backbone.state_dict() | {"window_rule": torch.tensor(3)})
    state = {f"backbone.{key}": value for key, value in openmmlab_state(theirs.backbone).items()}
    for key, value in theirs.state_dict().items():
        if not key.startswith(("backbone.", "head_rule")):
            state[mmseg_name(key)] = value
    ours = tiny_segmenter("upernet", seed=2, **options).eval()
    report = load_dense(ours, {"state_dict": state, "meta": {}})
    assert report.format == "mmseg upernet"
    assert set(report.loaded) >= {key for key in ours.state_dict() if "window_rule" not in key}
    pictures, sizes, _ = three_maps()
    with torch.no_grad():
        assert torch.equal(ours.outputs(pictures, sizes)["logits"], theirs.outputs(pictures, sizes)["logits"])
