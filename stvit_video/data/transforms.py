"""From decoded frames (T, H, W, 3) uint8 to a clip (C, T, h, w): resize, crop, flip; and its normalisation.

Clips leave the loader in bytes, a quarter of what floats take on the way to the device, and are normalised there.
"""

import dataclasses
import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, NamedTuple, get_args

import torch
from torchvision.transforms.v2 import functional as tvf

from stvit_video.data.augment import PIXELS_AS_THEY_ARE, Draw, PixelAugment
from stvit_video.data.pixel_ops import apply_ops
from stvit_video.data.sampling import crop_offsets

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

CropMode = Literal["random_resized", "random", "centre"]
Interpolation = Literal["bilinear", "bicubic"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What a model must be fed with; stored in its checkpoint.

    Attributes:
        num_frames: frames of a clip.
        frame_stride: distance between two frames of a clip, in video frames.
        short_side: pixels of a frame's short side before cropping.
        crop_size: side of the square that the model sees, in pixels.
        mean: per channel (red, green, blue), for values in 0..1.
        std: likewise.
        frame_difference: whether each frame is replaced by its change since the frame before it in the clip, the
            first by 0; with a fixed camera that takes the background away.
        interpolation: how frames are resized, antialiased.

    Raises:
        ValueError: a value is out of range.
    """

    num_frames: int
    frame_stride: int
    short_side: int
    crop_size: int
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    frame_difference: bool = False
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        for name in ("num_frames", "frame_stride", "short_side", "crop_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number, at least 1")
        if self.crop_size > self.short_side:
            raise ValueError(
                f"crop_size={self.crop_size} does not fit short_side={self.short_side}; "
                "make short_side as large as crop_size or larger"
            )
        if self.interpolation not in get_args(Interpolation):
            allowed = ", ".join(get_args(Interpolation))
            raise ValueError(f"interpolation={self.interpolation!r} is unknown; use one of {allowed}")
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0 or max(self.mean) > 1:
            raise ValueError(
                f"mean={self.mean} and std={self.std} must be 3 numbers each, for values in 0..1, std above 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, fit for a checkpoint that loads with weights_only=True."""
        values = dataclasses.asdict(self)
        return values | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Inverse of `to_dict`.

        Raises:
            ValueError: a key is missing or unknown, or a value is out of range.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not names - {"frame_difference", "interpolation"} <= set(values) <= names:
            raise ValueError(
                f"preprocessing has the keys {sorted(values)}, "
                f"needed are exactly {sorted(names)}; correct the checkpoint or the config"
            )
        return cls(**values)


class CroppedClip(NamedTuple):
    """A training clip (3, T, size, size) uint8, and what is still to be done; see `DeviceTransform`."""

    clip: torch.Tensor
    draw: Draw


@dataclass(frozen=True)
class TrainTransform:
    """Random crop, flip and pixel operations; one draw of the parameters serves all frames.

    Normalisation and erasing are left to a `DeviceTransform`.

    Attributes:
        preprocessing: sizes.
        scale: smallest and largest area of a "random_resized" crop, as a share of the frame.
        ratio: smallest and largest width / height of a "random_resized" crop.
        flip_probability: of a left-right flip; 0 where left and right change the label.
        crop: "random_resized" = a box of random area and shape, resized to crop_size;
            "random" = short side to short_side, then a random square; "centre" = the same, central square.
        short_side_jitter: for "random" and "centre": short side drawn evenly from these two lengths in pixels and all
            between; None = short_side.
        pixels: colour jitter, RandAugment and erasing, all of them after the crop.
        on_device: leave flip and pixel operations to the `DeviceTransform`, too.

    Raises:
        ValueError: a value is out of range, or short_side_jitter stands beside crop="random_resized".

    Differs: VideoMAE, MViT and UniFormer run RandAugment on the whole frame and crop then; here, as in timm, it sees
        the crop, which costs less.
    """

    preprocessing: Preprocessing
    _: KW_ONLY
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_probability: float = 0.5
    crop: CropMode = "random_resized"
    short_side_jitter: tuple[int, int] | None = None
    pixels: PixelAugment = PIXELS_AS_THEY_ARE
    on_device: bool = False

    def __post_init__(self) -> None:
        _require_scale_and_ratio(self.scale, self.ratio)
        if not 0 <= self.flip_probability <= 1:
            raise ValueError(f"flip_probability={self.flip_probability} must lie in 0..1; 0 = never flip")
        if self.crop not in get_args(CropMode):
            raise ValueError(f"crop={self.crop!r} is unknown; use one of {', '.join(get_args(CropMode))}")
        if self.short_side_jitter is not None:
            _require_jitter(self.short_side_jitter, self.crop, self.preprocessing.crop_size)

    def __call__(
        self, frames: torch.Tensor, *, generator: torch.Generator, crop_size: int | None = None
    ) -> CroppedClip:
        """Turn frames (T, H, W, 3) uint8 into a clip (3, T, crop_size, crop_size) uint8 and what is still to be done.

        Args:
            frames: of one clip.
            generator: source of the draws.
            crop_size: side in pixels; None = that of `preprocessing`. "random" and "centre" scale the short side along.

        Raises:
            ValueError: `frames` has another shape or dtype.
        """
        frames = channels_first(frames)  # (T, 3, H, W)
        frames = self._cropped(frames, generator, crop_size or self.preprocessing.crop_size)  # (T, 3, size, size)
        flipped = float(torch.rand((), generator=generator)) < self.flip_probability
        draw = self.pixels.draw(frames.shape[-2], frames.shape[-1], generator=generator)
        if flipped:
            draw = draw._replace(ops=(("flip", 0.0), *draw.ops))
        if not self.on_device:
            frames, draw = apply_ops(frames, draw.ops), draw._replace(ops=())
        return CroppedClip(frames.transpose(0, 1).contiguous(), draw)

    def _cropped(self, frames: torch.Tensor, generator: torch.Generator, size: int) -> torch.Tensor:
        interpolation = self.preprocessing.interpolation
        if self.crop == "random_resized":
            top, left, height, width = random_resized_crop_box(
                frames.shape[-2], frames.shape[-1], scale=self.scale, ratio=self.ratio, generator=generator
            )
            return _resized(frames[..., top : top + height, left : left + width], size, size, interpolation)
        shortest, longest = self.short_side_jitter or (self.preprocessing.short_side,) * 2
        short_side = shortest if shortest == longest else shortest + _randint(longest - shortest + 1, generator)
        short_side = round(short_side * size / self.preprocessing.crop_size)
        frames = resize_short_side(frames, short_side=short_side, interpolation=interpolation)
        if self.crop == "random":
            top = _randint(frames.shape[-2] - size + 1, generator)
            left = _randint(frames.shape[-1] - size + 1, generator)
        else:
            [(top, left)] = crop_offsets(frames.shape[-2], frames.shape[-1], crop_size=size, num_crops=1)
        return frames[..., top : top + size, left : left + size]


@dataclass(frozen=True)
class EvalTransform:
    """Resize of the short side, crop at fixed places, normalisation; nothing random.

    Attributes:
        preprocessing: sizes and normalisation.
    """

    preprocessing: Preprocessing

    def __call__(self, frames: torch.Tensor, *, crop_index: int = 0, num_crops: int = 1) -> torch.Tensor:
        """Turn frames (T, H, W, 3) uint8 into the clip (3, T, crop_size, crop_size) float32 of one crop.

        Raises:
            ValueError: the frames' shape or dtype, `num_crops`, or `crop_index` is not allowed.
        """
        if not 0 <= crop_index < num_crops:
            raise ValueError(f"crop_index={crop_index} must lie in 0 .. num_crops - 1 = {num_crops - 1}")
        return self.all_crops(frames, num_crops=num_crops)[crop_index]

    def all_crops(self, frames: torch.Tensor, *, num_crops: int) -> torch.Tensor:
        """All crops (num_crops, 3, T, crop_size, crop_size) float32 of frames (T, H, W, 3) uint8.

        Raises:
            ValueError: the frames' shape or dtype, or `num_crops`, is not allowed.
        """
        size, short_side = self.preprocessing.crop_size, self.preprocessing.short_side
        frames = channels_first(frames)  # (T, 3, H, W)
        frames = resize_short_side(frames, short_side=short_side, interpolation=self.preprocessing.interpolation)
        corners = crop_offsets(frames.shape[-2], frames.shape[-1], crop_size=size, num_crops=num_crops)
        crops = (frames[..., top : top + size, left : left + size] for top, left in corners)
        return torch.stack([to_clip(crop, self.preprocessing) for crop in crops])


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


def resized_size(height: int, width: int, *, short_side: int) -> tuple[int, int]:
    """Height and width in pixels once the short side has `short_side`; the long side is rounded half up."""
    short = min(height, width)
    long_side = (2 * max(height, width) * short_side + short) // (2 * short)
    return (short_side, long_side) if height <= width else (long_side, short_side)


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


def to_clip(frames: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """uint8 frames (T, 3, H, W) -> float32 clip (3, T, H, W), normalised, differences where these are asked for."""
    return finish_clips(frames.transpose(0, 1), preprocessing)


def finish_clips(clips: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """uint8 clips (..., 3, T, H, W) on any device -> float32, normalised, differences where these are asked for."""
    clips = normalise(clips, mean=preprocessing.mean, std=preprocessing.std)
    return frame_differences(clips) if preprocessing.frame_difference else clips


def frame_differences(clip: torch.Tensor) -> torch.Tensor:
    """Change of each frame since the one before it: (..., C, T, H, W) of the same shape, 0 for the first frame."""
    return torch.diff(clip, dim=-3, prepend=clip[..., :1, :, :])


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


def _require_jitter(jitter: tuple[int, int], crop: str, crop_size: int) -> None:
    if crop == "random_resized":
        raise ValueError(
            f"short_side_jitter={tuple(jitter)} has no effect beside crop='random_resized', which resizes by itself; "
            "use crop='random', or leave short_side_jitter out"
        )
    if not crop_size <= jitter[0] <= jitter[1]:
        raise ValueError(
            f"short_side_jitter={tuple(jitter)} must be two lengths in pixels, crop_size={crop_size} <= "
            "shortest <= longest"
        )


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _randint(stop: int, generator: torch.Generator) -> int:
    """A whole number in 0 .. stop - 1."""
    return int(torch.randint(stop, (), generator=generator))
