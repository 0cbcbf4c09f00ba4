"""Weights of other projects through our Swin: outputs must be theirs, to 1e-4 of the largest."""

import json
import re

import numpy as np
import pytest
import timm
import torch
from golden_files import GOLDEN, golden_fill
from swin_weights import LITTLE, converted, microsoft_state, shake
from timm.models.swin_transformer import SwinTransformer
from torch.nn import functional as F
from torchvision.models import swin_t
from torchvision.models.swin_transformer import SwinTransformer as TorchvisionSwin
from torchvision.models.video import swin3d_b, swin3d_s, swin3d_t
from torchvision.models.video.swin_transformer import SwinTransformer3d

from stvit_video.layers.window_attention import relative_positions
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.swin.formats import FORMATS, window_of
from stvit_video.models.swin.variants import swin

SIZES = {
    "tiny": {"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)},
    "small": {"embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)},
    "base": {"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
}
STVIT_R = {
    "reducer": "semantic",
    "recover": True,
    "conv_stem": True,
    "generate_shortcut": False,
    "global_centers": False,
    "block_layer_scale": 1e-5,
}


def assert_same(ours, theirs):
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def assert_parity(reference, name, shape, **options):
    """Our model with the reference's weights gives its logits."""
    model = swin(num_classes=5, **options).eval()
    model.load_state_dict(converted(shake(reference).state_dict(), name))
    x = torch.randn(shape)
    with torch.no_grad():
        assert_same(model(x), reference(x))


@pytest.mark.parametrize("size", ["tiny", "small", "base"])
def test_timm(size):
    reference = timm.create_model(f"swin_{size}_patch4_window7_224", num_classes=5)
    assert_parity(reference, "timm Swin", (1, 3, 224, 224), video=False, **SIZES[size])


@pytest.mark.parametrize(("image_size", "window"), [(56, 7), (64, 4), (96, 3)])
def test_timm_of_other_sizes(image_size, window):
    """Levels of one window, of several, and (at 56 pixels and window 7) of a grid smaller than the window."""
    reference = SwinTransformer(img_size=image_size, window_size=window, num_classes=5, **LITTLE)
    shape, options = (2, 3, image_size, image_size), {"image_size": image_size, "window_size": window}
    assert_parity(reference, "timm Swin", shape, video=False, **options, **LITTLE)


def test_timm_with_windows_cut_to_no_square():
    reference = SwinTransformer(img_size=(56, 84), window_size=7, num_classes=5, **LITTLE)
    with pytest.raises(CheckpointError, match="77 relative positions .*equal sides"):
        converted(reference.state_dict(), "timm Swin")


@pytest.mark.parametrize(
    ("build", "size", "pixels"), [(swin3d_t, "tiny", 224), (swin3d_s, "small", 112), (swin3d_b, "base", 112)]
)
def test_torchvision_video(build, size, pixels):
    reference = build(weights=None, num_classes=5)
    assert_parity(reference, "torchvision Swin", (1, 3, 4, pixels, pixels), video=True, **SIZES[size])


@pytest.mark.parametrize("frames_and_pixels", [(6, 112, 168), (10, 76, 92), (22, 64, 60)])
def test_torchvision_video_of_sizes_that_windows_do_not_divide(frames_and_pixels):
    """Frames of less than, and more than, a window; heights and widths padded in every level, but none below 2."""
    reference = SwinTransformer3d(
        patch_size=[2, 4, 4], window_size=[4, 2, 2], num_classes=5, norm_layer=None, **sizes_as_lists(LITTLE)
    )
    assert_parity(
        reference, "torchvision Swin", (1, 3, *frames_and_pixels), video=True, window_size=(4, 2, 2), **LITTLE
    )


def test_torchvision_images():
    assert_parity(
        swin_t(weights=None, num_classes=5), "torchvision Swin", (1, 3, 224, 224), video=False, **SIZES["tiny"]
    )


def test_torchvision_images_of_sizes_that_windows_do_not_divide():
    reference = TorchvisionSwin(patch_size=[4, 4], window_size=[2, 3], num_classes=5, **sizes_as_lists(LITTLE))
    assert_parity(reference, "torchvision Swin", (2, 3, 76, 100), video=False, window_size=(2, 3), **LITTLE)


def sizes_as_lists(sizes):
    return {key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()}


@pytest.mark.parametrize(
    ("name", "options", "as_written"),
    [
        ("Microsoft Swin", {"video": False, "image_size": 64, "window_size": (5, 3)}, {}),
        ("official Video Swin", {"video": True, "num_frames": 6, "image_size": 64, "window_size": (2, 3, 5)}, {}),
        (
            "official Video Swin",
            {"video": True, "num_frames": 4, "image_size": (64, 96)},
            {"prefix": "backbone.", "head": "cls_head.fc_cls"},
        ),
    ],
)
def test_microsoft(name, options, as_written):
    model = shake(swin(num_classes=5, **options, **LITTLE))
    back = converted(microsoft_state(model, **as_written), name)
    assert set(back) == set(model.state_dict())
    assert int(back.pop("window_rule")) == (1 if options["video"] else 0)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in back.items())


@pytest.mark.parametrize("window", [(3, 3), (2, 5), (5, 2), (7, 1), (2, 3, 5), (4, 3, 3), (5, 3, 2), (8, 7, 7)])
def test_window_of_an_index(window):
    rows = int(np.prod([2 * size - 1 for size in window]))
    if 1 in window:  # flat tables of (7, 1) and (1, 7) are the same
        window = window[::-1]
    index = relative_positions(window)
    assert window_of(rows, index, num_axes=len(window)) == window
    assert window_of(rows, index.flatten(), num_axes=len(window)) == window
    if len(set(window)) == 1:
        assert window_of(rows, None, num_axes=len(window)) == window


def test_window_of_a_table_that_is_none():
    with pytest.raises(CheckpointError, match="65 relative positions .*equal sides"):
        window_of(65, None, num_axes=2)
    with pytest.raises(CheckpointError, match="9 relative positions .*its index"):
        window_of(9, relative_positions((3, 2)), num_axes=2)


def test_weights_of_nobody_are_not_claimed():
    ours = swin(video=False, num_classes=5, image_size=32, **LITTLE).state_dict()
    vit = timm.create_model("vit_tiny_patch16_224", num_classes=5).state_dict()
    v2 = timm.create_model("swinv2_tiny_window8_256", num_classes=5).state_dict()
    assert [form.name for state in (ours, vit, v2, {}) for form in FORMATS if form.matches(state)] == []


def test_released_stvit_r():
    """What the authors' own code answered."""
    fill, golden = golden_fill(), np.load(GOLDEN / "stvit_r_swin_small.npz")
    meta = json.loads(str(golden["meta"]))
    state = {
        name: fill.tensor_for(name, shape)
        for name, shape, dtype in meta["keys"]
        if dtype == "float32" and not name.endswith("attn_mask")
    }
    model = swin(video=False, num_classes=1000, **SIZES["small"], **STVIT_R).eval()
    model.load_state_dict(converted(state, "the authors' STViT-R"))
    image = fill.image(meta["input"]["shape"], meta["input"]["seed"])
    with torch.no_grad():
        features = model.forward_features(image)
        assert_same(features, torch.from_numpy(golden["features"]))
        assert_same(model.head(features), torch.from_numpy(golden["logits"]))


def authors_state(model):
    """Our STViT-R's weights as its authors' code writes them, 6 blocks to a unit."""
    state = {}
    for key, value in microsoft_state(model).items():
        key = re.sub(r"\.ls([12])\.gamma", r".layer_scale_\1", key)
        for ours, theirs in (("conv1", "0.c"), ("norm1", "0.bn"), ("conv2", "2.c"), ("norm2", "2.bn")):
            key = key.replace(f"patch_embed.{ours}.", f"patch_embed.proj.{theirs}.")
        match = re.fullmatch(r"layers\.2\.blocks\.(\d+)\.(.+)", key)
        if not match:
            state[key] = value
            continue
        unit, place, rest = int(match[1]) // 5, int(match[1]) % 5, match[2]
        if rest == "centres":
            state["layers.2.semantic_token2"] = value.flatten(1, 2)
            continue
        if place == 1:
            place, rest = 1 + int(rest[len("layers.")]), rest[len("layers.0.") :]
        elif place > 1:
            place += 1
        prefix = f"layers.2.blocks.{unit * 6 + place}."
        if place in (3, 4) and rest.startswith("attn.qkv"):
            split = len(value) // 3
            state[prefix + rest.replace("qkv", "q")] = value[:split]
            state[prefix + rest.replace("qkv", "kv")] = value[split:]
        else:
            state[prefix + rest] = value
    return state


@pytest.mark.parametrize(
    "options",
    [
        {"depths": (1, 1, 12, 1)},
        {"depths": (2, 1, 6, 3), "global_centers": True, "block_layer_scale": None},
        {"depths": (1, 2, 18, 1), "global_centers": True, "qkv_bias": False, "mlp_ratio": 2.0, "window_size": 5},
    ],
)
def test_stvit_r_of_other_sizes(options):
    options = {"embed_dim": 24, "num_heads": (1, 2, 3, 4), **STVIT_R, **options}
    model = shake(swin(video=False, num_classes=5, **options))
    state = authors_state(model)
    assert ("layers.2.semantic_token2" in state) == options["global_centers"]
    back = converted(state, "the authors' STViT-R")
    assert set(back) == set(model.state_dict())
    assert all(torch.equal(back[key], value) for key, value in model.state_dict().items())


def slow_block(state, prefix, queries, keys, num_heads, *, shortcut=True):
    """Attention of queries to keys and an MLP from the authors' weights, see docs/develop/design.md, "Generation"."""

    def norm(x, number):
        return F.layer_norm(x, x.shape[-1:], state[f"{prefix}norm{number}.weight"], state[f"{prefix}norm{number}.bias"])

    def linear(x, name):
        return F.linear(x, state[f"{prefix}{name}.weight"], state[f"{prefix}{name}.bias"])

    q = linear(norm(queries, 1), "attn.q").unflatten(-1, (num_heads, -1))
    k, v = (part.unflatten(-1, (num_heads, -1)) for part in linear(norm(keys, 1), "attn.kv").chunk(2, -1))
    weights = torch.softmax(torch.einsum("bqad,bkad->baqk", q, k) / q.shape[-1] ** 0.5, -1)
    x = linear(torch.einsum("baqk,bkad->bqad", weights, v).flatten(2), "attn.proj") * state[f"{prefix}layer_scale_1"]
    x = queries + x if shortcut else x
    return x + linear(F.gelu(linear(norm(x, 2), "mlp.fc1")), "mlp.fc2") * state[f"{prefix}layer_scale_2"]


def blocks_of(tokens, size):
    """(B, H, W, C) -> (B * number, size * size, C), by slices."""
    starts = [(i, j) for i in range(0, tokens.shape[1], size) for j in range(0, tokens.shape[2], size)]
    cut = [tokens[:, i : i + size, j : j + size].flatten(1, 2) for i, j in starts]
    return torch.stack(cut, dim=1).flatten(0, 1)


def grid_of(blocks, size):
    """The inverse of `blocks_of` for 2 x 2 blocks."""
    a, b, c, d = blocks.unflatten(0, (-1, 4)).unflatten(2, (size, size)).unbind(1)
    return torch.cat([torch.cat([a, b], dim=2), torch.cat([c, d], dim=2)], dim=1)


def slow_unit(state, unit, x, num_heads, *, shortcut):
    """The semantic blocks of a unit on 14 x 14 image tokens: windows of 7, 3 x 3 tokens each, keys of 10 every 4."""
    prefix = [f"layers.2.blocks.{6 * unit + place}." for place in range(6)]
    pooled = F.adaptive_max_pool2d(blocks_of(x, 7).transpose(1, 2).unflatten(2, (7, 7)), 3).flatten(2).transpose(1, 2)
    around = F.unfold(x.permute(0, 3, 1, 2), 10, stride=4).unflatten(1, (x.shape[-1], 100))  # (B, C, 100, 4)
    around = around.permute(0, 3, 2, 1).flatten(0, 1)
    s = slow_block(state, prefix[1], pooled, torch.cat([pooled, around], 1), num_heads, shortcut=shortcut)
    s = grid_of(s, 3).flatten(1, 2)
    image_tokens = x.flatten(1, 2)
    queries = s + state["layers.2.semantic_token2"] if unit == 0 and "layers.2.semantic_token2" in state else s
    s = slow_block(state, prefix[2], queries, torch.cat([s, image_tokens], 1), num_heads)
    local = blocks_of(s.unflatten(1, (6, 6)), 3)
    s = grid_of(slow_block(state, prefix[3], local, local, num_heads), 3).flatten(1, 2)
    s = slow_block(state, prefix[4], s, s, num_heads)
    return slow_block(state, prefix[5], image_tokens, s, num_heads).unflatten(1, (14, 14))


@pytest.mark.parametrize(("global_centers", "shortcut"), [(False, False), (True, False), (True, True), (False, True)])
def test_units_of_stvit_r_step_by_step(global_centers, shortcut):
    options = {**STVIT_R, "global_centers": global_centers, "generate_shortcut": shortcut}
    sizes = {"embed_dim": 4, "depths": (1, 1, 12, 1), "num_heads": (1, 1, 2, 2)}
    model = shake(swin(video=False, num_classes=5, **sizes, **options))
    level, state = model.levels[2], authors_state(model)
    x = expected = torch.randn(2, 14, 14, 16)
    with torch.no_grad():
        for unit in range(2):
            expected = slow_unit(state, unit, level.blocks[5 * unit](expected), 2, shortcut=shortcut)
        level.downsample = torch.nn.Identity()
        assert_same(level(x), expected)


def test_stvit_r_with_blocks_that_make_up_no_unit():
    model = swin(video=False, num_classes=5, image_size=64, **{**LITTLE, "depths": (1, 1, 6, 1)}, **STVIT_R)
    state = authors_state(model)
    extra = {re.sub(r"blocks\.5\.", "blocks.6.", key): v for key, v in state.items() if "layers.2.blocks.5." in key}
    with pytest.raises(CheckpointError, match="block 6 of level 2 .*no unit"):
        converted({**state, **extra}, "the authors' STViT-R")
    headless = {key: value for key, value in state.items() if "layers.2.blocks.0." not in key}
    with pytest.raises(CheckpointError, match="block 1 of level 2 .*no unit"):
        converted(headless, "the authors' STViT-R")


def test_keys_that_nobody_knows_stay():
    model = swin(video=False, num_classes=5, image_size=64, **{**LITTLE, "depths": (1, 1, 6, 1)}, **STVIT_R)
    state = authors_state(model) | {
        "absolute_pos_embed": torch.zeros(2),
        "layers.2.semantic_token2": torch.zeros(1, 7, 3),
    }
    back = converted(state, "the authors' STViT-R")
    assert set(back) - set(model.state_dict()) == {"absolute_pos_embed", "levels.2.semantic_token2"}
