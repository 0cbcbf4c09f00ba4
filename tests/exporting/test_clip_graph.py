import numpy as np
import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.exporting.clip_graph import ClipGraph, example_frames

MEAN, STD = (0.1, 0.4, 0.5), (0.2, 0.3, 0.25)
NAME = "stvit_video_deit_tiny"


def by_hand(frames, *, static_clip="none", frame_difference=False):
    """Bytes (B, T, H, W, 3) -> normalised clips (B, 3, T, H, W), written a second time."""
    clips = (frames.numpy() / 255 - MEAN) / STD
    if static_clip == "single_frame":
        clips = np.repeat(clips[:, clips.shape[1] // 2][:, None], clips.shape[1], axis=1)
    if static_clip == "mean_frame":
        clips = np.repeat(clips.mean(1, keepdims=True), clips.shape[1], axis=1)
    if frame_difference:
        clips = np.concatenate([np.zeros_like(clips[:, :1]), clips[:, 1:] - clips[:, :-1]], axis=1)
    return torch.from_numpy(clips.transpose(0, 4, 1, 2, 3).astype(np.float32))


@pytest.mark.parametrize(
    "options",
    [{}, {"static_clip": "single_frame"}, {"static_clip": "mean_frame"}, {"frame_difference": True}],
)
def test_logits_are_those_of_the_normalised_clip(options):
    model, sizes = short_model(NAME), preprocessing_of(NAME, mean=MEAN, std=STD, **options)
    frames = example_frames(sizes, batch=3)
    before = frames.clone()
    with torch.no_grad():
        logits = ClipGraph(model, sizes)(frames)
        torch.testing.assert_close(logits, model(by_hand(frames, **options)), atol=1e-5, rtol=1e-5)
    assert logits.dtype == torch.float32
    assert logits.shape == (3, 3)
    assert torch.equal(frames, before)


def test_an_image_is_a_clip_of_one_frame():
    model, sizes = short_model("deit_tiny"), preprocessing_of("deit_tiny", mean=MEAN, std=STD)
    frames = example_frames(sizes)
    assert frames.shape == (2, 1, 16, 16, 3)
    with torch.no_grad():
        torch.testing.assert_close(ClipGraph(model, sizes)(frames), model(by_hand(frames)[:, :, 0]))


def test_a_backbone_gives_the_maps_of_its_levels():
    model, sizes = short_model("swin_tiny", features_only=True), preprocessing_of("swin_tiny", mean=MEAN, std=STD)
    frames = example_frames(sizes)
    with torch.no_grad():
        maps, expected = ClipGraph(model, sizes)(frames), model(by_hand(frames)[:, :, 0])
    assert [tuple(level.shape) for level in maps] == [(2, 8, 16, 16), (2, 16, 8, 8), (2, 32, 4, 4), (2, 64, 2, 2)]
    torch.testing.assert_close(list(maps), expected)


def test_example_frames_are_smooth_pictures_that_move():
    sizes = Preprocessing(num_frames=5, frame_stride=2, short_side=70, crop_size=61)
    frames = example_frames(sizes, batch=3, seed=4)
    assert frames.shape == (3, 5, 61, 61, 3)
    assert frames.dtype == torch.uint8
    assert torch.equal(frames, example_frames(sizes, batch=3, seed=4))
    assert not torch.equal(frames, example_frames(sizes, batch=3, seed=5))
    values = frames.float()
    spread = values.std()
    assert spread > 30  # of 255
    assert (values[:, :, 1:] - values[:, :, :-1]).abs().mean() < spread / 2  # neighbouring rows
    assert (values[:, 1:] - values[:, :-1]).abs().mean() > 10  # frames
    assert (values[:, 1:, :-12, :-6] - values[:, :-1, 12:, 6:]).abs().mean() < spread / 2  # a step later, further on
    assert (values[0] - values[1]).abs().mean() > 10
