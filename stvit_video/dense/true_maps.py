"""What a segmenter is trained on: checked, so that a wrong label is named and makes no loss that is not a number."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.dense.anchors import Size

NOT_COUNTED = 255  # label of pixels that are neither trained on nor scored
MOST_CLASSES = 255  # labels are below it


def checked_maps(maps: Tensor, sizes: Sequence[Size], *, pictures: Tensor, num_classes: int) -> Tensor:
    """The labels that are trained on, with those of the padding not counted.

    Args:
        maps: (B, H, W) int64, labels from 0, 255 = not counted.
        sizes: height and width of each picture within the padding.
        pictures: (B, 3, H, W), to which the maps belong.
        num_classes: labels are below it.

    Raises:
        ValueError: another shape or type, or a label out of range; the picture's place in the batch is named.
    """
    wanted = (pictures.shape[0], *pictures.shape[2:])
    if tuple(maps.shape) != wanted or maps.dtype != torch.int64:
        raise ValueError(f"maps are of shape {tuple(maps.shape)} and {maps.dtype}; give {wanted} in int64")
    kept = maps
    for i, (height, width) in enumerate(sizes):
        if (height, width) != wanted[1:]:
            kept = kept.clone() if kept is maps else kept
            kept[i, height:] = kept[i, :, width:] = NOT_COUNTED
    is_unknown = (kept != NOT_COUNTED) & ((kept < 0) | (kept >= num_classes))
    if bool(is_unknown.any()):
        place = int(is_unknown.flatten(1).any(dim=1).nonzero()[0])
        raise ValueError(
            f"label {int(kept[place][is_unknown[place]][0])} in the map of picture {place} of the batch is not in 0 to "
            f"{num_classes - 1}; build the model with num_classes of the data, or give {NOT_COUNTED} to pixels that "
            f"are not counted"
        )
    return kept


def map_loss(logits: Tensor, labels: Tensor, *, of_all_pixels: bool) -> Tensor:
    """Cross-entropy of the pixels that are counted.

    Args:
        logits: (B, K, h, w) of pictures whose padding the labels may lack, right and bottom.
        labels: (B, H, W) int64, 255 = not counted.
        of_all_pixels: whether the sum is divided by all pixels, not by those that are counted.

    Returns:
        A scalar, float32; 0 where nothing is counted.
    """
    total = F.cross_entropy(logits.float(), labels, ignore_index=NOT_COUNTED, reduction="sum")
    if of_all_pixels:
        return total / labels.numel()
    return total / (labels != NOT_COUNTED).sum().clamp(min=1)
