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

CLIP = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3, "image_size": 32}


def golden(name):
    """A checkpoint in the authors' format, and what it answers to which picture."""
    fill = golden_fill()
    file = np.load(GOLDEN / f"{name}.npz")
    meta = json.loads(str(file["meta"]))
    keys = [(key, shape) for key, shape, dtype in meta["keys"] if "float" in dtype and not key.endswith("attn_mask")]
    state = {key: fill.tensor_for(key, shape) for key, shape in keys}
    return state, fill.image(meta["input"]["shape"], meta["input"]["seed"]), file


def timm_state(name):
    return timm.create_model(name, pretrained=False).state_dict()


STATES = {
    "timm DeiT": lambda: timm_state("deit_tiny_patch16_224"),
    "transformers VideoMAE": lambda: VideoMAEForVideoClassification(VideoMAEConfig(**CLIP)).state_dict(),
    "timm Swin": lambda: timm_state("swin_tiny_patch4_window7_224"),
    "torchvision Swin": lambda: torchvision.models.video.swin3d_t(weights=None).state_dict(),
    "the authors' STViT-R": lambda: golden("stvit_r_swin_small")[0],
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
