"""What torch computes of frames: the same as for a single central view of a video, or of a clip of floats."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from short_models import preprocessing_of, short_model
from streamed_clips import distinct_frames, long_model

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.streaming.step_models import StepModel
from stvit_video.streaming.torch_steps import TorchSteps, steps_of

NAME = "stvit_video_deit_tiny"


def bytes_of(num_frames, height, width):
    return np.random.default_rng(7).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def steps():
    return TorchSteps(*long_model(NAME))


def test_it_is_a_step_model(steps):
    assert isinstance(steps, StepModel)
    assert (steps.classes, steps.multi_label) == (("0", "1", "2"), False)
    assert (steps.frames_per_step, steps.num_frames, steps.generate_at) == (2, 16, 1)


@pytest.mark.parametrize("sizes", [(20, 30), (30, 20), (20, 20), (7, 40)])
def test_bytes_are_seen_as_the_checkpoint_sees_a_video(tiny_run, sizes):
    trained = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1, frame_stride=1)
    steps, frames = steps_of(trained), bytes_of(4, *sizes)
    assert (steps.classes, steps.preprocessing) == (trained.classes, trained.preprocessing)
    seen = steps.preprocess(steps.checked(frames))
    assert seen.shape == (4, 3, 16, 16)
    logits = steps.decide(steps.encode(seen))
    np.testing.assert_allclose(logits, trained.logits(frames)[0], atol=1e-5, rtol=1e-5)
    assert torch.equal(steps.preprocess(steps.checked(torch.from_numpy(frames))), seen)
    assert torch.equal(steps.preprocess(steps.checked(frames[::-1])), seen.flip(0))  # torch can't look into this one


def test_the_crop_is_that_of_the_protocol(tiny_run):
    trained = load_recognizer(
        tiny_run.checkpoint, device="cpu", protocol="mvit", num_clips=1, num_crops=1, crop_size=16, short_side=19
    )
    frames = bytes_of(4, 19, 24)
    seen = steps_of(trained).preprocess(torch.from_numpy(frames))
    pixels = torch.from_numpy(frames[:, 2:18, 4:20]).permute(0, 3, 1, 2)  # this project rounds half a pixel up
    torch.testing.assert_close(seen, (pixels / 255 - 0.5) / 0.25)


def test_floats_pass_with_time_first(steps):
    frames = distinct_frames(NAME, 3)
    for given in (frames, frames.numpy(), frames.double()):
        checked = steps.checked(given)
        assert checked.shape == (3, 3, 16, 16)
        seen = steps.preprocess(checked)
        assert seen.dtype == torch.float32
        assert torch.equal(seen, frames.movedim(1, 0))
    assert len(steps.checked(frames[:, :0])) == len(steps.checked(bytes_of(0, 5, 7))) == 0


def with_value(value):
    frames = distinct_frames(NAME, 2)
    frames[1, 0, 3, 5] = value
    return frames


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (torch.zeros(4, 2, 16, 16), r"shape \(4, 2, 16, 16\) .*floats are \(3, n, 16, 16\)"),
        (torch.zeros(3, 2, 16, 18), r"shape \(3, 2, 16, 18\) .*floats are \(3, n, 16, 16\)"),
        (torch.zeros(1, 3, 2, 16, 16), r"shape \(1, 3, 2, 16, 16\) .*floats are"),
        (torch.zeros(2, 16, 16, 3), r"shape \(2, 16, 16, 3\) .*bytes are \(n, H, W, 3\) uint8"),
        (np.zeros((3, 2, 16, 16), dtype=np.uint8), r"uint8 and shape \(3, 2, 16, 16\) .*bytes are"),
        (bytes_of(1, 16, 16)[0], r"^an array of type uint8 and shape \(16, 16, 3\) .*; push frame\[None\]$"),
        (np.zeros((16, 16, 3)), r"^an array of type float64 and shape \(16, 16, 3\) .*; push frame\[None\]$"),
        (
            list(bytes_of(2, 5, 7)),
            r"^a list of 2, the first an array of .* \(5, 7, 3\), came .*; push np\.stack\(frames\)$",
        ),
        (np.zeros((2, 16, 16, 3), dtype=np.int64), r"type int64 .*bytes are \(n, H, W, 3\) uint8"),
        (np.zeros((2, 16, 16, 3), dtype="U1"), "<U1 .*bytes are"),
        (np.zeros((2, 16, 16, 3), dtype=object), "object .*bytes are"),
        ([1, 2], r"\[1, 2\] of type list .*bytes are"),
        ("video.mp4", "'video.mp4' of type str .*bytes are"),
        (None, "None of type NoneType .*bytes are"),
        (with_value(float("nan")), "NaN or infinite"),
        (with_value(float("inf")), "NaN or infinite"),
        (with_value(255.0), "to 255, and normalised ones are in .*push bytes"),
    ],
)
def test_what_is_no_frames(steps, frames, said):
    with pytest.raises(ValueError, match=said):
        steps.checked(frames)


def test_bytes_as_floats_are_known_by_their_values(steps):
    floats = torch.from_numpy(bytes_of(2, 16, 16)).float().permute(3, 0, 1, 2)  # (3, 2, 16, 16)
    with pytest.raises(ValueError, match="floats from .* normalise them as in training, or push bytes"):
        steps.checked(floats)


def test_a_model_in_training_is_an_error_then_and_later():
    model, sizes = long_model(NAME)
    with pytest.raises(ValueError, match=r"call its eval\(\)"):
        TorchSteps(model.train(), sizes)
    steps = TorchSteps(model.eval(), sizes)
    model.train()
    with pytest.raises(ValueError, match=r"call its eval\(\)"):
        steps.checked(distinct_frames(NAME, 2))


@pytest.mark.parametrize(
    "name", ["stvit_video_swin_tiny", "video_deit_tiny", "stvit_deit_tiny", "video_casvit_xs", "deit_tiny"]
)
def test_other_models_are_told_which_can(name):
    with pytest.raises(ValueError, match=r"step by step: .*stvit_video_deit_ .*stvit_video_casvit_"):
        steps_of(short_model(name), preprocessing_of(name))


def test_what_is_no_model_or_lacks_what_it_is_fed_with(tiny_run):
    model, sizes = long_model(NAME)
    with pytest.raises(ValueError, match="give preprocessing"):
        steps_of(model)
    with pytest.raises(ValueError, match="preprocessing is for a bare model"):
        steps_of(load_recognizer(tiny_run.checkpoint, device="cpu"), sizes)
    with pytest.raises(ValueError, match="Linear can't be streamed; give .*stvit_video_casvit_ .*streaming=true"):
        steps_of(torch.nn.Linear(2, 3), sizes)
    with pytest.raises(ValueError, match="num_frames=5 .* 2 frames of a tubelet"):
        steps_of(model, replace(sizes, num_frames=5))


def test_the_range_of_floats_is_that_of_the_normalisation():
    model, sizes = long_model(NAME)
    wide = Preprocessing(**{**sizes.to_dict(), "mean": (0.5,) * 3, "std": (0.01,) * 3})
    frames = distinct_frames(NAME, 2) * 50
    assert len(TorchSteps(model, wide).checked(frames)) == 2
    with pytest.raises(ValueError, match=r"\+-2\.64"):
        TorchSteps(model, sizes).checked(frames)
