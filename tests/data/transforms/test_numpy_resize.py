"""Resizing without torch, against torch, Pillow and a mean by hand."""

import numpy as np
import pytest
import torch
from PIL import Image

from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.data.transforms.numpy_resize import FILTERS, resize_frames, resize_short_side_numpy
from stvit_video.utils.choices import Interpolation, words_of

SIZES = [  # height, width, short side: less, more, one side alone, odd ones, none
    (120, 167, 112),
    (167, 120, 31),
    (33, 57, 40),
    (57, 33, 7),
    (101, 203, 101),
    (5, 9, 13),
    (1, 7, 3),
    (270, 480, 64),
]


def frames_of(height: int, width: int) -> np.ndarray:
    """Noise, an edge that overshoots, and a smooth picture, (3, H, W, 3) uint8."""
    rng = np.random.default_rng(height)
    noise = rng.integers(0, 256, (height, width, 3))
    edges = np.where(rng.integers(0, 2, (height, width, 3)), 255, 0)
    waves = 127.5 + 127 * np.sin(np.arange(height)[:, None, None] / 5 + np.arange(width)[:, None] / 3 + np.arange(3))
    return np.stack([noise, edges, waves]).astype(np.uint8)


def by_torch(frames: np.ndarray, short_side: int, interpolation: Interpolation) -> np.ndarray:
    resized = resize_short_side(
        channels_first(torch.from_numpy(frames)), short_side=short_side, interpolation=interpolation
    )
    return resized.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("interpolation", words_of(Interpolation))
@pytest.mark.parametrize(("height", "width", "short_side"), SIZES)
def test_a_byte_is_at_most_1_off_from_torch_and_nearly_all_are_equal(height, width, short_side, interpolation):
    frames = frames_of(height, width)
    ours = resize_short_side_numpy(frames, short_side=short_side, interpolation=interpolation)
    theirs = by_torch(frames, short_side, interpolation)
    assert ours.dtype == np.uint8
    assert ours.shape == theirs.shape
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    if torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512") or interpolation == "bicubic":
        assert (difference > 0).mean() < 1e-3  # elsewhere torchvision rounds a bilinear byte once, not twice


@pytest.mark.parametrize(("height", "width"), [(61, 131), (29, 97)])  # both sides at once Pillow cuts off otherwise
def test_pillow_gives_the_same_bytes(height, width):
    frame = frames_of(61, 97)[1:2]
    ours = resize_frames(frame, height=height, width=width, interpolation="bicubic")[0]
    theirs = np.asarray(Image.fromarray(frame[0]).resize((width, height), Image.Resampling.BICUBIC))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_half_the_size_is_a_weighted_mean_of_four():
    """Weights of a triangle of 2 pixels' reach at distances 1.5, .5, .5, 1.5 are 1, 3, 3 and 1 eighths."""
    column = np.array([0, 8, 16, 80, 240, 40, 8, 0], dtype=np.uint8)
    frames = np.broadcast_to(column[None, :, None, None], (1, 8, 5, 3))
    half = resize_frames(frames, height=4, width=5, interpolation="bilinear")[0, :, 0, 0]
    # the border's weights are those inside the picture: (3 * 0 + 3 * 8 + 16) / 7; then (8 + 3 * 16 + 3 * 80 + 240) / 8
    assert half.tolist() == [6, 67, 116, 9]


def test_a_frame_of_the_size_is_left_alone_and_settings_are_checked():
    frames = frames_of(6, 9)
    assert resize_short_side_numpy(frames, short_side=6) is frames
    with pytest.raises(ValueError, match=r"float64 .*\(3, 6, 9, 3\).*uint8 \(T, H, W, 3\)"):
        resize_short_side_numpy(frames / 255, short_side=3)
    with pytest.raises(ValueError, match=r"\(6, 9, 3\).*\(T, H, W, 3\)"):
        resize_frames(frames[0], height=3, width=3, interpolation="bilinear")
    with pytest.raises(ValueError, match="interpolation='nearest'.*bilinear, bicubic"):
        resize_frames(frames, height=3, width=3, interpolation="nearest")
    assert tuple(FILTERS) == words_of(Interpolation)
