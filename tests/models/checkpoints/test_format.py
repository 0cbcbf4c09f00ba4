"""Every foreign layout is told by its keys, and no two are taken for one another."""

import json

import numpy as np
import pytest
import timm
import torch
import torchvision
from golden_files import GOLDEN, golden_fill
from transformers import VideoMAEConfig, VideoMAEForVideoClassification

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.checkpoints.load import FORMATS
from stvit_video.models.swin.windowed import RELEASED_WINDOWS

CLIP = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3, "image_size": 32}


def golden(name):
    """A checkpoint in the authors' format, and what it answers to which picture, or to which list of them."""
    fill = golden_fill()
    file = np.load(GOLDEN / f"{name}.npz")
    meta = json.loads(str(file["meta"]))
    keys = [(key, shape) for key, shape, dtype in meta["keys"] if "float" in dtype and not key.endswith("attn_mask")]
    state = {key: fill.tensor_for(key, shape) for key, shape in keys}
    if "inputs" in meta:
        return state, [fill.image(given["shape"], given["seed"]) for given in meta["inputs"]], file
    return state, fill.image(meta["input"]["shape"], meta["input"]["seed"]), file


def microsoft_detector():
    """Keys as in the backbone of Microsoft's detectors, one block for each of two levels."""
    parts = {"attn.relative_position_bias_table": (169, 2), "attn.qkv.weight": (12, 4), "mlp.fc1.weight": (16, 4)}
    state = {f"layers.{i}.blocks.0.{part}": torch.zeros(shape) for i in range(2) for part, shape in parts.items()}
    merger = {"layers.0.downsample.reduction.weight": torch.zeros(8, 16)}
    norms = {f"norm{i}.weight": torch.ones(4 * 2**i) for i in range(2)}
    return state | merger | norms | {"patch_embed.proj.weight": torch.zeros(4, 3, 4, 4)}


def timm_state(name):
    return timm.create_model(name, pretrained=False).state_dict()


STATES = {
    "timm DeiT": lambda: timm_state("deit_tiny_patch16_224"),
    "transformers VideoMAE": lambda: VideoMAEForVideoClassification(VideoMAEConfig(**CLIP)).state_dict(),
    "timm Swin": lambda: timm_state("swin_tiny_patch4_window7_224"),
    "torchvision Swin": lambda: torchvision.models.video.swin3d_t(weights=None).state_dict(),
    "the authors' STViT-R": lambda: golden("stvit_r_swin_small")[0],
    "the authors' STViT-R detector": lambda: golden("stvit_r_swin_narrow_det")[0],
    "Microsoft Swin detector": lambda: microsoft_detector(),
    "OpenMMLab's Swin": lambda: {"stages.0.blocks.0.attn.w_msa.relative_position_bias_table": torch.zeros(169, 2)},
    "CAS-ViT": lambda: golden("casvit_xs")[0],
    "CAS-ViT, with a norm for every level": lambda: golden("casvit_xs_pyramid")[0],
}


@pytest.mark.parametrize("name", STATES)
def test_exactly_one_format_matches(name):
    state = STATES[name]()
    assert [known.name for known in FORMATS if known.matches(state)] == [name]


@pytest.mark.parametrize("name", ["stvit_deit_tiny", "swin_tiny", "stvit_r_swin_tiny", "casvit_xs", "video_deit_tiny"])
def test_our_own_names_are_nobody_elses(name):
    state = create_model(name).state_dict()
    assert [known.name for known in FORMATS if known.matches(state)] == []


def assert_close_to(ours, theirs):
    assert np.abs(ours.numpy() - theirs).max() <= 1e-4 * np.abs(theirs).max()


@torch.no_grad()
def test_golden_stvit_r():
    state, picture, answers = golden("stvit_r_swin_small")
    model = create_model("stvit_r_swin_small").eval()
    report = load_checkpoint(model, {"model": {f"module.{key}": value for key, value in state.items()}})
    assert report.format == "the authors' STViT-R"
    assert report.new == report.interpolated == ()
    assert_close_to(model.forward_features(picture), answers["features"])
    assert_close_to(model(picture), answers["logits"])


@torch.no_grad()
def test_golden_casvit():
    state, picture, answers = golden("casvit_xs")
    model = create_model("casvit_xs", distillation=True).eval()
    assert load_checkpoint(model, {"state_dict": state}).format == "CAS-ViT"
    assert_close_to(model(picture), answers["logits"])
    state, picture, answers = golden("casvit_xs_pyramid")
    backbone = create_model("casvit_xs", features_only=True).eval()
    load_checkpoint(backbone, state)
    for i, level in enumerate(backbone(picture)):
        assert_close_to(level, answers[f"p{i}"])


def narrow_detector():
    """The backbone of the released detector, with 24 channels in place of 96."""
    return create_model(
        "stvit_r_swin_small",
        features_only=True,
        embed_dim=24,
        **RELEASED_WINDOWS,
    ).eval()


@torch.no_grad()
def test_golden_stvit_r_detector():
    """Pictures that windows divide, with padding along one axis, along both, and smaller than a key window."""
    state, pictures, answers = golden("stvit_r_swin_narrow_det")
    model = narrow_detector()
    report = load_checkpoint(model, state)
    assert report.format == "the authors' STViT-R detector"
    assert report.new == report.interpolated == report.unused == ()
    assert len(pictures) == 5
    for n, picture in enumerate(pictures):
        for level, found in enumerate(model(picture)):
            assert_close_to(found, answers[f"i{n}_p{level}"])


@torch.no_grad()
def test_names_around_the_weights_of_a_detector():
    state, pictures, answers = golden("stvit_r_swin_narrow_det")
    inside = {f"backbone.{key}": value for key, value in state.items()}
    for content in (inside, {"state_dict": inside, "meta": {"epoch": 36}}):
        model = narrow_detector()
        assert load_checkpoint(model, content).format == "the authors' STViT-R detector"
        assert_close_to(model(pictures[4])[3], answers["i4_p3"])
