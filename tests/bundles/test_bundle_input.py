"""What a bundle can be given."""

import math

import numpy as np
import pytest
import torch

from stvit_video.bundles.bundle_input import given_views, is_single, read_file
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.file_record import file_record
from stvit_video.inference.test_protocol import TestProtocol

SIZES = Preprocessing(num_frames=4, frame_stride=2, short_side=20, crop_size=16)
PICTURES = Preprocessing(num_frames=1, frame_stride=1, short_side=20, crop_size=16)
TWO_CLIPS = TestProtocol.named("uniform", num_clips=2, num_crops=1)
FRAMES = np.random.default_rng(2).integers(0, 256, (25, 20, 30, 3), dtype=np.uint8)


def views(given, preprocessing=SIZES, fps=10.0):
    return given_views(given, preprocessing=preprocessing, protocol=TWO_CLIPS, fps=fps)


def test_frames_are_sampled_as_those_of_a_file():
    found = views(FRAMES)
    np.testing.assert_array_equal(found.views[1], FRAMES[[18, 20, 22, 24], 2:18, 7:23])
    assert (found.views.shape, found.seconds) == ((2, 4, 16, 16, 3), 2.5)
    np.testing.assert_array_equal(views(torch.from_numpy(FRAMES)).views, found.views)


def test_views_of_the_size_are_taken_as_they_are():
    given = FRAMES[:12, :16, :16].reshape(3, 4, 16, 16, 3)
    found = views(given)
    assert (found.views is given, list(found.same_as), math.isnan(found.seconds)) == (True, [0, 1, 2], True)


def test_a_picture_is_for_models_of_one_frame(tmp_path):
    from PIL import Image

    np.testing.assert_array_equal(views(FRAMES[0], PICTURES).views[0, 0], FRAMES[0, 2:18, 7:23])
    Image.fromarray(FRAMES[0]).save(tmp_path / "x.png")
    record = file_record(tmp_path / "x.png", num_frames=1)
    found = read_file(record, preprocessing=PICTURES, protocol=TWO_CLIPS)
    np.testing.assert_array_equal(found.views[0, 0], FRAMES[0, 2:18, 7:23])
    assert (math.isnan(found.seconds), found.same_as) == (True, [0, 0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (FRAMES / 255, r"type float64 and shape \(25, 20, 30, 3\) .*\(V, 4, 16, 16, 3\) uint8.*normalises"),
        (FRAMES[0], r"\(20, 30, 3\) is no input"),
        (FRAMES[None, :4], r"\(1, 4, 20, 30, 3\) is no input"),
        (FRAMES[..., :2], r"\(25, 20, 30, 2\) is no input"),
        (FRAMES[:0], r"\(0, 20, 30, 3\) is no input"),
        (3, "3 of type int is no input; give the path"),
        (b"a.mp4", "of type bytes is no input"),
    ],
)
def test_what_is_no_input(given, words):
    with pytest.raises(ValueError, match=words):
        views(given)


def test_one_video_or_a_list():
    assert all(map(is_single, ("a.mp4", FRAMES, torch.zeros(3), 3, b"x")))
    assert not any(map(is_single, (["a.mp4"], iter(["a.mp4"]), (FRAMES, FRAMES))))
