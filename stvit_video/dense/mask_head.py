"""Mask heads: which pixels of a region belong to its object."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import roi_align

MASK_CELLS = 14  # along a side of a pooled region; masks have twice as many
NUM_CONVS = 4


class MaskHead(nn.Module):
    """Logits of a mask for every class.

    Args:
        in_channels: of the pooled regions.
        channels: of the convolutions.
        num_classes: classes without the background.

    Source: He et al. 2017 (Mask R-CNN).
    """

    def __init__(self, in_channels: int, channels: int, num_classes: int) -> None:
        super().__init__()
        self.convs = MaskRCNNHeads(in_channels, (channels,) * NUM_CONVS, 1)
        self.predictor = MaskRCNNPredictor(channels, channels, num_classes)

    def forward(self, pooled: Tensor) -> Tensor:
        """Pooled regions (R, C, 14, 14) -> logits (R, num_classes, 28, 28)."""
        return self.predictor(self.convs(pooled))


def mask_targets(masks: Tensor, boxes: Tensor, numbers: Tensor, *, cells: int, exact: bool = True) -> Tensor:
    """The part of true masks that lies in boxes.

    Args:
        masks: (N, height, width), 1 = object, of the picture.
        boxes: (R, 4) in pixels of it.
        numbers: (R,) the mask of each box.
        cells: along a side of the result.
        exact: whether pixels have half a pixel around their centres and a cell is 0 or 1; else cells are averages as
            torchvision makes them.

    Returns:
        (R, cells, cells) float32.
    """
    used, places = numbers.unique(return_inverse=True)
    regions = torch.cat([places[:, None].to(boxes.dtype), boxes], dim=1)  # (R, 5)
    if not len(regions):
        return boxes.new_zeros((0, cells, cells))
    cut = roi_align(masks[used, None].to(boxes.dtype), regions, cells, 1.0, sampling_ratio=-1, aligned=exact)[:, 0]
    return (cut >= 0.5).to(cut.dtype) if exact else cut


def mask_loss(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of the masks of the true classes.

    Args:
        logits: (R, num_classes, cells, cells).
        labels: (R,) int64.
        targets: (R, cells, cells).

    Returns:
        A scalar, the mean over all cells; 0 with a gradient for no regions.
    """
    chosen = logits[torch.arange(len(labels), device=labels.device), labels].float()
    return F.binary_cross_entropy_with_logits(chosen, targets, reduction="sum") / max(1, targets.numel())


def mask_probabilities(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Probabilities (R, cells, cells) of the labelled classes' masks, the mean over heads.

    Args:
        logits: (R, num_classes, cells, cells) of every head.
        labels: (R,) int64.
    """
    rows = torch.arange(len(labels), device=labels.device)
    return torch.stack([head[rows, labels].float().sigmoid() for head in logits]).mean(0)
