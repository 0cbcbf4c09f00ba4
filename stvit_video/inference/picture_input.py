"""Pictures that a caller gives, as a detector or segmenter takes them: resized, normalised, in one batch."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.decoding.given_pictures import picture_pixels
from stvit_video.data.loading.listed_pictures import normalised
from stvit_video.data.loading.picture_batch import pad_pictures
from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, resized
from stvit_video.data.transforms.picture_sizes import PictureSizes

__all__ = ["GivenPicture", "PictureBatch", "picture_batch"]

GivenPicture = str | os.PathLike[str] | np.ndarray


class PictureBatch(NamedTuple):
    """B pictures.

    Attributes:
        pictures: (B, 3, H, W) float32, normalised, padded with zeros right and bottom.
        sizes: height and width of each within the padding.
        original_sizes: height and width of each as it was given.
    """

    pictures: Tensor
    sizes: list[tuple[int, int]]
    original_sizes: list[tuple[int, int]]


def picture_batch(given: Sequence[GivenPicture], sizes: PictureSizes, *, device: torch.device) -> PictureBatch:
    """Make a batch of pictures.

    Args:
        given: paths, or pixels (H, W, 3) uint8 RGB, of any sizes, at least one.
        sizes: what the model is fed with.
        device: where the model is.

    Raises:
        DecodeError: a file can't be read.
        ValueError: no list of pictures, or pixels of another shape or type.
    """
    if isinstance(given, (str, os.PathLike)):
        raise ValueError(f"a list of pictures is needed, got {os.fspath(given)!r}; put it into a list")
    pixels = [picture_pixels(picture) for picture in given]
    batch = pad_pictures([_prepared(picture, sizes) for picture in pixels])
    originals = [(picture.shape[0], picture.shape[1]) for picture in pixels]
    return PictureBatch(batch["pictures"].to(device), batch["sizes"], originals)


def _prepared(picture: np.ndarray, sizes: PictureSizes) -> Tensor:
    """Pixels (H, W, 3) uint8 -> (3, h, w) float32, resized and normalised."""
    pixels = torch.from_numpy(np.require(picture, requirements=["C", "W"])).permute(2, 0, 1)
    nothing = (torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool))
    sample = AnnotatedPicture(pixels, *nothing)
    scaled = resized(sample, sizes.size_of(*sample.size), antialias=sizes.antialias)
    return normalised(scaled.picture, sizes)
