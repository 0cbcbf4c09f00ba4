"""Random frames for tests of transforms, and a second implementation of their resizing."""

import torch
import torch.nn.functional as F

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip, TrainTransform
from stvit_video.utils.seeding import seeded_generator

PLAIN = Preprocessing(
    num_frames=3, frame_stride=2, short_side=14, crop_size=11, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def random_frames(t: int, h: int, w: int, seed: int = 0) -> torch.Tensor:
    """Frames (t, h, w, 3) uint8."""
    return torch.randint(256, (t, h, w, 3), dtype=torch.uint8, generator=seeded_generator(seed))


def as_bytes(clip: torch.Tensor) -> torch.Tensor:
    """(C, T, H, W) in 0..1, or in bytes -> (T, C, H, W) in 0..255."""
    return (clip * 255).round().permute(1, 0, 2, 3) if clip.is_floating_point() else clip.float().permute(1, 0, 2, 3)


def float_resize(frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(T, H, W, 3) uint8 -> (T, 3, *size), by another implementation, in floating point."""
    images = frames.permute(0, 3, 1, 2).double()
    return F.interpolate(images, size, mode="bilinear", antialias=True)


def cropped(transform: TrainTransform, frames: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """The clip (3, T, H, W) in bytes of a transform that leaves nothing but the normalisation to be done."""
    made = transform(frames, generator=generator)
    assert isinstance(made, CroppedClip)
    assert (made.clip.dtype, made.clip.is_contiguous()) == (torch.uint8, True)
    assert not made.draw.ops
    assert not made.draw.erased
    return made.clip
