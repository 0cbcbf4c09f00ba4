"""Resize, crop and normalise frames and clips.

Clips leave the loader in bytes, a quarter of what floats take on the way to the device, and are normalised there.
"""

import math

import torch
from torchvision.transforms.v2 import functional as tvf

from stvit_video.data.transforms.crops import resized_size
from stvit_video.data.transforms.preprocessing import Interpolation, Preprocessing


def channels_first(frames: torch.Tensor) -> torch.Tensor:
    """View frames (T, H, W, 3) uint8 as (T, 3, H, W).

    Raises:
        ValueError: another shape or dtype.
    """
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(
            f"frames are {frames.dtype} of shape {tuple(frames.shape)}; needed is torch.uint8 (T, H, W, 3)"
        )
    return frames.permute(0, 3, 1, 2)


def resize_short_side(
    frames: torch.Tensor, *, short_side: int, interpolation: Interpolation = "bilinear"
) -> torch.Tensor:
    """Resize frames (T, 3, H, W) so that the short side has `short_side` pixels; antialiased."""
    size = resized_size(frames.shape[-2], frames.shape[-1], short_side=short_side)
    return _resized(frames, *size, interpolation)


def random_resized_crop_box(
    height: int,
    width: int,
    *,
    scale: tuple[float, float],
    ratio: tuple[float, float],
    generator: torch.Generator,
) -> tuple[int, int, int, int]:
    """Draw a box of random area, shape (log-uniform) and place; after 10 misfits the largest central one.

    Args:
        height: frame height in pixels.
        width: frame width in pixels.
        scale: smallest and largest area, as a share of height * width.
        ratio: smallest and largest width / height of the box.
        generator: source of the draw.

    Returns:
        (top, left, height, width) of the box in pixels, inside the frame.

    Raises:
        ValueError: `scale` or `ratio` is out of range.

    Source: Szegedy et al., Going Deeper with Convolutions, section 6.
    """
    _require_scale_and_ratio(scale, ratio)
    for _ in range(10):
        area = height * width * _uniform(scale[0], scale[1], generator)
        shape = math.exp(_uniform(math.log(ratio[0]), math.log(ratio[1]), generator))
        box_height, box_width = round(math.sqrt(area / shape)), round(math.sqrt(area * shape))
        if 1 <= box_height <= height and 1 <= box_width <= width:
            top = _randint(height - box_height + 1, generator)
            left = _randint(width - box_width + 1, generator)
            return top, left, box_height, box_width
    shape = min(max(width / height, ratio[0]), ratio[1])
    box_height = max(1, min(height, round(width / shape)))
    box_width = max(1, min(width, round(height * shape)))
    return (height - box_height) // 2, (width - box_width) // 2, box_height, box_width


def finish_clips(clips: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """uint8 clips (..., 3, T, H, W) on any device -> float32, normalised, static or as differences if set so."""
    clips = normalise(clips, mean=preprocessing.mean, std=preprocessing.std)
    if preprocessing.static_clip != "none":
        clips = without_motion(clips, mean=preprocessing.static_clip == "mean_frame")
    return frame_differences(clips) if preprocessing.frame_difference else clips


def frame_differences(clip: torch.Tensor) -> torch.Tensor:
    """Change of each frame since the one before it: (..., C, T, H, W) of the same shape, 0 for the first frame."""
    return torch.diff(clip, dim=-3, prepend=clip[..., :1, :, :])


def without_motion(clip: torch.Tensor, *, mean: bool) -> torch.Tensor:
    """Clip (..., C, T, H, W) -> the same shape, every frame the mean of all frames, or else the middle frame T // 2."""
    middle = clip.shape[-3] // 2
    frame = clip.mean(-3, keepdim=True) if mean else clip[..., middle : middle + 1, :, :]  # (..., C, 1, H, W)
    return frame.expand_as(clip).contiguous()  # memory of its own: erasing writes into single frames


def normalise(clips: torch.Tensor, *, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
    """Clips (..., 3, T, H, W) uint8 -> float32, contiguous: (clips / 255 - mean) / std."""
    clips = clips.to(torch.float32, memory_format=torch.contiguous_format)  # (..., 3, T, H, W)
    offset, factor = (
        torch.tensor(values, dtype=torch.float32, device=clips.device).view(3, 1, 1, 1) * 255 for values in (mean, std)
    )
    return clips.sub_(offset).div_(factor)


def _resized(frames: torch.Tensor, height: int, width: int, interpolation: Interpolation) -> torch.Tensor:
    if frames.shape[-2:] == (height, width):
        return frames
    mode = tvf.InterpolationMode(interpolation)
    return tvf.resize(frames, [height, width], interpolation=mode, antialias=True)


def _require_scale_and_ratio(scale: tuple[float, float], ratio: tuple[float, float]) -> None:
    if not 0 < scale[0] <= scale[1] <= 1:
        raise ValueError(f"scale={tuple(scale)} must be two shares of the frame's area, 0 < smallest <= largest <= 1")
    if not 0 < ratio[0] <= ratio[1]:
        raise ValueError(f"ratio={tuple(ratio)} must be two values of width / height, 0 < smallest <= largest")


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _randint(stop: int, generator: torch.Generator) -> int:
    """A whole number in 0 .. stop - 1."""
    return int(torch.randint(stop, (), generator=generator))
