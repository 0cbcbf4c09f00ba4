import dataclasses

import pytest
import torch

from stvit_video.data.augment import Draw, PixelAugment
from stvit_video.data.device_transform import DeviceTransform
from stvit_video.data.sampling import seeded_generator
from stvit_video.data.transforms import CroppedClip, Preprocessing, TrainTransform

SIZES = Preprocessing(num_frames=3, frame_stride=2, short_side=28, crop_size=24, mean=(0.1, 0.4, 0.5))
PIXELS = PixelAugment(
    colour_jitter=0.4, hue_jitter=0.1, rand_augment="rand-m7-n4-mstd0.5-inc1", erase_probability=0.5, erase_count=2
)


def both_ways(preprocessing: Preprocessing, num_clips: int) -> tuple[torch.Tensor, list[CroppedClip]]:
    """The clips as the loader finishes them, and as it leaves them to the device."""
    whole = TrainTransform(preprocessing, pixels=PIXELS)
    part = dataclasses.replace(whole, on_device=True)
    finished, cropped = [], []
    for seed in range(num_clips):
        frames = torch.randint(256, (3, 40, 57, 3), dtype=torch.uint8, generator=seeded_generator(seed))
        finished.append(whole(frames, generator=seeded_generator(seed)))
        cropped.append(part(frames, generator=seeded_generator(seed)))
    return torch.stack(finished), cropped


@pytest.mark.parametrize("frame_difference", [False, True])
def test_device_gives_what_the_loader_would_have_given(frame_difference):
    preprocessing = dataclasses.replace(SIZES, frame_difference=frame_difference)
    finished, cropped = both_ways(preprocessing, 40)
    clips, draws = torch.stack([one.clip for one in cropped]), [one.draw for one in cropped]
    assert clips.dtype == torch.uint8
    assert clips.shape == (40, 3, 3, 24, 24)
    assert {len(draw.erased) for draw in draws} == {0, 2}
    assert len({name for draw in draws for name, _ in draw.ops}) > 12
    before = clips.clone()
    with torch.autocast("cpu", dtype=torch.bfloat16):  # in training, half precision is on around it
        found = DeviceTransform(preprocessing)(clips, draws)
    assert torch.equal(found, finished)
    assert torch.equal(clips, before)


def test_clips_without_operations_are_only_normalised():
    clips = torch.randint(256, (2, 3, 5, 7, 11), dtype=torch.uint8)
    found = DeviceTransform(SIZES)(clips, [Draw(), Draw()])
    for channel in range(3):
        expected = (clips[:, channel] / 255 - SIZES.mean[channel]) / SIZES.std[channel]
        torch.testing.assert_close(found[:, channel], expected, atol=1e-5, rtol=0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="compares a GPU with the CPU")
def test_a_gpu_gives_the_same_but_for_rounding_and_noise():
    finished, cropped = both_ways(SIZES, 40)
    draws = [one.draw for one in cropped]
    found = DeviceTransform(SIZES)(torch.stack([one.clip for one in cropped]).cuda(), draws).cpu()
    levels = (found - finished).abs() * torch.tensor(SIZES.std).view(3, 1, 1, 1) * 255
    for level, draw in zip(levels, draws, strict=True):
        for top, left, height, width in draw.erased:
            level[..., top : top + height, left : left + width] = 0
    assert (levels > 2.5).float().mean() < 0.005  # equalize and posterize make more of a rounded level


@pytest.mark.parametrize("clips", [torch.zeros(2, 3, 5, 7, 7), torch.zeros(1, 3, 5, 7, 7, dtype=torch.uint8)])
def test_other_input_is_refused(clips):
    with pytest.raises(ValueError, match=r"clips are torch.* with 2 draws; needed are torch.uint8 \(B, 3, T, H, W\)"):
        DeviceTransform(SIZES)(clips, [Draw(), Draw()])
