import dataclasses

import pytest
import torch
from eval_crops import eval_crops
from random_frames import PLAIN, as_bytes, cropped, float_resize, random_frames

from stvit_video.data.transforms.functional import random_resized_crop_box
from stvit_video.data.transforms.pixel_augment import PixelAugment
from stvit_video.data.transforms.train_transform import CroppedClip, TrainTransform
from stvit_video.utils.seeding import seeded_generator


def test_whole_square_box_gives_the_plain_resize():
    frames = random_frames(3, 29, 29)
    transform = TrainTransform(PLAIN, scale=(1.0, 1.0), ratio=(1.0, 1.0), flip_probability=0.0)
    clip = cropped(transform, frames, generator=seeded_generator(1))
    assert clip.shape == (3, 3, 11, 11)
    assert (as_bytes(clip) - float_resize(frames, (11, 11))).abs().max() <= 1.5


@pytest.mark.parametrize("crop", ["random_resized", "random", "centre"])
def test_all_frames_of_a_clip_are_treated_alike(crop):
    frame = random_frames(1, 23, 37)
    transform = TrainTransform(PLAIN, crop=crop)
    for seed in range(5):
        clip = cropped(transform, frame.expand(4, -1, -1, -1), generator=seeded_generator(seed))
        alone = cropped(transform, frame, generator=seeded_generator(seed))
        assert torch.equal(clip, alone.expand(-1, 4, -1, -1))


def test_random_crop_is_a_square_of_the_resized_frame_anywhere():
    frames = random_frames(2, 14, 17)  # the short side is right already
    corners = set()
    for seed in range(60):
        transform = TrainTransform(PLAIN, crop="random", flip_probability=0.0)
        clip = as_bytes(cropped(transform, frames, generator=seeded_generator(seed))).permute(0, 2, 3, 1)
        found = [
            (top, left)
            for top in range(4)
            for left in range(7)
            if torch.equal(clip, frames[:, top : top + 11, left : left + 11].float())
        ]
        assert len(found) == 1
        corners.update(found)
    assert len(corners) > 20


def test_centre_crop_in_training_equals_that_of_evaluation(finished):
    frames = random_frames(3, 23, 37)
    preprocessing = dataclasses.replace(PLAIN, mean=(0.1, 0.2, 0.3), std=(0.5, 0.7, 0.9))
    transform = TrainTransform(preprocessing, crop="centre", flip_probability=0.0)
    clip = finished(transform(frames, generator=seeded_generator(0)), preprocessing)
    assert torch.equal(clip, eval_crops(frames, preprocessing)[0])


def test_flip_mirrors_left_and_right_as_often_as_asked():
    frames = random_frames(2, 14, 14)

    def clip(flip_probability: float, seed: int = 0) -> torch.Tensor:
        transform = TrainTransform(PLAIN, crop="centre", flip_probability=flip_probability)
        return cropped(transform, frames, generator=seeded_generator(seed))

    always = clip(1.0)
    assert torch.equal(always, clip(0.0).flip(3))
    sometimes = [clip(0.25, seed) for seed in range(200)]
    assert 30 <= sum(torch.equal(one, always) for one in sometimes) <= 72  # 50 expected, deviation 6.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": (0.0, 1.0)}, r"scale=\(0\.0, 1\.0\) .*0 < smallest"),
        ({"scale": (0.5, 1.2)}, r"scale=\(0\.5, 1\.2\) .*largest <= 1\b"),
        ({"ratio": (2.0, 1.0)}, r"ratio=\(2\.0, 1\.0\) .*smallest <= largest"),
    ],
)
def test_train_transform_refuses_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainTransform(PLAIN, **settings)


@pytest.mark.parametrize("seed", range(6))
def test_the_plain_transform_draws_a_box_then_a_flip_and_nothing_else(seed):
    frames = random_frames(3, 31, 47)
    generator, same = seeded_generator(seed), seeded_generator(seed)
    clip = cropped(TrainTransform(PLAIN), frames, generator=generator)
    top, left, height, width = random_resized_crop_box(31, 47, scale=(0.08, 1), ratio=(3 / 4, 4 / 3), generator=same)
    expected = float_resize(frames[:, top : top + height, left : left + width], (11, 11))
    if float(torch.rand((), generator=same)) < 0.5:
        expected = expected.flip(-1)
    assert (as_bytes(clip) - expected).abs().max() <= 1.5
    assert torch.equal(generator.get_state(), same.get_state())


def test_short_side_jitter_draws_the_size_before_the_crop():
    frames = torch.arange(0, 200, 5, dtype=torch.uint8).view(1, 1, 40, 1).expand(2, 40, 40, 3)  # 5 levels a pixel
    transform = TrainTransform(PLAIN, crop="random", short_side_jitter=(12, 16), flip_probability=0.0)
    steps = set()
    for seed in range(60):
        clip = as_bytes(cropped(transform, frames, generator=seeded_generator(seed)))
        step = float(clip[0, 0, 5, 9] - clip[0, 0, 5, 2]) / 7  # levels a pixel: 5 * 40 / short side
        steps.add(round(200 / step))
        assert torch.equal(clip[0], clip[1])
    assert steps == {12, 13, 14, 15, 16}
    fixed = TrainTransform(PLAIN, crop="random", short_side_jitter=(14, 14))
    plain = TrainTransform(PLAIN, crop="random")
    found, expected = (cropped(one, frames, generator=seeded_generator(1)) for one in (fixed, plain))
    assert torch.equal(found, expected)


@pytest.mark.parametrize("crop", ["random_resized", "random"])
def test_every_augmentation_treats_all_frames_alike_and_depends_on_the_generator_alone(crop):
    pixels = PixelAugment(colour_jitter=0.4, hue_jitter=0.1, rand_augment="rand-m7-n4-mstd0.5-inc1")
    transform = TrainTransform(PLAIN, crop=crop, pixels=pixels)
    frame = random_frames(1, 23, 37)
    clips = []
    for seed in range(25):
        clip = cropped(transform, frame.expand(4, -1, -1, -1), generator=seeded_generator(seed))
        assert clip.shape == (3, 4, 11, 11)
        assert all(torch.equal(clip[:, 0], clip[:, t]) for t in range(1, 4))
        torch.manual_seed(seed)  # the process's own state must not matter
        assert torch.equal(cropped(transform, frame, generator=seeded_generator(seed))[:, 0], clip[:, 0])
        clips.append(clip)
    assert all(not torch.equal(clips[i], clips[j]) for i in range(25) for j in range(i))


def test_flip_comes_before_the_pixels_and_erasing_after_the_normalisation(finished):
    pixels = PixelAugment(rand_augment="rand-m7-n1-p1", erase_probability=1.0)
    preprocessing = dataclasses.replace(PLAIN, mean=(0.5, 0.5, 0.5), std=(0.01, 0.01, 0.01))
    transform = TrainTransform(preprocessing, crop="centre", flip_probability=1.0, pixels=pixels, on_device=True)
    frames = random_frames(2, 14, 14)
    left = transform(frames, generator=seeded_generator(3))
    assert isinstance(left, CroppedClip)
    assert torch.equal(left.clip, frames.permute(3, 0, 1, 2)[..., 1:12, 1:12])
    assert [left.draw.ops[0][0], len(left.draw.ops)] == ["flip", 2]
    done = dataclasses.replace(transform, on_device=False)(frames, generator=seeded_generator(3))
    assert done.draw == left.draw._replace(ops=())
    [(top, start, height, width)] = left.draw.erased
    before = (as_bytes(done.clip).transpose(0, 1) / 255 - 0.5) / 0.01
    clip = finished(done, preprocessing)
    outside = torch.ones(11, 11, dtype=torch.bool)
    outside[top : top + height, start : start + width] = False
    torch.testing.assert_close(clip[..., outside], before[..., outside], atol=1e-3, rtol=0)
    assert clip[..., ~outside].abs().max() < 6  # of noise; pixels reach up to 50
    assert before[..., ~outside].abs().max() > 40  # erased on the device, not in the loader


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        # the whole sentence, once for its family
        (
            {"short_side_jitter": (12, 16)},
            r"^short_side_jitter=\(12, 16\) has no effect beside crop='random_resized', which resizes by itself; "
            "use crop='random', or leave short_side_jitter out$",
        ),
        ({"short_side_jitter": (10, 16), "crop": "random"}, r"=\(10, 16\) .*crop_size=11 <= shortest"),
        ({"short_side_jitter": (16, 12), "crop": "random"}, r"=\(16, 12\) .*shortest <= longest"),
    ],
)
def test_jitter_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainTransform(PLAIN, **settings)
