import pytest
import torch
from torch.nn import functional as F

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.checkpoints.convert import fit_state
from stvit_video.models.checkpoints.grids import PositionGrid, spread_kernel

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 5, "image_size": 16, "patch_size": 4, "num_classes": 3}
CLIP = {"num_frames": 6, "tubelet_size": 2}


def test_a_spread_kernel_answers_a_still_clip_as_the_picture():
    kernel, picture = torch.randn(5, 2, 3, 3), torch.randn(1, 2, 7, 8)
    clip = picture[:, :, None].expand(-1, -1, 4, -1, -1)
    answer = F.conv3d(clip, spread_kernel(kernel, 4))
    torch.testing.assert_close(answer[:, :, 0], F.conv2d(picture, kernel), rtol=1e-4, atol=1e-5)


def fit_positions(table, then, now):
    target = torch.zeros(1, now.num_class_tokens + 24, table.shape[2])
    state = {"pos_embed": table, "cls_token": torch.zeros(1, 1, table.shape[2])}
    model = torch.nn.Module()
    model.pos_embed, model.cls_token = torch.nn.Parameter(target), torch.nn.Parameter(state["cls_token"])
    return fit_state(state, model, grid_then=then, grid_now=now)


def test_positions_are_resized_behind_the_class_row():
    table = torch.randn(1, 1 + 3 * 5, 7)
    fit = fit_positions(table, PositionGrid((3, 5), 1), PositionGrid((4, 6), 1))
    image = table[:, 1:].reshape(1, 3, 5, 7).permute(0, 3, 1, 2)
    expected = F.interpolate(image, size=(4, 6), mode="bicubic").permute(0, 2, 3, 1).reshape(1, 24, 7)
    torch.testing.assert_close(fit.state["pos_embed"], torch.cat([table[:, :1], expected], dim=1))
    assert fit.interpolated == ["pos_embed"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (PositionGrid((3, 5), 1), PositionGrid((4, 6), 0)),
        (PositionGrid((5, 3, 1), 1), PositionGrid((4, 6), 1)),
        (PositionGrid((5, 7), 1), PositionGrid((4, 6), 1)),
    ],
)
def test_positions_of_another_kind_are_left(then, now):
    table = torch.zeros(1, 16, 7)
    fit = fit_positions(table, then, now)
    assert fit.state["pos_embed"] is table
    assert fit.interpolated == []


def test_grids_of_as_many_rows_are_still_other_grids():
    table = torch.randn(1, 1 + 24, 3)
    fit = fit_positions(table, PositionGrid((3, 8), 1), PositionGrid((4, 6), 1))
    assert fit.state["pos_embed"].shape == (1, 25, 3)
    assert not torch.equal(fit.state["pos_embed"], table)


def test_positions_of_foreign_images_are_over_a_square():
    trained, model = (
        create_model("deit_tiny", **SMALL).eval(),
        create_model("deit_tiny", **SMALL | {"image_size": (12, 24)}),
    )
    report = load_checkpoint(model, {"state_dict": {f"module.{k}": v for k, v in trained.state_dict().items()}})
    assert report.interpolated == ("pos_embed",)
    picture = torch.randn(1, 3, 12, 24)
    torch.testing.assert_close(model.eval()(picture), trained(picture), rtol=1e-4, atol=1e-5)


def test_temporal_positions_are_resized_linearly():
    model = create_model("video_deit_tiny", **SMALL | CLIP | {"num_frames": 8}, generate_at=1)
    short = create_model("video_deit_tiny", **SMALL | CLIP | {"num_frames": 4}, generate_at=1)
    with torch.no_grad():
        short.temporal_pos_embed.copy_(torch.tensor([0.0, 10.0])[None, :, None].expand(1, 2, 8))
    report = load_checkpoint(model, short.state_dict())
    assert report.interpolated == ("temporal_pos_embed",)
    assert model.temporal_pos_embed[0, :, 0].tolist() == [0.0, 2.5, 7.5, 10.0]


def test_positions_of_a_picture_are_never_taken_for_those_of_a_clip():
    """12 x 12 patches are as many as 4 x 6 x 6."""
    trained = create_model("deit_tiny", **SMALL | {"image_size": 48}, pool="mean").eval()
    joint = {"base_attention": "joint", "num_frames": 8, "image_size": 24, "norm_after_pool": False}
    model = create_model("video_deit_tiny", **SMALL | joint)
    report = load_checkpoint(model, trained.state_dict())
    assert set(report.inflated) == {"pos_embed", "patch_embed.proj.weight"}
    small = create_model("deit_tiny", **SMALL | {"image_size": 24}, pool="mean")
    load_checkpoint(small, {"model": trained.state_dict()} | {})
    expected = small.pos_embed.unflatten(1, (1, 6, 6)).expand(-1, 4, -1, -1, -1).flatten(1, 3)
    torch.testing.assert_close(model.pos_embed, expected)
