import re

import pytest
import timm
import torch

from stvit_video.layers.windows import partition_windows
from stvit_video.models.deit.model import DeiT
from stvit_video.models.factory import create_model
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.tokens.reducers.random import RandomReducer
from stvit_video.tokens.reducers.tome import ToMeReducer
from stvit_video.tokens.slot import TokenSlot

SMALL = {"num_classes": 5, "embed_dim": 12, "num_heads": 3, "depth": 5, "generate_at": 2}
VIDEO = {**SMALL, "num_frames": 6, "image_size": (32, 48), "tubelet_size": 2, "patch_size": 8}


def video_model(name="stvit_video_deit_tiny", seed=0, **options):
    torch.manual_seed(seed)
    tokens = {"num_tokens": (2, 2, 3)} if name.startswith("stvit") else {}
    model = create_model(name, **{**VIDEO, **tokens, **options}).eval()
    for parameter in model.parameters():  # fresh layers are near the identity, which would hide mistakes
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("size", ["tiny", "small", "base"])
def test_deit_equals_timm(size):
    """With 3 of its 12 alike blocks; the next test has all of them."""
    reference = timm.create_model(f"deit_{size}_patch16_224", num_classes=7, depth=3).eval()
    model = create_model(f"deit_{size}", num_classes=7, depth=3).eval()
    model.load_state_dict(reference.state_dict())
    image = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(model(image), reference(image), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(model.forward_tokens(image), reference.forward_features(image), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", ["tiny", "small", "base"])
def test_deit_has_timms_weights(size):
    with torch.device("meta"):
        models = (
            timm.create_model(f"deit_{size}_patch16_224", num_classes=7),
            create_model(f"deit_{size}", num_classes=7),
        )
    reference, ours = ({key: value.shape for key, value in model.state_dict().items()} for model in models)
    assert ours == reference
    assert "blocks.11.attn.qkv.weight" in ours


def test_deit_of_another_image_size_equals_timm():
    reference = timm.create_model("deit_tiny_patch16_224", img_size=(96, 160), num_classes=3).eval()
    model = create_model("deit_tiny", image_size=(96, 160), num_classes=3).eval()
    model.load_state_dict(reference.state_dict())
    image = torch.randn(2, 3, 96, 160)
    with torch.no_grad():
        torch.testing.assert_close(model(image), reference(image), atol=1e-5, rtol=1e-5)


def test_stvit_of_images_step_by_step():
    torch.manual_seed(0)
    model = create_model("stvit_deit_tiny", image_size=(32, 40), patch_size=8, num_tokens=(2, 3), **SMALL).eval()
    image = torch.randn(2, 3, 32, 40)
    x = model.patch_embed.proj(image).flatten(2).transpose(1, 2) + model.pos_embed
    x = model.blocks[1](model.blocks[0](x))
    semantic = model.blocks[2](x.unflatten(1, (4, 5))).flatten(1, 2)
    tokens = model.norm(model.blocks[3](semantic))
    torch.testing.assert_close(model.forward_tokens(image), tokens)
    torch.testing.assert_close(model(image), model.head(tokens.mean(1)))
    assert tokens.shape == (2, 6, 12)


@pytest.mark.parametrize("base_attention", ["frame", "joint"])
@pytest.mark.parametrize("name", ["video_deit_tiny", "stvit_video_deit_tiny"])
@pytest.mark.parametrize("size", [(6, 32, 48), (4, 24, 40), (10, 40, 64)])
def test_other_sizes_than_the_model_was_made_for(name, base_attention, size):
    model = video_model(name, base_attention=base_attention)
    logits = model(torch.randn(2, 3, *size))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


def test_frame_blocks_see_their_frames_alone():
    model = video_model(num_tokens=(3, 2, 2))
    clip = torch.randn(1, 3, 6, 32, 48)
    changed = clip.clone()
    changed[:, :, 2:4] += torch.randn(1, 3, 2, 32, 48)
    before, after = model.encode_frames(clip)[0], model.encode_frames(changed)[0]
    differs = (before - after).abs().amax((0, 2, 3, 4)) > 0
    assert differs.tolist() == [False, True, False]
    moved = torch.cat([clip[:, :, 2:], clip[:, :, :2]], dim=2)
    torch.testing.assert_close(model.encode_frames(moved)[0][:, :2], before[:, 1:])


def test_joint_base_blocks_see_all_frames():
    model = video_model(base_attention="joint")
    pooled_from = []
    model.blocks[2].register_forward_pre_hook(lambda module, inputs: pooled_from.append(inputs[0]))
    clip = torch.randn(1, 3, 6, 32, 48)
    changed = clip.clone()
    changed[:, :, 2:4] += torch.randn(1, 3, 2, 32, 48)
    model(clip)
    model(changed)
    assert ((pooled_from[0] - pooled_from[1]).abs().amax((0, 2, 3, 4)) > 0).all()


@pytest.mark.parametrize("name", ["video_deit_tiny", "stvit_video_deit_tiny"])
@pytest.mark.parametrize("base_attention", ["frame", "joint"])
def test_order_of_frames_matters(name, base_attention):
    model = video_model(name, base_attention=base_attention)
    clip = torch.randn(2, 3, 6, 32, 48)
    assert (model(clip) - model(clip.flip(2))).abs().max() > 1e-3


def image_weights_for_video(image_state, video):
    """Inflation: every frame of a tubelet gets its share of the patch weights; no temporal position."""
    state = dict(video.state_dict()) | {k: v for k, v in image_state.items() if "patch_embed.proj.weight" not in k}
    weight = image_state["patch_embed.proj.weight"]
    state["patch_embed.proj.weight"] = weight[:, :, None].expand(-1, -1, 2, -1, -1) / 2
    state["temporal_pos_embed"] = torch.zeros_like(state["temporal_pos_embed"])
    return state


def test_still_clip_through_inflated_dense_model_equals_the_image_model():
    torch.manual_seed(0)
    image_model = create_model("deit_tiny", image_size=(32, 48), patch_size=8, **SMALL).eval()
    video = video_model("video_deit_tiny")
    video.load_state_dict(image_weights_for_video(image_model.state_dict(), video))
    image = torch.randn(2, 3, 32, 48)
    clip = image[:, :, None].expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(video(clip), image_model(image), atol=1e-5, rtol=1e-5)


def test_still_clip_through_inflated_joint_model_equals_the_image_model():
    torch.manual_seed(0)
    image_model = create_model("deit_tiny", image_size=(32, 48), patch_size=8, **SMALL).eval()
    video = video_model("video_deit_tiny", base_attention="joint", pool="cls")
    state = image_model.state_dict()
    state["patch_embed.proj.weight"] = state["patch_embed.proj.weight"][:, :, None].expand(-1, -1, 2, -1, -1) / 2
    state["pos_embed"] = torch.cat([state["pos_embed"][:, :1]] + 3 * [state["pos_embed"][:, 1:]], dim=1)
    video.load_state_dict(state)
    image = torch.randn(2, 3, 32, 48)
    clip = image[:, :, None].expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(video(clip), image_model(image), atol=1e-5, rtol=1e-5)


def test_still_clip_through_inflated_semantic_model_equals_the_image_model():
    torch.manual_seed(0)
    image_model = create_model("stvit_deit_tiny", image_size=(32, 48), patch_size=8, num_tokens=(2, 3), **SMALL).eval()
    video = video_model(num_tokens=(3, 2, 3))
    state = image_weights_for_video(image_model.state_dict(), video)
    centres = next(key for key in state if key.endswith("centres"))
    state[centres] = state[centres][:, None].expand(-1, 3, -1, -1, -1)
    video.load_state_dict(state)
    image = torch.randn(2, 3, 32, 48)
    clip = image[:, :, None].expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(video(clip), image_model(image), atol=1e-5, rtol=1e-5)


def test_set_num_tokens():
    model = video_model(num_tokens=(3, 2, 2))
    clip = torch.randn(2, 3, 6, 32, 48)
    original = model(clip)
    for count, shape in [(1, (1, 1, 1)), (72, (3, 4, 6)), ((2, 3, 5), (2, 3, 5))]:
        model.set_num_tokens(count)
        assert model.token_grid == TokenGrid(shape)
        assert model.forward_tokens(clip).shape == (2, TokenGrid(shape).count, 12)
    model.set_num_tokens((3, 2, 2))
    torch.testing.assert_close(model(clip), original)


def test_set_num_tokens_of_a_dense_model():
    with pytest.raises(ValueError, match="num_tokens=4 .*dense model"):
        video_model("video_deit_tiny").set_num_tokens(4)


@pytest.mark.parametrize("num_tokens", [2.5, "4", True, None])
def test_set_num_tokens_to_no_number(num_tokens):
    model = video_model()
    with pytest.raises(ValueError, match=f"num_tokens={num_tokens!r} .*no number of tokens"):
        model.set_num_tokens(num_tokens)


def test_every_parameter_gets_a_gradient():
    for name in ("video_deit_tiny", "stvit_video_deit_tiny"):
        model = video_model(name).train()
        model(torch.randn(2, 3, 6, 32, 48)).square().sum().backward()
        assert [key for key, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0] == []


def test_recovery_gives_every_image_token_back():
    model = video_model(recover=True, depth=6)
    clip = torch.randn(2, 3, 6, 32, 48)
    tokens = model.forward_tokens(clip)
    assert tokens.shape == (2, 3 * 4 * 6, 12)
    x = model.encode_frames(clip)[0] + model.temporal_pos_embed[:, :, None, None]
    semantic = model.blocks[3](model.blocks[2](x).flatten(1, -2))
    torch.testing.assert_close(tokens, model.norm(model.blocks[4](x.flatten(1, -2), semantic)))
    torch.testing.assert_close(model(clip), model.head(tokens.mean(1)))
    assert model.tokens_per_level() == (72, 12, 72)


@pytest.mark.parametrize("base_attention", ["frame", "joint"])
@pytest.mark.parametrize(("reducer", "kind"), [("random", RandomReducer), ("pool", PoolReducer), ("tome", ToMeReducer)])
def test_reducers_without_weights_fill_the_slot(reducer, kind, base_attention):
    model = video_model(reducer=reducer, base_attention=base_attention, elastic=[4, 8])
    clip = torch.randn(2, 3, 6, 32, 48)
    x, _ = model.encode_frames(clip)
    if base_attention == "frame":
        x = x + model.temporal_pos_embed[:, :, None, None]
    else:
        x = model.blocks[1](model.blocks[0](x.flatten(1, -2))).unflatten(1, (3, 4, 6))
    reducer = kind(token_grid=TokenGrid((2, 2, 3))).eval()
    tokens = reducer(x).flatten(1, -2)
    for block in model.blocks[-3:]:
        tokens = block(tokens)
    assert len(model.blocks) == 2 + 1 + 3
    torch.testing.assert_close(model.forward_tokens(clip), model.norm(tokens))
    model.set_num_tokens(5)
    assert model.forward_tokens(clip).shape == (2, 5, 12)
    model.train()(clip)
    assert model.reducers()[0].token_grid.count in (4, 8)


def test_windows_of_patches_and_of_keys():
    model = video_model(num_tokens=(3, 4, 3), token_window=(1, 2, 6), key_window=(3, 3, 6))
    generator = model.reducers()[0]
    assert (generator.window, generator.key_window, generator.tokens_per_window) == ((1, 2, 6), (3, 3, 6), (1, 2, 3))
    assert model.forward_tokens(torch.randn(2, 3, 6, 32, 48)).shape == (2, 36, 12)
    assert model.forward_tokens(torch.randn(2, 3, 4, 40, 48)).shape == (2, 2 * (3 * 2) * 3, 12)  # 2 x 3 x 1 windows
    model.set_num_tokens(12)
    assert generator.token_grid.sizes == (3, 2, 2)
    with pytest.raises(ValueError, match="num_tokens=8 .*6 windows.* multiple of 6"):
        model.set_num_tokens(8)


@pytest.mark.parametrize("name", ["video_deit_tiny", "stvit_video_deit_tiny"])
def test_the_norm_behind_the_mean(name):
    model = video_model(name, base_attention="joint", norm_after_pool=True)
    clip = torch.randn(2, 3, 6, 32, 48)
    tokens = model.mix_frames(*model.encode_frames(clip))
    torch.testing.assert_close(model.forward_features(clip), model.norm(tokens.mean(1)))
    torch.testing.assert_close(model.forward_tokens(clip), model.norm(tokens))


def test_tokens_of_each_level():
    assert video_model("video_deit_tiny").tokens_per_level() == (72,)
    assert video_model().tokens_per_level() == (72, 12)
    assert video_model(num_tokens=72).tokens_per_level() == (72,)
    assert video_model(reducer="tome", num_tokens=9, base_attention="joint").tokens_per_level() == (72, 9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("reducer", ["semantic", "random", "pool", "tome", "none"])
def test_large_values_stay_finite(reducer, dtype):
    name = "video_deit_tiny" if reducer == "none" else "stvit_video_deit_tiny"
    options = {} if reducer == "none" else {"reducer": reducer}
    model = video_model(name, **options).to(dtype)
    assert model((1e3 * torch.randn(2, 3, 6, 32, 48)).to(dtype)).isfinite().all()


@pytest.mark.parametrize("shape", [(2, 3, 32, 48), (2, 1, 6, 32, 48), (3, 6, 32, 48)])
def test_input_of_the_wrong_shape(shape):
    with pytest.raises(ValueError, match=rf"shape {re.escape(str(shape))} .*give \(B, 3, T, H, W\)"):
        video_model()(torch.zeros(shape))


@pytest.mark.parametrize("size", [(5, 32, 48), (6, 33, 48), (6, 4, 48)])
def test_input_that_patches_do_not_divide(size):
    with pytest.raises(ValueError, match=rf"size {re.escape(str(size))} .*patches of \(2, 8, 8\)"):
        video_model()(torch.zeros(1, 3, *size))


def plain_deit(plan, slot=None, pool="mean"):
    return DeiT(input_size=(8, 8), patch_size=(4, 4), embed_dim=4, num_heads=2, plan=plan, slot=slot, pool=pool)


def test_schedules_and_slots_that_do_not_go_together():
    slot = TokenSlot(token_grid=TokenGrid((1, 1)), image_grid=TokenGrid((2, 2)))
    with pytest.raises(ValueError, match="semantic block .*this model.* frame, joint"):
        plain_deit("frame semantic*2 refine")
    with pytest.raises(ValueError, match="window block .*this model.* frame, joint, semantic"):
        plain_deit("window semantic*2 refine", slot)
    with pytest.raises(ValueError, match="'frame joint' .*no few tokens"):
        plain_deit("frame joint", slot)


def test_windows_of_a_grid_and_the_model_agree_on_the_order_of_axes():
    """Time is the slowest axis of the image tokens: a window of one step is one frame pair's tokens."""
    model = video_model()
    clip = torch.randn(1, 3, 6, 32, 48)
    tokens = model.encode_frames(clip)[0]
    first = model.encode_frames(clip[:, :, :2])[0]
    torch.testing.assert_close(partition_windows(tokens, (1, 4, 6))[:1], first)


def test_input_of_another_type():
    model = video_model()
    clip = torch.randn(1, 3, 6, 32, 48)
    with pytest.raises(ValueError, match="clip is torch.uint8; .*floating point"):
        model(clip.byte())
    with pytest.raises(ValueError, match="clip is torch.float64, .*torch.float32"):
        model(clip.double())
    with pytest.raises(ValueError, match="clip is a ndarray; .*tensor"):
        model(clip.numpy())
    with pytest.raises(ValueError, match="clip is torch.float32, .*torch.bfloat16"):
        model.bfloat16()(clip)
    assert model(clip.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_input_of_any_floating_type_under_autocast(dtype):
    model = video_model()
    clip = torch.randn(1, 3, 6, 32, 48).to(dtype)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(model(clip), model(clip.float()))


def test_checks_stay_out_of_exported_and_compiled_graphs():
    model = video_model()
    clip = torch.randn(2, 3, 6, 32, 48)
    with torch.no_grad():
        expected = model(clip)
        torch.testing.assert_close(torch.export.export(model, (clip,)).module()(clip), expected)
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(clip), expected)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.compile(model, backend="eager", fullgraph=True)(clip.double())
