"""What is done to the pictures that a detector learns from: flip, sizes, crops, colours."""

from dataclasses import dataclass

import torch

from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, cropped, flipped, resized, without_empty
from stvit_video.data.transforms.photometric import distort_colours
from stvit_video.data.transforms.picture_sizes import PictureSizes, scaled_size

__all__ = ["DetectionTransform"]

NO_LIMIT = 2**20  # pixels: a long side of any length


@dataclass(frozen=True, kw_only=True)
class DetectionTransform:
    """Random changes of a picture with its boxes and masks.

    Attributes:
        sizes: those of the test; its long_side is the limit in training, too.
        flip_probability: of a left-right flip.
        short_sides: pixels of the short side, one of these for each picture; () = that of `sizes`.
        crop_probability: share of the pictures that are cut before they get their size: the short side becomes one of
            crop_short_sides, then a box of crop_sides is cut out at random.
        crop_short_sides: pixels.
        crop_sides: shortest and longest side of the box that is cut, in pixels.
        scale_jitter: large-scale jitter in place of short_sides: the picture fits into long_side times a factor between
            these two, and what is larger than long_side is cut at random; None = off.
        photometric_probability: of each change of light and colours, see `distort_colours`.

    Raises:
        ValueError: a value is out of range, or two contradict each other.

    Source: the settings "1x" (flip, one size) and "3x" (Sparse R-CNN, Swin: short sides and crops) of the published
        detectors; Ghiasi et al., Simple Copy-Paste, for large-scale jitter.
    """

    sizes: PictureSizes
    flip_probability: float = 0.5
    short_sides: tuple[int, ...] = ()
    crop_probability: float = 0.0
    crop_short_sides: tuple[int, ...] = (400, 500, 600)
    crop_sides: tuple[int, int] = (384, 600)
    scale_jitter: tuple[float, float] | None = None
    photometric_probability: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip_probability", "crop_probability", "photometric_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be from 0 to 1")
        if self.short_sides and not 1 <= min(self.short_sides) <= max(self.short_sides) <= self.sizes.long_side:
            raise ValueError(
                f"short_sides={list(self.short_sides)} must be from 1 to long_side={self.sizes.long_side} pixels; "
                "leave the longer ones out, or raise long_side"
            )
        if not self.crop_short_sides or not 1 <= self.crop_sides[0] <= self.crop_sides[1]:
            raise ValueError(
                f"crop_sides={list(self.crop_sides)} must be two lengths in pixels, shortest <= longest, and "
                f"crop_short_sides={list(self.crop_short_sides)} one length or more"
            )
        self._require_jitter()

    def _require_jitter(self) -> None:
        jitter = self.scale_jitter
        if jitter is None:
            return
        if not 0 < jitter[0] <= jitter[1]:
            raise ValueError(f"scale_jitter={list(jitter)} must be two factors, 0 < smallest <= largest")
        if self.short_sides or self.crop_probability:
            raise ValueError(
                f"scale_jitter={list(jitter)} chooses the size by itself, so short_sides={list(self.short_sides)} and "
                f"crop_probability={self.crop_probability} have no effect; leave out one or the others"
            )

    def __call__(self, sample: AnnotatedPicture, *, generator: torch.Generator) -> AnnotatedPicture:
        """The changed sample; objects without any part in it are left out.

        Args:
            sample: as it was read.
            generator: source of the draws.
        """
        sample = without_empty(sample)
        flip, crop = torch.rand(2, generator=generator) < torch.tensor([self.flip_probability, self.crop_probability])
        if self.scale_jitter is not None:
            sample = self._jittered(sample, self.scale_jitter, generator)
        else:
            sample = self._cut(sample, generator) if crop else sample
            short_side = _choice(self.short_sides or (self.sizes.short_side,), generator)
            sample = self._fitted(sample, short_side, self.sizes.long_side)
        sample = flipped(sample) if flip else sample
        if not self.photometric_probability:
            return sample
        picture = distort_colours(sample.picture, probability=self.photometric_probability, generator=generator)
        return AnnotatedPicture(picture, sample.boxes, sample.labels, sample.crowd, sample.masks)

    def _cut(self, sample: AnnotatedPicture, generator: torch.Generator) -> AnnotatedPicture:
        """A random box of the picture at a smaller size."""
        sample = self._fitted(sample, _choice(self.crop_short_sides, generator), NO_LIMIT)
        shortest, longest = self.crop_sides
        sides = [
            min(side, shortest) + _below(min(side, longest) - min(side, shortest) + 1, generator)
            for side in sample.size
        ]
        return _random_part(sample, sides[0], sides[1], generator)

    def _jittered(
        self, sample: AnnotatedPicture, jitter: tuple[float, float], generator: torch.Generator
    ) -> AnnotatedPicture:
        """The picture at a random size, cut to at most long_side x long_side."""
        side = self.sizes.long_side
        factor = jitter[0] + (jitter[1] - jitter[0]) * float(torch.rand((), generator=generator))
        target = max(1, round(side * factor))
        sample = self._fitted(sample, target, target)
        height, width = (min(length, side) for length in sample.size)
        return _random_part(sample, height, width, generator)

    def _fitted(self, sample: AnnotatedPicture, short_side: int, long_side: int) -> AnnotatedPicture:
        size = scaled_size(*sample.size, short_side=short_side, long_side=long_side)
        return resized(sample, size, antialias=self.sizes.antialias)


def _random_part(sample: AnnotatedPicture, height: int, width: int, generator: torch.Generator) -> AnnotatedPicture:
    top = _below(sample.size[0] - height + 1, generator)
    left = _below(sample.size[1] - width + 1, generator)
    return sample if (height, width) == sample.size else cropped(sample, top=top, left=left, height=height, width=width)


def _choice(values: tuple[int, ...], generator: torch.Generator) -> int:
    return values[_below(len(values), generator)]


def _below(stop: int, generator: torch.Generator) -> int:
    return int(torch.randint(stop, (), generator=generator))
