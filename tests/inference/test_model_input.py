"""What a caller gives becomes the views that the model is shown."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.inference.model_input import model_input
from stvit_video.inference.recognizer import load_recognizer


@pytest.fixture(scope="module")
def trained(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu")


def frames_of(path):
    with open_video(path) as video:
        return video.read(range(video.num_frames)), video.fps


def test_a_path_and_its_frames_give_the_same_views(tiny_run, trained):
    frames, fps = frames_of(tiny_run.videos[0])
    of_path = model_input(trained, tiny_run.videos[0])
    assert of_path.views.shape == (6, 3, 4, 16, 16)
    assert (of_path.file, of_path.seconds) == (tiny_run.videos[0], pytest.approx(2.5))
    for given in (frames, torch.from_numpy(frames)):
        of_frames = model_input(trained, given, fps=fps)
        assert torch.equal(of_frames.views, of_path.views)
        assert (of_frames.file, of_frames.seconds) == (None, pytest.approx(2.5))
    assert torch.equal(model_input(trained, str(tiny_run.videos[0])).views, of_path.views)


def test_the_rate_of_frames_counts(tiny_run):
    trained = load_recognizer(tiny_run.checkpoint, device="cpu", protocol="slowfast", crop_size=16, short_side=20)
    frames, fps = frames_of(tiny_run.videos[0])
    of_path = model_input(trained, tiny_run.videos[0]).views
    assert torch.equal(model_input(trained, frames, fps=fps).views, of_path)
    assert not torch.equal(model_input(trained, frames, fps=60.0).views, of_path)


def test_frames_may_be_reversed_or_read_only(tiny_run, trained):
    frames, fps = frames_of(tiny_run.videos[0])
    expected = model_input(trained, frames, fps=fps).views
    bgr = np.ascontiguousarray(frames[..., ::-1])
    assert torch.equal(model_input(trained, bgr[..., ::-1], fps=fps).views, expected)
    read_only = frames.copy()
    read_only.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(model_input(trained, read_only, fps=fps).views, expected)


def test_a_clip_is_one_view_as_it_is(trained):
    clip = torch.randn(3, 4, 16, 16, dtype=torch.float64)
    given = model_input(trained, clip)
    assert torch.equal(given.views, clip[None].float())
    assert math.isnan(given.seconds)
    assert model_input(trained, np.zeros((5, 3, 4, 16, 16), dtype=np.float32)).views.shape == (5, 3, 4, 16, 16)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "None of type NoneType"),
        (7, "7 of type int"),
        (np.zeros((4, 16, 16, 3)), r"type float64 and shape \(4, 16, 16, 3\).*\(T, H, W, 3\) uint8"),
        (np.zeros((4, 16, 16, 3), dtype=np.int64), "type int64"),
        (np.zeros((3, 4, 16, 16), dtype=np.uint8), r"uint8 and shape \(3, 4, 16, 16\).*\(3, T, H, W\) float"),
        (np.zeros((16, 16, 3), dtype=np.uint8), r"shape \(16, 16, 3\)"),
        (np.zeros((0, 16, 16, 3), dtype=np.uint8), r"shape \(0, 16, 16, 3\)"),
        (np.array(["a.mp4"]), "type <U5"),
        (np.zeros((0, 3, 4, 16, 16), dtype=np.float32), r"shape \(0, 3, 4, 16, 16\)"),
        (torch.zeros(2, 4, 16, 16), r"shape \(2, 4, 16, 16\)"),
    ],
)
def test_what_is_no_input(trained, given, words):
    with pytest.raises(ValueError, match=words):
        model_input(trained, given)


def test_what_can_not_be_read(trained, tmp_path: Path):
    with pytest.raises(DecodeError, match=r"absent\.mp4"):
        model_input(trained, tmp_path / "absent.mp4")
    with pytest.raises(ValueError, match="fps"):
        model_input(trained, np.zeros((4, 16, 16, 3), dtype=np.uint8), fps=0)
