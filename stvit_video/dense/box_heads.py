"""Box heads: the class of a region and a better box, and the detections that follow."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, TwoMLPHead
from torchvision.ops import batched_nms, remove_small_boxes

from stvit_video.dense.box_codes import box_loss
from stvit_video.dense.matching import draw_samples, match_boxes

REGION_CELLS = 7  # along a side of a pooled region
NUM_CONVS = 4
SMALLEST_SIDE = 1e-2  # of a detection, in pixels
Sampled = tuple[Tensor, Tensor, Tensor]  # regions, true boxes and which are true boxes, see `sample_regions`


class BoxHead(nn.Module):
    """Logits of the classes and offsets of the boxes of pooled regions.

    Args:
        in_channels: of the pooled regions.
        hidden: channels of the fully connected layers.
        num_classes: classes without the background.
        convolutions: whether four convolutions with batch norm come before one fully connected layer; else there are
            two fully connected layers.
    """

    def __init__(self, in_channels: int, hidden: int, num_classes: int, *, convolutions: bool = False) -> None:
        super().__init__()
        self.trunk: nn.Module = TwoMLPHead(in_channels * REGION_CELLS**2, hidden)
        if convolutions:
            shape = (in_channels, REGION_CELLS, REGION_CELLS)
            self.trunk = FastRCNNConvFCHead(shape, [in_channels] * NUM_CONVS, [hidden], norm_layer=nn.BatchNorm2d)
        self.classes = nn.Linear(hidden, num_classes + 1)
        self.boxes = nn.Linear(hidden, num_classes * 4)
        for layer, deviation in ((self.classes, 0.01), (self.boxes, 0.001)):
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled regions (R, C, 7, 7) -> logits (R, num_classes + 1), background last; offsets (R, num_classes, 4)."""
        features = self.trunk(pooled)
        return self.classes(features), self.boxes(features).unflatten(1, (-1, 4))


def sample_regions(
    proposals: Tensor,
    truth: Tensor,
    *,
    positive_iou: float,
    best_iou: float | None,
    number: int,
    positive_share: float,
    generator: torch.Generator | None = None,
) -> Sampled:
    """Draw the regions of a picture that the heads are trained on; the true boxes are among those drawn from.

    Args:
        proposals: (P, 4).
        truth: (N, 4) true boxes.
        positive_iou: least IoU of a positive region.
        best_iou: see `match_boxes`.
        number: regions that are drawn, where there are so many.
        positive_share: at most this share of them is positive.
        generator: source of the draws; None = torch's own on the CPU.

    Returns:
        Regions (R, 4), positive ones first; the number of the true box of each positive one, (R_positive,); whether
        each of those regions (R_positive,) is a true box itself.
    """
    regions = torch.cat([proposals, truth])
    matches = match_boxes(
        truth, regions, positive_iou=positive_iou, negative_iou=positive_iou, best_iou=best_iou, own_truth=True
    )
    positive, negative = draw_samples(matches, number=number, positive_share=positive_share, generator=generator)
    return regions[torch.cat([positive, negative])], matches[positive], positive >= len(proposals)


def box_head_losses(
    logits: Tensor,
    offsets: Tensor,
    *,
    regions: Tensor,
    labels: Tensor,
    wanted: Tensor,
    kind: str,
    code_weights: tuple[float, ...],
) -> tuple[Tensor, Tensor]:
    """The losses of a box head over the regions of a batch.

    Args:
        logits: (R, num_classes + 1).
        offsets: (R, num_classes, 4).
        regions: (R, 4).
        labels: (R,) int64, num_classes = background.
        wanted: (R_positive, 4) true boxes of the regions that are no background, in their order.
        kind: see `box_loss`.
        code_weights: weights of the offsets.

    Returns:
        Loss of the classes and loss of the boxes; both are divided by R.
    """
    count = max(1, len(labels))
    of_classes = F.cross_entropy(logits.float(), labels, reduction="sum") / count
    positive = torch.where(labels < offsets.shape[1])[0]
    chosen = offsets[positive, labels[positive]]
    of_boxes = box_loss(chosen, wanted, regions[positive], kind=kind, weights=code_weights) / count
    return of_classes, of_boxes


def select_detections(
    boxes: Tensor, scores: Tensor, labels: Tensor, *, nms_threshold: float, limit: int, keep_flat: bool = False
) -> dict[str, Tensor]:
    """The detections of a picture: of overlapping ones of a class the best, and of those the best.

    Args:
        boxes: (N, 4).
        scores: (N,).
        labels: (N,) int64.
        nms_threshold: IoU from which on the weaker one is dropped.
        limit: most detections.
        keep_flat: whether boxes without area can be among them.

    Returns:
        "boxes", "scores" and "labels", best first.
    """
    if not keep_flat:
        whole = remove_small_boxes(boxes, SMALLEST_SIDE)
        boxes, scores, labels = boxes[whole], scores[whole], labels[whole]
    kept = batched_nms(boxes, scores, labels, nms_threshold)[:limit]
    return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}
