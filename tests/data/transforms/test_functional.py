import dataclasses

import numpy as np
import pytest
import torch
from eval_crops import eval_crops
from hypothesis import given
from hypothesis import strategies as st
from random_frames import PLAIN, as_bytes, float_resize, random_frames

from stvit_video.data.transforms.functional import (
    channels_first,
    frame_differences,
    normalise,
    random_resized_crop_box,
    resize_short_side,
)
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.seeding import seeded_generator


def test_resize_equals_interpolation_in_floating_point():
    frames = random_frames(2, 31, 47)
    resized = resize_short_side(frames.permute(0, 3, 1, 2), short_side=14)
    assert resized.shape == (2, 3, 14, 21)
    assert resized.dtype == torch.uint8
    assert (resized - float_resize(frames, (14, 21))).abs().max() <= 1.5


def test_normalise_equals_a_loop_over_channels():
    frames = random_frames(2, 5, 7).permute(0, 3, 1, 2)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.7, 0.9)
    clip = normalise(frames.transpose(0, 1), mean=mean, std=std)
    assert clip.shape == (3, 2, 5, 7)
    assert clip.is_contiguous()
    for c in range(3):
        for t in range(2):
            expected = (frames[t, c].numpy() / 255.0 - mean[c]) / std[c]
            np.testing.assert_allclose(clip[c, t].numpy(), expected, atol=1e-5)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 999))
def test_crop_box_lies_inside_and_has_about_the_area_and_ratio_asked_for(height, width, seed):
    scale, ratio = (0.2, 0.7), (0.5, 1.5)
    top, left, box_height, box_width = random_resized_crop_box(
        height, width, scale=scale, ratio=ratio, generator=seeded_generator(seed)
    )
    assert top >= 0 < box_height <= height - top
    assert left >= 0 < box_width <= width - left
    if min(height, width) > 40 and 0.7 < width / height < 1.4:  # always fits, rounding matters little
        assert 0.18 <= box_height * box_width / (height * width) <= 0.73
        assert 0.46 <= box_width / box_height <= 1.6


def test_crop_box_of_a_frame_too_long_for_any_is_central():
    settings = {"scale": (1.0, 1.0), "ratio": (0.75, 1.25)}
    assert random_resized_crop_box(20, 91, **settings, generator=seeded_generator(0)) == (0, 33, 20, 25)
    assert random_resized_crop_box(90, 15, **settings, generator=seeded_generator(0)) == (35, 0, 20, 15)


def test_crop_boxes_are_spread_over_area_and_place():
    generator = seeded_generator(7)
    boxes = [
        random_resized_crop_box(60, 80, scale=(0.1, 0.9), ratio=(0.75, 4 / 3), generator=generator) for _ in range(400)
    ]
    areas = np.array([h * w / 4800 for _, _, h, w in boxes])
    assert areas.min() < 0.13
    assert areas.max() > 0.8
    assert 0.4 < areas.mean() < 0.5  # misfits are the large ones
    assert len({(top, left) for top, left, _, _ in boxes}) > 250


@pytest.mark.parametrize(("height", "width"), [(14, 25), (33, 14)])
def test_evaluation_crops_are_cut_from_the_resized_frame(height, width):
    frames = random_frames(3, height, width)
    crops = eval_crops(frames, PLAIN, num_crops=3)
    assert crops.shape == (3, 3, 3, 11, 11)
    short, long_side = 1, (max(height, width) - 11)  # (14 - 11) // 2
    for number, at in enumerate([0, long_side // 2, long_side]):
        top, left = (short, at) if height < width else (at, short)
        expected = frames[:, top : top + 11, left : left + 11].permute(0, 3, 1, 2)
        assert torch.equal(as_bytes(crops[number]), expected.float())


def test_evaluation_resizes_before_it_crops():
    frames = random_frames(2, 28, 50)
    (clip,) = eval_crops(frames, PLAIN)
    expected = float_resize(frames, (14, 25))[..., 1:12, 7:18]
    assert (as_bytes(clip) - expected).abs().max() <= 1.5


def test_transforms_refuse_other_tensors():
    # the whole sentence, once for its family
    whole = r"^frames are torch\.float32 of shape \(2, 5, 7, 3\); needed is torch\.uint8 \(T, H, W, 3\)$"
    with pytest.raises(ValueError, match=whole):
        channels_first(torch.zeros(2, 5, 7, 3))
    with pytest.raises(ValueError, match=r"uint8 .*\(2, 3, 5, 7\); .*uint8 \(T, H, W, 3\)"):
        TrainTransform(PLAIN)(torch.zeros(2, 3, 5, 7, dtype=torch.uint8), generator=seeded_generator(0))


def test_frame_differences_by_a_slow_loop_and_a_still_clip_is_zero(finished):
    clip = torch.randn(3, 5, 2, 7)
    differences = frame_differences(clip)
    assert (differences[:, 0] == 0).all()
    for step in range(1, 5):
        torch.testing.assert_close(differences[:, step], clip[:, step] - clip[:, step - 1])
    preprocessing = Preprocessing(num_frames=4, frame_stride=1, short_side=8, crop_size=8, frame_difference=True)
    still = torch.randint(0, 256, (1, 9, 13, 3), dtype=torch.uint8).expand(4, -1, -1, -1)
    assert (eval_crops(still, preprocessing) == 0).all()
    frames = torch.randint(0, 256, (4, 9, 13, 3), dtype=torch.uint8)
    moving = finished(TrainTransform(preprocessing)(frames, generator=seeded_generator(0)), preprocessing)
    assert (moving[:, 0] == 0).all()
    assert (moving[:, 1:] != 0).any()


@pytest.mark.parametrize("kind", ["single_frame", "mean_frame"])
def test_a_static_clip_shows_one_frame_whatever_the_order_and_keeps_its_shape(finished, kind):
    preprocessing = dataclasses.replace(PLAIN, num_frames=5, static_clip=kind)
    frames = torch.randint(0, 256, (5, 30, 22, 3), dtype=torch.uint8)
    moving = eval_crops(frames, dataclasses.replace(preprocessing, static_clip="none"))
    static = eval_crops(frames, preprocessing)
    wanted = moving[..., 2, :, :] if kind == "single_frame" else sum(moving.unbind(-3)) / 5
    assert static.shape == moving.shape
    for step in range(5):
        torch.testing.assert_close(static[..., step, :, :], wanted)
    shuffled = frames[[3, 4, 2, 0, 1]]  # the middle frame stays where it is
    torch.testing.assert_close(eval_crops(shuffled, preprocessing), static)
    trained = finished(TrainTransform(preprocessing)(frames, generator=seeded_generator(0)), preprocessing)
    assert trained.shape[-3] == 5
    torch.testing.assert_close(trained, trained[..., :1, :, :].expand_as(trained))
    trained[..., 0, 0, 0] = 7.0  # frames have memory of their own, as erasing needs
    assert (trained[..., 1, 0, 0] != 7.0).all()
