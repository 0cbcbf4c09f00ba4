"""Boxes as offsets from other boxes, and back; losses between them."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

LARGEST_LOG = math.log(1000 / 16)  # a box is at most so many times as large as the one it is predicted from
UNIT: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
BOX_LOSSES = ("l1", "smooth_l1", "giou")
SMOOTH_BELOW = 1 / 9


def encode_boxes(wanted: Tensor, boxes: Tensor, *, weights: Sequence[float] = UNIT) -> Tensor:
    """Offsets that lead from boxes to the wanted ones.

    Args:
        wanted: (N, 4) boxes x1, y1, x2, y2.
        boxes: (N, 4) boxes that the offsets start from.
        weights: of the four offsets: 1 / their usual size.

    Returns:
        (N, 4): shift of the centre in x and y over the width and height, logarithms of the factors of both.
    """
    size, wanted_size = boxes[:, 2:] - boxes[:, :2], wanted[:, 2:] - wanted[:, :2]
    centre, wanted_centre = boxes[:, :2] + 0.5 * size, wanted[:, :2] + 0.5 * wanted_size
    offsets = torch.cat([(wanted_centre - centre) / size, (wanted_size / size).log()], dim=1)
    return offsets * offsets.new_tensor(weights)


def decode_boxes(offsets: Tensor, boxes: Tensor, *, weights: Sequence[float] = UNIT) -> Tensor:
    """The boxes that offsets lead to; the inverse of `encode_boxes`.

    Args:
        offsets: (N, ..., 4) of any floating point type; the result is float32.
        boxes: (N, 4) boxes that they start from.
        weights: as they were encoded with.

    Returns:
        (N, ..., 4) boxes x1, y1, x2, y2.
    """
    offsets = offsets.float() / torch.tensor(weights, device=offsets.device)
    boxes = boxes.reshape(len(boxes), *(1,) * (offsets.ndim - 2), 4)
    size = boxes[..., 2:] - boxes[..., :2]
    centre = offsets[..., :2] * size + boxes[..., :2] + 0.5 * size
    half = 0.5 * offsets[..., 2:].clamp(max=LARGEST_LOG).exp() * size
    return torch.cat([centre - half, centre + half], dim=-1)


def scale_boxes(boxes: Tensor, *, size: tuple[int, int], wanted: tuple[int, int]) -> Tensor:
    """Boxes (N, 4) of a picture of `size` (height, width) in the same picture of the wanted size, within its edges."""
    scale = boxes.new_tensor([wanted[1] / size[1], wanted[0] / size[0]]).repeat(2)
    return (boxes * scale).minimum(boxes.new_tensor([wanted[1], wanted[0]]).repeat(2))


def box_loss(offsets: Tensor, wanted: Tensor, boxes: Tensor, *, kind: str, weights: Sequence[float] = UNIT) -> Tensor:
    """The sum of the losses of predicted offsets.

    Args:
        offsets: (N, 4) as predicted.
        wanted: (N, 4) boxes that they should lead to.
        boxes: (N, 4) boxes that they start from.
        kind: "l1" and "smooth_l1" (below 1/9) compare offsets, "giou" the boxes themselves.
        weights: of the offsets, see `encode_boxes`.

    Returns:
        A scalar; 0 with a gradient for no boxes.
    """
    if kind == "giou":
        return generalized_box_iou_loss(decode_boxes(offsets, boxes, weights=weights), wanted, reduction="sum")
    targets = encode_boxes(wanted, boxes, weights=weights)
    if kind == "l1":
        return F.l1_loss(offsets.float(), targets, reduction="sum")
    return F.smooth_l1_loss(offsets.float(), targets, beta=SMOOTH_BELOW, reduction="sum")
