"""Masks as COCO's run lengths (RLE): a few hundred bytes in place of a picture of booleans."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stvit_video.utils.plain_arrays import as_array

__all__ = ["Rle", "decode_mask", "encode_masks", "mask_areas"]

Rle = dict[str, Any]  # {"size": [height, width], "counts": compressed runs as text}


def encode_masks(masks: Any) -> list[Rle]:
    """Masks as run lengths.

    Args:
        masks: (N, H, W), nonzero = object; or a sequence of run lengths, which are taken over.

    Returns:
        N dictionaries with "size" [H, W] and "counts", compressed and as text, so that JSON can hold them.

    Raises:
        ValueError: neither three axes nor run lengths.
    """
    if isinstance(masks, Sequence) and all(isinstance(mask, dict) for mask in masks):
        return [_as_text(mask) for mask in masks]
    array = as_array(masks)
    if array.ndim != 3:
        raise ValueError(f"masks must be (N, H, W) or a list of run lengths, got the shape {array.shape}")
    return [_encoded(mask) for mask in array]


def decode_mask(rle: Rle) -> np.ndarray:
    """(H, W) bool, True = object.

    Args:
        rle: of `encode_masks`.
    """
    from faster_coco_eval.core import mask as library

    return np.asarray(library.decode(rle)).astype(bool)


def mask_areas(rles: Sequence[Rle]) -> np.ndarray:
    """(N,) float64: how many pixels each mask has."""
    from faster_coco_eval.core import mask as library

    return np.array(library.area(list(rles)), dtype=np.float64) if rles else np.zeros(0)


def _encoded(mask: np.ndarray) -> Rle:
    from faster_coco_eval.core import mask as library

    return _as_text(library.encode(np.asfortranarray(mask != 0, dtype=np.uint8)))


def _as_text(rle: Rle) -> Rle:
    """Compressed runs, as text; uncompressed ones, a list of numbers, are compressed first."""
    from faster_coco_eval.core import mask as library

    height, width = (int(side) for side in rle["size"])
    counts = rle["counts"]
    if isinstance(counts, list):
        counts = library.frPyObjects({"size": [height, width], "counts": counts}, height, width)["counts"]
    return {"size": [height, width], "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts}
