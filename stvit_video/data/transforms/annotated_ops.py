"""Operations on a picture, its boxes and its masks together."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tvf

__all__ = ["AnnotatedPicture", "cropped", "flipped", "nearest_pixels", "only", "resized", "without_empty"]


@dataclass(frozen=True)
class AnnotatedPicture:
    """A picture of H x W pixels and its N objects.

    Attributes:
        picture: (3, H, W) uint8, RGB.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels; a whole picture is 0, 0, W, H.
        labels: (N,) int64.
        crowd: (N,) bool, True = a group, which is not to be learned.
        masks: (N, H, W) uint8, 1 = inside; None = there are none.
    """

    picture: Tensor
    boxes: Tensor
    labels: Tensor
    crowd: Tensor
    masks: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.picture.shape[-2], self.picture.shape[-1]


def resized(sample: AnnotatedPicture, size: tuple[int, int], *, antialias: bool = True) -> AnnotatedPicture:
    """The sample at another size (height, width), bilinear; masks take the nearest pixel."""
    if size == sample.size:
        return sample
    picture = tvf.resize(sample.picture, list(size), interpolation=InterpolationMode.BILINEAR, antialias=antialias)
    masks = None if sample.masks is None else nearest_pixels(sample.masks, size)
    boxes = tvf.resize(_boxes(sample), list(size)).as_subclass(Tensor)
    return replace(sample, picture=picture, boxes=boxes, masks=masks)


def flipped(sample: AnnotatedPicture) -> AnnotatedPicture:
    """The sample with left and right exchanged."""
    masks = None if sample.masks is None else sample.masks.flip(-1)
    boxes = tvf.horizontal_flip(_boxes(sample)).as_subclass(Tensor)
    return replace(sample, picture=sample.picture.flip(-1), boxes=boxes, masks=masks)


def cropped(sample: AnnotatedPicture, *, top: int, left: int, height: int, width: int) -> AnnotatedPicture:
    """The part of a sample from (left, top) on; boxes are clipped, objects without any part in it are left out.

    Args:
        sample: of H x W pixels.
        top: 0 to H - height.
        left: 0 to W - width.
        height: of the part in pixels.
        width: likewise.
    """
    rows, columns = slice(top, top + height), slice(left, left + width)
    masks = None if sample.masks is None else sample.masks[:, rows, columns]
    boxes = tvf.crop(_boxes(sample), top, left, height, width).as_subclass(Tensor)
    part = replace(sample, picture=sample.picture[:, rows, columns], boxes=boxes, masks=masks)
    part = without_empty(part)
    return part if part.masks is None else only(part, part.masks.bool().flatten(1).any(1))


def without_empty(sample: AnnotatedPicture) -> AnnotatedPicture:
    """The sample with its boxes clipped to the picture, without the objects whose box has no area then."""
    clipped = tvf.clamp_bounding_boxes(_boxes(sample)).as_subclass(Tensor)
    has_area = (clipped[:, 2:] > clipped[:, :2]).all(1)
    return only(replace(sample, boxes=clipped), has_area)


def only(sample: AnnotatedPicture, chosen: Tensor) -> AnnotatedPicture:
    """The sample with some of its objects: (N,) bool, or their positions."""
    if chosen.dtype == torch.bool and bool(chosen.all()):
        return sample
    masks = None if sample.masks is None else sample.masks[chosen]
    return replace(
        sample, boxes=sample.boxes[chosen], labels=sample.labels[chosen], crowd=sample.crowd[chosen], masks=masks
    )


def _boxes(sample: AnnotatedPicture) -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(sample.boxes, format="XYXY", canvas_size=sample.size)


def nearest_pixels(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks, or maps of labels, (N, H, W) at another size (height, width): of each new pixel the one at its centre.

    Differs: torchvision's rule for masks, as OpenCV's INTER_NEAREST, takes the pixel at the upper left corner of each
        new one, which moves them by up to half a pixel against picture and boxes; Pillow's NEAREST is the one here.
    """
    rows, columns = (
        np.minimum(np.floor((np.arange(new) + 0.5) * (old / new)).astype(np.int64), old - 1)
        for old, new in zip(masks.shape[-2:], size, strict=True)
    )
    # less than half the time of `interpolate` with "nearest-exact", which takes the same pixels
    return torch.from_numpy(np.take(np.take(masks.numpy(), rows, axis=1), columns, axis=2))
