"""Every place that resizes does it as Pillow does, by the interpolation of the preprocessing."""

import dataclasses

import numpy as np
import pytest
import torch
from eval_crops import eval_crops
from PIL import Image

from stvit_video.data.transforms.functional import normalise
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform


@pytest.mark.parametrize(("interpolation", "order"), [("bilinear", "BILINEAR"), ("bicubic", "BICUBIC")])
def test_every_resizing_is_as_pillow_does_it(interpolation, order):
    frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 31, 47, 3), dtype=np.uint8))
    settings = Preprocessing(num_frames=2, frame_stride=1, short_side=14, crop_size=14, interpolation=interpolation)
    pillow = [Image.fromarray(frame.numpy()).resize((21, 14), Image.Resampling[order]) for frame in frames]
    expected = torch.stack([torch.from_numpy(np.array(image)) for image in pillow]).permute(3, 0, 1, 2)[..., 3:17]
    centre = TrainTransform(settings, crop="centre", flip_probability=0.0)
    assert (centre(frames, generator=torch.Generator()).clip.int() - expected.int()).abs().max() <= 1
    tested = eval_crops(frames, settings)[0]
    torch.testing.assert_close(
        tested,
        normalise(expected, mean=settings.mean, std=settings.std),
        rtol=0,
        atol=1.01 / 255 / 0.224,
    )
    boxed = TrainTransform(settings, flip_probability=0.0)
    other = TrainTransform(dataclasses.replace(settings, interpolation="bilinear"), flip_probability=0.0)
    clips = [transform(frames, generator=torch.Generator().manual_seed(1)).clip for transform in (boxed, other)]
    assert torch.equal(*clips) == (interpolation == "bilinear")
