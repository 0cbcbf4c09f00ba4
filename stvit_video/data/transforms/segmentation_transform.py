"""What is done to the pictures that a segmenter learns from: size, crop, flip, colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.mapped_ops import MappedPicture, cropped_map, flipped_map, resized_map
from stvit_video.data.transforms.photometric import distort_colours
from stvit_video.data.transforms.picture_sizes import scaled_size

__all__ = ["SegmentationTransform"]

IGNORED = 255
NUM_TRIES = 10  # crops that are looked at for one that shows several classes


@dataclass(frozen=True, kw_only=True)
class SegmentationTransform:
    """Random changes of a picture with its map of labels.

    Attributes:
        sizes: those of the test; the picture keeps its shape, whatever their divisor is.
        crop_size: side in pixels of the square that is cut at random out of a larger picture; a smaller one stays.
        scale_range: the short and the long side of `sizes` are multiplied by a factor between these two; None = by 1.
        max_class_share: of the counted pixels of a crop that one class may have; another crop is then drawn, up to ten
            times. 1 = any crop is taken.
        flip_probability: of a left-right flip.
        photometric_probability: of each change of light and colours, see `distort_colours`; channels keep their order.

    Raises:
        ValueError: a value is out of range.

    Source: the training pipeline of mmsegmentation for ADE20K (Resize, RandomCrop with cat_max_ratio, RandomFlip,
        PhotoMetricDistortion).
    Differs: the labels of a resized map are those of the pixels at the centres, not at the upper left corners;
        brightness is changed by a factor, and hue by half as much.
    """

    sizes: MapSizes
    crop_size: int
    scale_range: tuple[float, float] | None = None
    max_class_share: float = 1.0
    flip_probability: float = 0.5
    photometric_probability: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip_probability", "photometric_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be from 0 to 1")
        if not 0 < self.max_class_share <= 1:
            raise ValueError(f"max_class_share={self.max_class_share} must be above 0 and at most 1")
        if self.crop_size < 1:
            raise ValueError(f"crop_size={self.crop_size} must be at least 1 pixel")
        if self.scale_range is not None and not 0 < self.scale_range[0] <= self.scale_range[1]:
            raise ValueError(f"scale_range={list(self.scale_range)} must be two factors, 0 < smallest <= largest")

    def __call__(self, sample: MappedPicture, *, generator: torch.Generator) -> MappedPicture:
        """The changed sample.

        Args:
            sample: as it was read.
            generator: source of the draws.
        """
        (changed,) = self.alike([sample], generator=generator)
        return changed

    def alike(self, samples: Sequence[MappedPicture], *, generator: torch.Generator) -> list[MappedPicture]:
        """The changed frames of a clip: all by the same draws, cut where the first one shows several classes.

        Args:
            samples: of one size, as they were read.
            generator: source of the draws.
        """
        flip, place = torch.rand(2, generator=generator).tolist()
        low, high = self.scale_range or (1.0, 1.0)
        factor = low + (high - low) * place
        short, long = (max(1, int(side * factor)) for side in (self.sizes.short_side, self.sizes.long_side))
        size = scaled_size(*samples[0].size, short_side=short, long_side=long)
        found = self._cut([resized_map(one, size, antialias=self.sizes.antialias) for one in samples], generator)
        found = [flipped_map(one) for one in found] if flip < self.flip_probability else found
        if not self.photometric_probability:
            return found
        state = generator.get_state()
        return [self._distorted(one, generator.set_state(state)) for one in found]

    def _distorted(self, sample: MappedPicture, generator: torch.Generator) -> MappedPicture:
        picture = distort_colours(
            sample.picture, probability=self.photometric_probability, generator=generator, swap_channels=False
        )
        return MappedPicture(picture, sample.labels)

    def _cut(self, samples: list[MappedPicture], generator: torch.Generator) -> list[MappedPicture]:
        """A random part of each, at the same place; the last of all tries is taken, whatever it shows."""
        tall, wide = samples[0].size
        height, width = min(tall, self.crop_size), min(wide, self.crop_size)
        if (height, width) == (tall, wide):
            return samples
        tries = NUM_TRIES + 1 if self.max_class_share < 1 else 1
        for _ in range(tries):
            top, left = _below(tall - height + 1, generator), _below(wide - width + 1, generator)
            first = cropped_map(samples[0], top=top, left=left, height=height, width=width)
            if _is_varied(first.labels, self.max_class_share):
                break
        return [first, *(cropped_map(one, top=top, left=left, height=height, width=width) for one in samples[1:])]


def _is_varied(labels: Tensor, max_class_share: float) -> bool:
    """Whether a map shows several classes, none on more than this share of its counted pixels."""
    counts = torch.bincount(labels.flatten(), minlength=IGNORED + 1)[:IGNORED]
    return int((counts > 0).sum()) > 1 and float(counts.max()) < max_class_share * float(counts.sum())


def _below(stop: int, generator: torch.Generator) -> int:
    return int(torch.randint(stop, (), generator=generator))
