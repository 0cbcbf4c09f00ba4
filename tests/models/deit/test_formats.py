"""Parity with timm's DeiT and with VideoMAE, by weights that these libraries draw."""

import math

import pytest
import timm
import torch
from transformers import VideoMAEConfig, VideoMAEForPreTraining, VideoMAEForVideoClassification

from stvit_video.models import CheckpointError, create_model, load_checkpoint
from stvit_video.models.deit.formats import videomae_positions

SIZES = {"embed_dim": 24, "num_heads": 3, "depth": 4, "num_classes": 5}
CLIP = {"image_size": 48, "num_frames": 6, "patch_size": 16, "base_attention": "joint"}


def assert_equal_to_1e_4(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def shaken(module):
    """Weights that all matter: gains and biases would start at 1 and 0."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return module.eval()


@pytest.mark.parametrize(("size", "depth"), [("tiny", 12), ("small", 3), ("base", 3)])
@torch.no_grad()
def test_timm_deit(size, depth):
    torch.manual_seed(0)
    theirs = timm.create_model(f"deit_{size}_patch16_224", pretrained=False, depth=depth).eval()
    ours = create_model(f"deit_{size}", depth=depth).eval()
    report = load_checkpoint(ours, {"model": {f"module.{key}": value for key, value in theirs.state_dict().items()}})
    assert report.format == "timm DeiT"
    assert len(report.loaded) == len(theirs.state_dict())
    picture = torch.randn(1, 3, 224, 224)
    assert_equal_to_1e_4(ours(picture), theirs(picture))


@torch.no_grad()
def test_timm_deit_of_another_size():
    theirs = shaken(
        timm.models.VisionTransformer(img_size=40, patch_size=8, embed_dim=24, depth=3, num_heads=3, num_classes=7)
    )
    ours = create_model("deit_tiny", image_size=40, patch_size=8, embed_dim=24, depth=3, num_heads=3, num_classes=7)
    load_checkpoint(ours, theirs.state_dict())
    picture = torch.randn(2, 3, 40, 40)
    assert_equal_to_1e_4(ours.eval()(picture), theirs(picture))


def transformers_videomae(**changes):
    sizes = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 96}
    config = VideoMAEConfig(**sizes | {"image_size": 48, "num_frames": 6, "num_labels": 5} | changes)
    return config, shaken(VideoMAEForVideoClassification(config))


@torch.no_grad()
def test_transformers_videomae():
    _, theirs = transformers_videomae()
    ours = create_model("video_deit_base", **SIZES, **CLIP).eval()
    report = load_checkpoint(ours, theirs.state_dict())
    assert report.format == "transformers VideoMAE"
    assert report.new == report.unused == report.interpolated == ()
    clip = torch.randn(2, 3, 6, 48, 48)
    assert_equal_to_1e_4(ours(clip), theirs(clip.transpose(1, 2)).logits)


def to_older_names(state):
    """As transformers named the biases before its version 5."""
    return {key.replace("query.bias", "q_bias").replace("value.bias", "v_bias"): value for key, value in state.items()}


def to_authors_names(state):
    """As VideoMAE's own code names and joins what transformers keeps apart."""
    names = {
        "videomae.embeddings.patch_embeddings.projection": "patch_embed.proj",
        "videomae.encoder.layer": "blocks",
        "attention.output.dense": "attn.proj",
        "intermediate.dense": "mlp.fc1",
        "output.dense": "mlp.fc2",
        "layernorm_before": "norm1",
        "layernorm_after": "norm2",
        "attention.attention.query.bias": "attn.q_bias",
        "attention.attention.value.bias": "attn.v_bias",
        "classifier": "head",
    }
    authors, parts = {}, {}
    for key, value in state.items():
        for theirs, other in names.items():
            key = key.replace(theirs, other)
        if ".attention.attention." in key:
            parts.setdefault(key.split(".attention.")[0], {})[key.split(".")[-2]] = value
        else:
            authors[key] = value
    joined = {f"{block}.attn.qkv.weight": torch.cat([p["query"], p["key"], p["value"]]) for block, p in parts.items()}
    return authors | joined


@pytest.mark.parametrize("wrapper", ["module", "model"])
@torch.no_grad()
def test_authors_videomae(wrapper):
    _, theirs = transformers_videomae()
    ours = create_model("video_deit_base", **SIZES, **CLIP).eval()
    report = load_checkpoint(ours, {wrapper: to_authors_names(theirs.state_dict()), "epoch": 3})
    assert report.format == "VideoMAE"
    clip = torch.randn(2, 3, 6, 48, 48)
    assert_equal_to_1e_4(ours(clip), theirs(clip.transpose(1, 2)).logits)


@torch.no_grad()
def test_older_names_of_transformers_load_alike():
    _, theirs = transformers_videomae()
    ours, older = (create_model("video_deit_base", **SIZES, **CLIP).eval() for _ in range(2))
    load_checkpoint(ours, theirs.state_dict())
    load_checkpoint(older, to_older_names(theirs.state_dict()))
    clip = torch.randn(1, 3, 6, 48, 48)
    assert torch.equal(ours(clip), older(clip))


def test_pretraining_gives_its_encoder_to_a_model_with_a_new_head():
    config, _ = transformers_videomae()
    pretrained = shaken(VideoMAEForPreTraining(config))
    ours = create_model("video_deit_base", **SIZES, **CLIP)
    report = load_checkpoint(ours, pretrained.state_dict())
    assert set(report.new) == {"head.weight", "head.bias", "norm.weight", "norm.bias"}
    theirs = pretrained.videomae.encoder.layer[3].intermediate.dense.weight
    assert torch.equal(ours.blocks[3].mlp.fc1.weight, theirs)
    authors = {f"encoder.{key}": value for key, value in to_authors_names(pretrained.state_dict()).items()}
    authors = {key: value for key, value in authors.items() if "decoder" not in key} | {
        "decoder.head.weight": torch.zeros(1),
        "mask_token": torch.zeros(1),
        "encoder_to_decoder.weight": torch.zeros(1),
    }
    del authors["encoder.mask_token"]
    again = create_model("video_deit_base", **SIZES, **CLIP)
    assert load_checkpoint(again, {"model": authors}).new == report.new
    assert torch.equal(again.blocks[3].mlp.fc1.weight, theirs)


def test_videomae_fills_a_semantic_model():
    _, theirs = transformers_videomae()
    ours = create_model("stvit_video_deit_base", **SIZES, **CLIP, generate_at=1, num_tokens=8)
    report = load_checkpoint(ours, theirs.state_dict())
    assert all(key.endswith((".gamma", ".centres")) for key in report.new)
    assert torch.equal(ours.head.weight, theirs.classifier.weight)


def test_videomae_is_not_for_models_that_see_single_frames():
    _, theirs = transformers_videomae()
    ours = create_model(
        "stvit_video_deit_base", **SIZES, **CLIP | {"base_attention": "frame"}, generate_at=1, num_tokens=4
    )
    with pytest.raises(CheckpointError, match="transformers VideoMAE .* base_attention='joint'"):
        load_checkpoint(ours, theirs.state_dict())


def test_a_norm_behind_the_mean_needs_a_model_with_one():
    _, theirs = transformers_videomae()
    ours = create_model("video_deit_base", **SIZES, **CLIP, norm_after_pool=False)
    with pytest.raises(CheckpointError, match="fc_norm.* norm_after_pool=True"):
        load_checkpoint(ours, theirs.state_dict())


def test_a_head_on_the_first_token_is_refused():
    _, theirs = transformers_videomae(use_mean_pooling=False)
    ours = create_model("video_deit_base", **SIZES, **CLIP)
    message = (  # the whole sentence, once for its family
        r"^this VideoMAE classifies its first token \(it has a head and no fc_norm\), our models the mean over all "
        "tokens; give a checkpoint that was fine-tuned with mean pooling, or one without a head$"
    )
    for state in (theirs.state_dict(), to_authors_names(theirs.state_dict())):
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(ours, state)


def test_positions_against_a_loop():
    table = videomae_positions(5, 7)
    assert table.shape == (1, 5, 7)
    for place in range(5):
        for channel in range(7):
            angle = place / 10_000 ** (2 * (channel // 2) / 7)
            expected = math.sin(angle) if channel % 2 == 0 else math.cos(angle)
            assert table[0, place, channel].item() == pytest.approx(expected, abs=1e-6)
