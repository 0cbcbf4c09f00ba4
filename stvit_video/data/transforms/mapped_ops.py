"""Operations on a picture and its map of labels together."""

from dataclasses import dataclass

from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tvf

from stvit_video.data.transforms.annotated_ops import nearest_pixels

__all__ = ["MappedPicture", "cropped_map", "flipped_map", "resized_map"]


@dataclass(frozen=True)
class MappedPicture:
    """A picture of H x W pixels and their labels.

    Attributes:
        picture: (3, H, W) uint8, RGB.
        labels: (H, W) uint8, 255 = not counted.
    """

    picture: Tensor
    labels: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.picture.shape[-2], self.picture.shape[-1]


def resized_map(sample: MappedPicture, size: tuple[int, int], *, antialias: bool = True) -> MappedPicture:
    """The sample at another size (height, width): the picture bilinear, the labels those of the nearest pixels."""
    if size == sample.size:
        return sample
    picture = tvf.resize(sample.picture, list(size), interpolation=InterpolationMode.BILINEAR, antialias=antialias)
    return MappedPicture(picture, nearest_pixels(sample.labels[None], size)[0])


def flipped_map(sample: MappedPicture) -> MappedPicture:
    """The sample with left and right exchanged."""
    return MappedPicture(sample.picture.flip(-1), sample.labels.flip(-1))


def cropped_map(sample: MappedPicture, *, top: int, left: int, height: int, width: int) -> MappedPicture:
    """The part of a sample from (left, top) on.

    Args:
        sample: of H x W pixels.
        top: 0 to H - height.
        left: 0 to W - width.
        height: of the part in pixels.
        width: likewise.
    """
    rows, columns = slice(top, top + height), slice(left, left + width)
    return MappedPicture(sample.picture[:, rows, columns], sample.labels[rows, columns])
