"""From pictures of different sizes to a batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from stvit_video.data.manifests.label_rules import IGNORED
from stvit_video.data.transforms.picture_sizes import padded_size

__all__ = ["collate_pictures", "pad_maps", "pad_pictures"]

LISTED = {
    "targets": "target",
    "names": "name",
    "picture_ids": "picture_id",
    "original_sizes": "original_size",
    "true_maps": "true_map",
    "frame_places": "frame_place",
}  # of the batch, of an item


def collate_pictures(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make a batch of `TrainingPictures` or `EvaluationPictures` items.

    Returns:
        "pictures" (B, 3, H, W) float32, 0 on the right and below of smaller ones, H and W multiples of 32; "sizes", B
        pairs (h, w) of what is picture; "targets", "names", "picture_ids", "original_sizes", B each; "sequences", B
        names of videos, of a picture of none its number in the list; "frame_places", B places in them; "index" (B,)
        int64; in training "num_skipped" (B,) int64 and "skipped", the (index, text) of all pictures that were passed
        over; in an evaluation "errors", B texts, empty where the picture was read.
    """
    batch = pad_pictures([item["picture"] for item in items])
    if "map" in items[0]:
        batch["maps"] = pad_maps([item["map"] for item in items])
    batch |= {name: [item[own] for item in items] for name, own in LISTED.items() if own in items[0]}
    batch["sequences"] = [item["index"] if item["sequence"] is None else item["sequence"] for item in items]
    batch["index"] = torch.tensor([item["index"] for item in items])
    if "error" in items[0]:
        return batch | {"errors": [item["error"] for item in items]}
    skipped = [skip for item in items for skip in item["skipped"]]
    return batch | {"num_skipped": torch.tensor([item["num_skipped"] for item in items]), "skipped": skipped}


def pad_maps(maps: Sequence[Tensor]) -> Tensor:
    """Maps of labels (h, w) uint8 as (B, H, W) int64: H and W as of their pictures, IGNORED behind the smaller ones."""
    size = padded_size([(labels.shape[-2], labels.shape[-1]) for labels in maps])
    padded = torch.full((len(maps), *size), IGNORED)  # (B, H, W)
    for place, labels in zip(padded, maps, strict=True):
        place[: labels.shape[-2], : labels.shape[-1]] = labels
    return padded


def pad_pictures(pictures: Sequence[Tensor]) -> dict[str, Any]:
    """The entries "pictures" and "sizes" of a batch, of B pictures (3, h, w)."""
    sizes = [(picture.shape[-2], picture.shape[-1]) for picture in pictures]
    padded = pictures[0].new_zeros(len(pictures), 3, *padded_size(sizes))  # (B, 3, H, W)
    for place, picture, (height, width) in zip(padded, pictures, sizes, strict=True):
        place[:, :height, :width] = picture
    return {"pictures": padded, "sizes": sizes}
