"""Each operation against Pillow's, as timm's RandAugment calls it."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.auto_augment import NAME_TO_OP
from torch.nn import functional as F

from stvit_video.data.transforms.pixel_ops import OPS, apply_ops
from stvit_video.utils.seeding import seeded_generator


@pytest.fixture(scope="module")
def smooth_frames():
    """Two coloured frames (2, 3, 41, 59) without hard edges, so that interpolation hardly rounds."""
    coarse = torch.rand(2, 3, 5, 7, generator=seeded_generator(1))
    return (F.interpolate(coarse, (41, 59), mode="bicubic").clamp(0, 1) * 255).to(torch.uint8)


def by_pillow(frames, name, *arguments):
    settings = {"fillcolor": (128, 128, 128), "resample": Image.Resampling.BILINEAR}
    images = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in frames]
    arrays = [np.asarray(NAME_TO_OP[name](image, *arguments, **settings)) for image in images]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)


def difference(one, other):
    return (one.int() - other.int()).abs().float()


@pytest.mark.parametrize(
    ("name", "timm_name", "values"),
    [
        ("autocontrast", "AutoContrast", [None]),
        ("equalize", "Equalize", [None]),
        ("invert", "Invert", [None]),
        ("posterize", "Posterize", [1, 2, 4]),
        ("solarize", "Solarize", [0, 77, 256]),
        ("solarize_add", "SolarizeAdd", [0, 77, 110]),
        ("saturation", "Color", [0.4, 1.6]),
        ("contrast", "Contrast", [0.4, 1.6]),
        ("brightness", "Brightness", [0.4, 1.6]),
        ("sharpness", "Sharpness", [0.4, 1.6]),
    ],
)
def test_colours_equal_pillows_to_one_level(smooth_frames, name, timm_name, values):
    for value in values:
        ours = apply_ops(smooth_frames, [(name, 0.0 if value is None else value)])
        theirs = by_pillow(smooth_frames, timm_name, *([] if value is None else [value]))
        assert difference(ours, theirs).max() <= 1, value


@pytest.mark.parametrize(
    ("name", "timm_name", "value"),
    [
        ("rotate", "Rotate", 17.0),
        ("rotate", "Rotate", -8.0),
        ("shear_x", "ShearX", 0.21),
        ("shear_x", "ShearX", -0.1),
        ("shear_y", "ShearY", 0.21),
        ("shear_y", "ShearY", -0.1),
        ("translate_x", "TranslateXRel", 0.21),
        ("translate_x", "TranslateXRel", -0.1),
        ("translate_y", "TranslateYRel", 0.21),
        ("translate_y", "TranslateYRel", -0.1),
    ],
)
def test_shapes_equal_pillows_but_for_the_rim(smooth_frames, name, timm_name, value):
    """On the rim, where the picture meets the grey, Pillow and torchvision blend otherwise."""
    found = difference(apply_ops(smooth_frames, [(name, value)]), by_pillow(smooth_frames, timm_name, value))
    assert (found > 2).float().mean() < 0.05
    assert difference(apply_ops(smooth_frames, [(name, -value)]), by_pillow(smooth_frames, timm_name, value)).mean() > 9


def test_hue_turns_red_to_green_and_a_flip_mirrors():
    red = torch.tensor([200, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 5, 7)
    assert apply_ops(red, [("hue", 1 / 3)])[0, :, 2, 3].tolist() == [0, 200, 0]
    frames = torch.arange(2 * 3 * 5 * 7, dtype=torch.uint8).view(2, 3, 5, 7)
    flipped = apply_ops(frames, [("flip", 0.0)])
    assert all(torch.equal(flipped[..., column], frames[..., 6 - column]) for column in range(7))


@pytest.mark.parametrize("name", OPS)
def test_every_operation_keeps_shape_and_input_and_takes_all_frames_alike(smooth_frames, name):
    value = {"posterize": 2.0, "solarize": 90.0, "solarize_add": 40.0}.get(name, 0.3)
    before = smooth_frames.clone()
    twice = apply_ops(smooth_frames[:1].expand(3, -1, -1, -1), [(name, value)])
    assert twice.dtype == torch.uint8
    assert twice.shape == (3, 3, 41, 59)
    assert torch.equal(twice[0], twice[2])
    assert torch.equal(smooth_frames, before)
    layout = smooth_frames.contiguous(memory_format=torch.channels_last)
    assert torch.equal(apply_ops(layout, [(name, value)]), apply_ops(smooth_frames, [(name, value)]))


def test_order_counts_and_unknown_operations_are_refused(smooth_frames):
    one = apply_ops(smooth_frames, [("invert", 0.0), ("posterize", 2.0)])
    other = apply_ops(smooth_frames, [("posterize", 2.0), ("invert", 0.0)])
    assert not torch.equal(one, other)
    with pytest.raises(ValueError, match="operation 'blur' .* autocontrast, brightness, "):
        apply_ops(smooth_frames, [("blur", 1.0)])
