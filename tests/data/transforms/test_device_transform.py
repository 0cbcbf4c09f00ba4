import dataclasses

import pytest
import torch
from eval_crops import eval_crops

from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.functional import normalise
from stvit_video.data.transforms.pixel_augment import Draw, PixelAugment, erase_
from stvit_video.data.transforms.pixel_ops import apply_ops
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip, TrainTransform
from stvit_video.utils.seeding import seeded_generator

SIZES = Preprocessing(num_frames=3, frame_stride=2, short_side=28, crop_size=24, mean=(0.1, 0.4, 0.5))
PIXELS = PixelAugment(
    colour_jitter=0.4, hue_jitter=0.1, rand_augment="rand-m7-n4-mstd0.5-inc1", erase_probability=0.5, erase_count=2
)


def both_ways(preprocessing: Preprocessing, num_clips: int) -> tuple[list[CroppedClip], list[CroppedClip]]:
    """The clips with pixel operations done by the loader, and with these left to the device."""
    whole = TrainTransform(preprocessing, pixels=PIXELS)
    part = dataclasses.replace(whole, on_device=True)
    in_loader, cropped = [], []
    for seed in range(num_clips):
        frames = torch.randint(256, (3, 40, 57, 3), dtype=torch.uint8, generator=seeded_generator(seed))
        in_loader.append(whole(frames, generator=seeded_generator(seed)))
        cropped.append(part(frames, generator=seeded_generator(seed)))
    return in_loader, cropped


def one_by_one(cropped: list[CroppedClip], preprocessing: Preprocessing) -> torch.Tensor:
    """What is left to do, clip for clip: operations, channel by channel the normalisation, differences, noise."""
    made = []
    for clip, draw in cropped:
        frames = apply_ops(clip.transpose(0, 1), draw.ops)
        one = normalise(frames.transpose(0, 1), mean=preprocessing.mean, std=preprocessing.std)
        if preprocessing.frame_difference:
            one = torch.stack([one[:, t] - one[:, max(t - 1, 0)] for t in range(one.shape[1])], dim=1)
        made.append(erase_(one, draw))
    return torch.stack(made)


@pytest.mark.parametrize("frame_difference", [False, True])
def test_device_gives_what_the_loader_would_have_given(frame_difference):
    preprocessing = dataclasses.replace(SIZES, frame_difference=frame_difference)
    in_loader, cropped = both_ways(preprocessing, 40)
    clips, draws = torch.stack([one.clip for one in cropped]), [one.draw for one in cropped]
    done, left = torch.stack([one.clip for one in in_loader]), [one.draw for one in in_loader]
    assert clips.dtype == done.dtype == torch.uint8
    assert clips.shape == done.shape == (40, 3, 3, 24, 24)
    assert {len(draw.erased) for draw in draws} == {0, 2}
    assert len({name for draw in draws for name, _ in draw.ops}) > 12
    assert left == [draw._replace(ops=()) for draw in draws]
    before = clips.clone()
    with torch.autocast("cpu", dtype=torch.bfloat16):  # in training, half precision is on around it
        found = DeviceTransform(preprocessing)(clips, draws)
    assert torch.equal(found, DeviceTransform(preprocessing)(done, left))
    assert torch.equal(found, one_by_one(in_loader, preprocessing))
    assert torch.equal(clips, before)


@pytest.mark.parametrize("draws", [None, [Draw(), Draw()]])
def test_clips_without_operations_are_only_normalised(draws):
    clips = torch.randint(256, (2, 3, 5, 7, 11), dtype=torch.uint8)
    found = DeviceTransform(SIZES)(clips, draws)
    assert found.dtype == torch.float32
    for channel in range(3):
        expected = (clips[:, channel] / 255 - SIZES.mean[channel]) / SIZES.std[channel]
        torch.testing.assert_close(found[:, channel], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("frame_difference", [False, True])
def test_without_draws_the_crop_of_evaluation_becomes_the_clip_of_evaluation(frame_difference):
    preprocessing = dataclasses.replace(SIZES, frame_difference=frame_difference)
    frames = torch.randint(256, (3, 28, 37, 3), dtype=torch.uint8)  # the short side is right already
    crops = torch.stack([frames.permute(3, 0, 1, 2)[..., 2:26, left : left + 24] for left in (0, 6, 13)])
    found = DeviceTransform(preprocessing)(crops)
    assert torch.equal(found, eval_crops(frames, preprocessing, num_crops=3))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="compares a GPU with the CPU")
def test_a_gpu_gives_the_same_but_for_rounding_and_noise():
    in_loader, cropped = both_ways(SIZES, 40)
    finished = one_by_one(in_loader, SIZES)
    draws = [one.draw for one in cropped]
    found = DeviceTransform(SIZES)(torch.stack([one.clip for one in cropped]).cuda(), draws).cpu()
    levels = (found - finished).abs() * torch.tensor(SIZES.std).view(3, 1, 1, 1) * 255
    for level, draw in zip(levels, draws, strict=True):
        for top, left, height, width in draw.erased:
            level[..., top : top + height, left : left + width] = 0
    assert (levels > 2.5).float().mean() < 0.005  # equalize and posterize make more of a rounded level


@pytest.mark.parametrize(
    ("clips", "found"),
    [
        (torch.zeros(2, 3, 5, 7, 7), r"float32 .*\(2, 3, 5, 7, 7\)"),
        (torch.zeros(1, 3, 5, 7, 7, dtype=torch.uint8), r"uint8 .*\(1, 3, 5, 7, 7\)"),
    ],
)
def test_other_input_is_refused(clips, found):
    with pytest.raises(ValueError, match=rf"{found} .*2 draws; .*uint8 \(B, 3, T, H, W\)"):
        DeviceTransform(SIZES)(clips, [Draw(), Draw()])
