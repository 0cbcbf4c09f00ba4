import pytest
import timm
import torch
from torchvision.models.video.swin_transformer import SwinTransformer3d

from stvit_video.models import create_model, load_checkpoint

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 5, "image_size": 16, "patch_size": 4, "num_classes": 3}
CLIP = {"num_frames": 6, "tubelet_size": 2}


def images(name="deit_tiny", **options):
    torch.manual_seed(0)
    model = create_model(name, **SMALL, **options).eval()
    for parameter in model.parameters():  # gains and biases start where mistakes in them don't show
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def still(picture):
    return picture[:, :, None].expand(-1, -1, CLIP["num_frames"], -1, -1)


@pytest.mark.parametrize("options", [{}, {"generate_at": 2}, {"image_size": (12, 20)}])
def test_still_clip_of_an_inflated_dense_model_is_the_image(options):
    image = images(**{k: v for k, v in options.items() if k != "image_size"})
    video = create_model("video_deit_tiny", **SMALL | CLIP | options).eval()
    report = load_checkpoint(video, image.state_dict())
    assert set(report.inflated) == {"patch_embed.proj.weight", "temporal_pos_embed"}
    picture = torch.randn(2, 3, *((12, 20) if "image_size" in options else (16, 16)))
    torch.testing.assert_close(video(still(picture)), image(picture), rtol=1e-4, atol=1e-5)


def test_still_clip_of_an_inflated_joint_model_is_the_image():
    image = images(pool="mean", norm_after_pool=True)
    video = create_model("video_deit_tiny", **SMALL, **CLIP, base_attention="joint").eval()
    report = load_checkpoint(video, image.state_dict())
    assert set(report.inflated) == {"patch_embed.proj.weight", "pos_embed"}
    picture = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(video(still(picture)), image(picture), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("base_attention", ["frame", "joint"])
@pytest.mark.parametrize("name", ["stvit_deit_tiny", "stvit_r_deit_tiny"])
def test_still_clip_of_an_inflated_semantic_model_is_the_image(name, base_attention):
    image = images(name, generate_at=1, num_tokens=(2, 2), layer_scale_init=0.1)
    video_name = name.replace("deit", "video_deit")
    options = {"generate_at": 1, "num_tokens": (3, 2, 2), "base_attention": base_attention}
    video = create_model(video_name, **SMALL, **CLIP, **options).eval()
    report = load_checkpoint(video, image.state_dict())
    assert "blocks.1.centres" in report.inflated
    picture = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(video(still(picture)), image(picture), rtol=1e-4, atol=1e-5)


def test_still_clip_of_an_inflated_swin_is_the_image():
    options = {"embed_dim": 8, "num_heads": (1, 2, 2, 4), "depths": (2, 2, 2, 2), "image_size": 64, "num_classes": 3}
    torch.manual_seed(0)
    image, video = create_model("swin_tiny", **options).eval(), create_model("video_swin_tiny", **options).eval()
    report = load_checkpoint(video, image.state_dict())
    assert sum(key.endswith("bias_table") for key in report.inflated) == 8
    picture = torch.randn(2, 3, 64, 64)
    still = picture[:, :, None].expand(-1, -1, 16, -1, -1)
    torch.testing.assert_close(video(still), image(picture), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["swin_tiny", "casvit_xs"])
def test_classifiers_become_backbones_with_new_norms(name):
    options = {"depths": (1, 1, 3, 1), "image_size": 64}
    classifier = create_model(name, **options)
    backbone = create_model(name, **options, features_only=True)
    report = load_checkpoint(backbone, classifier.state_dict())
    assert all(key.startswith("norms.") for key in report.new)
    assert all(key.startswith(("norm.", "head.")) for key in report.unused)
    assert set(load_checkpoint(backbone, backbone.state_dict()).loaded) == set(backbone.state_dict())


def test_blocks_without_gains_have_gains_of_one():
    options = {"embed_dim": 8, "num_heads": (1, 1, 2, 2), "depths": (1, 1, 6, 1), "image_size": 32, "num_classes": 3}
    torch.manual_seed(0)
    without = create_model("stvit_r_swin_tiny", **options, block_layer_scale=None).eval()
    model = create_model("stvit_r_swin_tiny", **options).eval()
    load_checkpoint(model, without.state_dict())
    picture = torch.randn(2, 3, 32, 32)
    assert model.levels[0].blocks[0].ls1.gamma.tolist() == [1.0] * 8
    torch.testing.assert_close(model(picture), without(picture))


def test_a_head_behind_another_pooling_is_refused_unless_it_stays_new():
    image = images()
    joint = create_model("video_deit_tiny", **SMALL, **CLIP, base_attention="joint")
    with pytest.raises(ValueError, match="class token, .*mean.* pool='cls'"):
        load_checkpoint(joint, image.state_dict())
    assert load_checkpoint(joint, image.state_dict(), new_head=True).unused == ("cls_token", "head.weight", "head.bias")
    exact = create_model("video_deit_tiny", **SMALL, **CLIP, base_attention="joint", pool="cls", norm_after_pool=False)
    load_checkpoint(exact, image.state_dict())
    picture = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(exact.eval()(still(picture)), image(picture), rtol=1e-4, atol=1e-5)


def test_gains_are_all_there_or_none():
    options = {"embed_dim": 8, "num_heads": (1, 1, 2, 2), "depths": (1, 1, 6, 1), "image_size": 32}
    state = create_model("stvit_r_swin_tiny", **options).state_dict()
    del state["levels.0.blocks.0.ls1.gamma"]
    with pytest.raises(ValueError, match="1 .*missing: levels.0.blocks.0.ls1.gamma"):
        load_checkpoint(create_model("stvit_r_swin_tiny", **options), state)


def test_temporal_positions_of_a_clip_model_are_not_made_up():
    options = {**SMALL, **CLIP, "num_tokens": 8, "generate_at": 1}
    state = create_model("stvit_video_deit_tiny", **options).state_dict()
    del state["temporal_pos_embed"]
    with pytest.raises(ValueError, match="1 .*missing: temporal_pos_embed"):
        load_checkpoint(create_model("stvit_video_deit_tiny", **options), state)


@pytest.mark.parametrize("size", [64, 96, 112])
def test_windows_follow_the_rule_of_the_code_that_the_weights_come_from(size):
    """torchvision pads, then shifts, and reads biases of first cells in cut windows; timm shifts, then pads."""
    sizes = {"embed_dim": 24, "depths": [2, 2, 2, 2], "num_heads": [1, 2, 4, 8]}
    torch.manual_seed(0)
    theirs = SwinTransformer3d(patch_size=[2, 4, 4], window_size=[8, 7, 7], num_classes=5, **sizes).eval()
    picture = timm.models.SwinTransformer(img_size=size, window_size=7, num_classes=5, **sizes).eval()
    for parameter in (*theirs.parameters(), *picture.parameters()):
        torch.nn.init.normal_(parameter, std=0.2)
    options = {"num_classes": 5, "image_size": size, **sizes}
    ours, image = create_model("video_swin_tiny", num_frames=6, **options), create_model("swin_tiny", **options)
    load_checkpoint(ours, theirs.state_dict())
    load_checkpoint(image, picture.state_dict())
    again = create_model("video_swin_tiny", num_frames=6, **options).eval()
    load_checkpoint(again, ours.state_dict())
    inflated = create_model("video_swin_tiny", num_frames=6, **options).eval()
    load_checkpoint(inflated, picture.state_dict())
    x = torch.randn(1, 3, 6, size, size)
    with torch.no_grad():
        close(again(x), theirs(x))
        close(image.eval()(x[:, :, 0]), picture(x[:, :, 0]))
        close(inflated(still(x[:, :, 0])), picture(x[:, :, 0]))


def close(ours, theirs):
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()
