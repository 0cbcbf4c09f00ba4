"""Video models as backbones of heads on pictures, against a slow loop over clips and frames."""

import pytest
import torch

from stvit_video.dense.clip_frames import ClipFrames
from stvit_video.dense.create_dense import HEADS, map_channels
from stvit_video.dense.options import build_options
from stvit_video.models import create_model

SWIN = {"embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}
CASVIT = {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1)}
MODELS = {  # options, and frames of a time step
    "stvit_r_video_swin_tiny": (SWIN, 2),
    "video_swin_tiny": (SWIN, 2),
    "stvit_r_video_casvit_xs": (CASVIT, 1),
    "video_casvit_xs": (CASVIT, 1),
}
LITTLE = {"retinanet": {"neck_channels": 8}, "semantic_fpn": {"neck_channels": 8, "head_channels": 8}}


def model_of(name, num_frames=4):
    torch.manual_seed(0)
    return create_model(name, num_frames=num_frames, features_only=True, **MODELS[name][0]).eval()


@pytest.mark.parametrize("num_frames", [8, 4, 3, 6])
@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_each_frame_has_the_map_of_its_time_step(name, num_frames):
    model, frames, in_step = model_of(name), torch.randn(num_frames, 3, 64, 96), MODELS[name][1]
    found = ClipFrames(model, clip_frames=4)(frames)
    for number in range(num_frames):
        first = number // 4 * 4
        clip = torch.stack(
            [frames[min(place, num_frames - 1)] for place in range(first, first + 4)], dim=1
        )  # (3, 4, ...)
        for level, own in zip(model(clip[None]), found, strict=True):
            torch.testing.assert_close(own[number], level[0, :, (number - first) // in_step], atol=1e-5, rtol=1e-4)
    assert all(len(level) == num_frames for level in found)


@torch.no_grad()
def test_a_frame_sees_its_neighbours():
    backbone, frames = ClipFrames(model_of("stvit_r_video_casvit_xs"), clip_frames=4), torch.randn(8, 3, 64, 96)
    changed = frames.clone()
    changed[1] += 1.0
    moved = [not torch.equal(*pair) for pair in zip(backbone(frames)[2], backbone(changed)[2], strict=True)]
    assert moved == [True] * 4 + [False] * 4


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("stvit_")])
@pytest.mark.parametrize("head", LITTLE)
def test_heads_around_them_train_and_answer(name, head):
    model, kind = model_of(name), HEADS[head]
    options = build_options(kind.options, head=head, defaults=kind.default_options("ours"), given=LITTLE[head])
    backbone = ClipFrames(model, clip_frames=4)
    dense = kind.build(backbone, channels=map_channels(model), num_classes=2, options=options, rule="ours")
    frames, sizes = torch.randn(4, 3, 64, 96), [(64, 96)] * 4
    boxes = {"boxes": torch.tensor([[4.0, 8.0, 40.0, 50.0]]), "labels": torch.tensor([1])}
    truth = [boxes] * 4 if head == "retinanet" else torch.randint(2, (4, 64, 96))
    sum(dense.losses(frames, sizes, truth).values()).backward()
    assert [one for one, value in dense.named_parameters() if value.grad is None] == []
    dense.eval()
    with torch.no_grad():
        found = dense.detect(frames, sizes) if head == "retinanet" else dense.segment(frames, sizes)
    assert len(found) == 4


def test_clips_have_a_frame():
    with pytest.raises(ValueError, match="clip_frames=0"):
        ClipFrames(model_of("video_casvit_xs"), clip_frames=0)


def test_a_model_without_maps_is_refused_at_once():
    with pytest.raises(ValueError, match="features_only=True"):
        ClipFrames(create_model("stvit_r_video_casvit_xs", num_frames=4, **CASVIT), clip_frames=4)
