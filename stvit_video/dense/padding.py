"""Padding of pictures, so that each gets what it gets alone."""

from collections.abc import Sequence
from math import ceil

from torch import Tensor
from torch.nn import functional as F

from stvit_video.dense.anchors import Size

DIVISOR = 32  # pictures are padded to a multiple of it
SMALLEST_SIDE = 64  # and to no less than this: batch norm needs more than one cell of the coarsest map


def own_padding(size: Size) -> Size:
    """Height and width that a picture of this size is padded to when it is alone."""
    height, width = (max(SMALLEST_SIDE, ceil(side / DIVISOR) * DIVISOR) for side in size)
    return height, width


def padded(pictures: Tensor) -> Tensor:
    """Pictures (B, C, H, W) with zeros right and bottom, up to the padding that they have alone."""
    height, width = pictures.shape[-2:]
    tall, wide = own_padding((height, width))
    return F.pad(pictures, (0, wide - width, 0, tall - height))


def places_by_padding(sizes: Sequence[Size]) -> dict[Size, list[int]]:
    """Places in a batch of the pictures that have the same padding when they are alone."""
    groups: dict[Size, list[int]] = {}
    for place, size in enumerate(sizes):
        groups.setdefault(own_padding(size), []).append(place)
    return groups
