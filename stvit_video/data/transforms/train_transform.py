"""From decoded frames (T, H, W, 3) uint8 to a training clip; one draw of crop, flip and pixels serves all frames."""

from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import torch

from stvit_video.data.transforms.crops import crop_offsets
from stvit_video.data.transforms.functional import (
    _randint,
    _require_scale_and_ratio,
    _resized,
    channels_first,
    random_resized_crop_box,
    resize_short_side,
)
from stvit_video.data.transforms.pixel_augment import PIXELS_AS_THEY_ARE, Draw, PixelAugment
from stvit_video.data.transforms.pixel_ops import apply_ops
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.utils.choices import CropMode


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
