import re

import pytest
import torch

from stvit_video.models.swin.model import Swin
from stvit_video.models.swin.variants import swin
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.token_reducer import TokenReducer

LITTLE = {"num_classes": 5, "embed_dim": 8, "depths": (2, 1, 6, 2), "num_heads": (1, 2, 2, 4)}
IMAGE = {"video": False, "image_size": (96, 128), "window_size": (3, 4)}
VIDEO = {"video": True, "num_frames": 8, "image_size": (64, 96), "window_size": (2, 2, 3)}
KINDS = {
    "dense": {},
    "semantic": {"reducer": "semantic"},
    "pool": {"reducer": "pool"},
    "recover": {
        "reducer": "semantic",
        "recover": True,
        "conv_stem": True,
        "generate_shortcut": False,
        "global_centers": False,
        "block_layer_scale": 1e-5,
    },
}
both = pytest.mark.parametrize("sizes", [IMAGE, VIDEO], ids=["image", "video"])
every = pytest.mark.parametrize("kind", KINDS)


def build(kind, sizes, *, seed=0, **options):
    """A model with values that hide no part of it: fresh gains are near zero, fresh tables near even."""
    torch.manual_seed(seed)
    model = swin(**{**LITTLE, **sizes, **KINDS[kind], **options}).eval()
    for key, parameter in model.named_parameters():
        parameter.data += torch.randn_like(parameter) * (1.0 if "table" in key or "gamma" in key else 0.1)
    return model


def example(sizes, batch=2):
    torch.manual_seed(1)
    frames = (sizes["num_frames"],) if sizes["video"] else ()
    return torch.randn(batch, 3, *frames, *sizes["image_size"])


@both
@every
def test_logits_features_and_tokens_belong_together(kind, sizes):
    model, x = build(kind, sizes), example(sizes)
    with torch.no_grad():
        tokens = model.forward_tokens(x)
        assert tokens.shape == (2, model.tokens_per_level()[-1], 64)
        torch.testing.assert_close(model.forward_features(x), tokens.mean(1))
        torch.testing.assert_close(model(x), model.head(tokens.mean(1)))


@both
@every
def test_tokens_per_level_are_those_that_the_last_blocks_see(kind, sizes):
    model, seen = build(kind, sizes), []
    for level in model.levels:
        level.register_forward_hook(lambda module, inputs, output: seen.append(output.flatten(1, -2).shape[1]))
    model(example(sizes))
    assert tuple(seen) == model.tokens_per_level()
    assert (kind in ("dense", "recover")) == (seen[2] == model.grid.count)


@both
@every
@pytest.mark.parametrize("size", [(6, 36, 20), (2, 4, 4), (10, 160, 100)])
def test_other_sizes_than_the_model_was_made_for(kind, sizes, size):
    model = build(kind, sizes)
    logits = model(torch.randn(2, 3, *size[0 if sizes["video"] else 1 :]))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


@both
@every
def test_a_sample_is_alone_in_its_batch(kind, sizes):
    model, x = build(kind, sizes), example(sizes, batch=3)
    with torch.no_grad():
        torch.testing.assert_close(model(x)[1:2], model(x[1:2]), atol=1e-5, rtol=1e-4)


def inflated(state, model):
    """Weights of images for clips: kernels shared out over a tubelet, tables and centres repeated over time."""
    result = {}
    for key, target in model.state_dict().items():
        value = state[key]
        if value.ndim == 4 and target.ndim == 5 and key.endswith(("bias_table", "centres")):
            value = value[:, None].expand(target.shape)
        elif value.ndim == 4 and target.ndim == 5:
            value = value[:, :, None].expand(target.shape) / target.shape[2]
        result[key] = value
    return result


@pytest.mark.parametrize("tubelet", [2, 3])
@pytest.mark.parametrize(
    ("kind", "image_tokens", "clip_tokens"),
    [("dense", None, None), ("semantic", (4, 6), (4, 4, 6)), ("recover", (2, 4), (4, 2, 4))],
)
def test_still_clip_through_inflated_weights_equals_the_image_model(kind, image_tokens, clip_tokens, tubelet):
    sizes = {"image_size": (64, 96), "tubelet_size": tubelet, "num_frames": 4 * tubelet}
    image_model = build(kind, {**sizes, "video": False}, window_size=(2, 3), num_tokens=image_tokens)
    model = build(kind, {**sizes, "video": True}, window_size=(2, 2, 3), num_tokens=clip_tokens)
    model.load_state_dict(inflated(image_model.state_dict(), model))
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        logits = model(image[:, :, None].expand(-1, -1, 4 * tubelet, -1, -1))
        torch.testing.assert_close(logits, image_model(image), atol=1e-5, rtol=1e-4)


def test_time_is_never_merged_and_mixed_by_windows_alone():
    """With windows of one step nothing passes from one tubelet to another, but the mean at the end."""
    model = build("dense", VIDEO, window_size=(1, 2, 3))
    clip = torch.randn(1, 3, 8, 64, 96)
    tokens = model.forward_tokens(clip).unflatten(1, (4, -1))
    alone = model.forward_tokens(clip[:, :, 2:4])
    torch.testing.assert_close(tokens[:, 1], alone, atol=1e-5, rtol=1e-4)


@both
@pytest.mark.parametrize("kind", ["dense", "recover"])
def test_pyramid(kind, sizes):
    plain, x = build(kind, sizes), example(sizes)
    model = build(kind, sizes, features_only=True)
    norms = {key: value for key, value in model.state_dict().items() if key.startswith("norms.")}
    assert len(norms) == 8
    shared = {key: value for key, value in plain.state_dict().items() if not key.startswith(("norm.", "head."))}
    model.load_state_dict(shared | norms)
    with torch.no_grad():
        maps, raw = model(x), plain.forward_pyramid(x)
        for i, (normed, level) in enumerate(zip(maps, raw, strict=True)):
            assert normed.shape == (2, 8 * 2**i, *model.grids[i])
            torch.testing.assert_close(normed, model.norms[i](level.movedim(1, -1)).movedim(-1, 1))
        torch.testing.assert_close(model.forward_tokens(x), maps[-1].flatten(2).transpose(1, 2))
        torch.testing.assert_close(plain.forward_tokens(x), plain.norm(raw[-1].flatten(2).transpose(1, 2)))


def test_no_pyramid_of_tokens_that_are_not_on_the_images_grid():
    message = (  # the whole sentence, once for its family
        "^a model whose semantic tokens are not brought back has no maps of the image for features_only or "
        "forward_pyramid; use a stvit_r_ model, or a dense one$"
    )
    with pytest.raises(ValueError, match=message):
        build("semantic", IMAGE, features_only=True)
    with pytest.raises(ValueError, match=message):
        build("pool", IMAGE).forward_pyramid(example(IMAGE))


@both
@pytest.mark.parametrize("kind", ["semantic", "recover"])
def test_set_num_tokens(kind, sizes):
    model, x = build(kind, sizes), example(sizes)
    original, chosen, tokens = model(x), model.token_grid, []
    finest = model.grid.count
    next(m for m in model.modules() if isinstance(m, TokenReducer)).register_forward_hook(
        lambda module, inputs, output: tokens.append(output.flatten(1, -2).shape[1])
    )
    model.set_num_tokens(finest)
    assert model.token_grid == model.grid
    assert model(x).shape == (2, 5)
    model.set_num_tokens(chosen.sizes)
    torch.testing.assert_close(model(x), original)
    assert tokens == [finest, chosen.count]


def test_elastic_counts_are_drawn_in_training_alone():
    model, image, seen = build("recover", IMAGE, num_tokens=8, elastic=[4, 8, (4, 4)]), example(IMAGE), []
    for module in model.modules():
        if isinstance(module, TokenReducer):
            module.register_forward_hook(lambda module, inputs, output: seen.append(output.flatten(1, -2).shape[1]))
    model.train()
    for _ in range(12):
        model(image)
    assert set(seen) == {4, 8, 16}
    seen.clear()
    model.eval()(image)
    assert set(seen) == {8}


@both
@every
def test_every_parameter_gets_a_gradient(kind, sizes):
    model, x = build(kind, sizes).train(), example(sizes)
    model(x).square().sum().backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0] == []


@both
@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_few_bits_and_large_inputs(kind, sizes, dtype):
    torch.manual_seed(0)
    model = swin(**LITTLE, **sizes, **KINDS[kind]).eval().to(dtype)
    logits = model(1e3 * example(sizes).to(dtype))
    assert logits.dtype == dtype
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("kind", "sizes", "depths"),
    [("semantic", IMAGE, (2, 1, 4, 1)), ("recover", VIDEO, (2, 1, 6))],
)
def test_exported_and_compiled(kind, sizes, depths):
    model, x = build(kind, sizes, depths=depths, num_heads=(1, 2, 2, 4)[: len(depths)]), example(sizes)
    with torch.no_grad():
        expected = model(x)
        torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), expected)
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(x), expected)


def test_compiled_for_one_size_and_then_another():
    """Sizes stay numbers in every graph: as symbols, torch 2.15 compiled this model for many minutes."""
    model = build("dense", IMAGE, depths=(2, 1, 1), num_heads=(1, 2, 2))
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        for size in [(24, 32), (36, 20)]:
            image = torch.randn(2, 3, *size)
            torch.testing.assert_close(compiled(image), model(image))


def test_names_of_weights():
    keys = set(build("recover", IMAGE).state_dict()) | set(build("dense", IMAGE).state_dict())
    tops = {
        "patch_embed.proj.weight",
        "patch_embed.norm.weight",
        "patch_embed.conv1.weight",
        "norm.weight",
        "head.bias",
    }
    parts = ("norm1.bias", "attn.qkv.weight", "attn.proj.bias", "attn.bias_table", "norm2.bias", "mlp.fc1.weight")
    blocks = {f"levels.1.blocks.0.{part}" for part in (*parts, "mlp.fc2.bias", "ls1.gamma", "ls2.gamma")}
    assert tops | blocks | {"levels.1.downsample.norm.bias", "levels.3.downsample.reduction.weight"} <= keys
    assert not any(key.startswith(("levels.0.downsample", "levels.2.blocks.0.ls")) for key in keys)


def test_drop_path_grows_over_all_levels():
    model = swin(**{**LITTLE, **IMAGE}, drop_path_rate=0.5)
    rates = [block.drop_path.drop_probability for level in model.levels for block in level.blocks]
    assert rates == pytest.approx([0.05 * i for i in range(11)])


def test_windows_are_cut_to_the_level_where_the_model_is_built():
    model = build("dense", {"video": True, "num_frames": 4, "image_size": (32, 64)}, window_size=(8, 7, 7))
    windows = [level.blocks[0].attn.grid_window for level in model.levels]
    assert windows == [(2, 7, 7), (2, 4, 7), (2, 2, 4), (2, 1, 2)]
    assert {level.blocks[0].attn.full_window for level in model.levels} == {(8, 7, 7)}
    assert model.grid == TokenGrid((2, 2, 4))


@pytest.mark.parametrize("kind", ["dense", "recover"])
@pytest.mark.parametrize("size", [(98, 128), (33, 33), (37, 501)])
def test_pixels_behind_the_last_patch_are_filled_up_with_zeros(kind, size):
    model, picture = build(kind, IMAGE), torch.randn(1, 3, *size)
    filled = torch.nn.functional.pad(picture, (0, -size[1] % 4, 0, -size[0] % 4))
    with torch.no_grad():
        assert torch.equal(model(picture), model(filled))


@pytest.mark.parametrize("kind", ["dense", "recover"])
@pytest.mark.parametrize("size", [(96, 2), (0, 4)])
def test_input_without_a_patch(kind, size):
    with pytest.raises(ValueError, match=rf"size {re.escape(str(size))} .*patches of \(4, 4\)"):
        build(kind, IMAGE)(torch.zeros(1, 3, *size))


@pytest.mark.parametrize("kind", ["dense", "recover"])
def test_input_that_does_not_fit(kind):
    with pytest.raises(ValueError, match=r"shape \(1, 3, 64, 96\) .*give \(B, 3, T, H, W\)"):
        build(kind, VIDEO)(torch.zeros(1, 3, 64, 96))
    with pytest.raises(ValueError, match=r"size \(3, 64, 96\) .*patches of \(2, 4, 4\)"):
        build(kind, VIDEO)(torch.zeros(1, 3, 3, 64, 96))
    with pytest.raises(ValueError, match="image is torch.float16, .*torch.float32"):
        build(kind, IMAGE)(torch.zeros(1, 3, 96, 128).half())


def test_heads_for_another_number_of_levels():
    with pytest.raises(ValueError, match=r"num_heads=\(1, 2, 2\) .*4 levels"):
        build("dense", IMAGE, num_heads=(1, 2, 2))


def test_plan_of_blocks_that_need_a_slot():
    with pytest.raises(ValueError, match="semantic block .*this model.* window, shifted"):
        Swin(
            input_size=(8, 8),
            patch_size=(4, 4),
            embed_dim=4,
            num_heads=(2, 2, 2),
            plan="window | window | semantic*2 refine",
            window=(2, 2),
        )
