"""Between the stages of a cascade: regions move to the boxes that a stage found for them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import clip_boxes_to_image

from stvit_video.dense.box_codes import decode_boxes

# weights of the offsets at each stage, 1 / their deviation; regions come nearer from stage to stage
CODE_WEIGHTS = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (1 / 0.033, 1 / 0.033, 1 / 0.067, 1 / 0.067))


def code_weights(stage: int) -> tuple[float, ...]:
    """The weights of the offsets at a stage, 0 = first; further stages have those of the last one known."""
    return CODE_WEIGHTS[min(stage, len(CODE_WEIGHTS) - 1)]


def refine_regions(
    regions: Tensor,
    logits: Tensor,
    offsets: Tensor,
    *,
    weights: Sequence[float],
    size: tuple[int, int],
    labels: Tensor | None = None,
) -> Tensor:
    """The regions of the next stage: each one's box for its class.

    Args:
        regions: (R, 4) of a picture.
        logits: (R, num_classes + 1), background last.
        offsets: (R, num_classes, 4).
        weights: of the offsets.
        size: height and width of the picture.
        labels: (R,) true classes, num_classes = background; None = not known.

    Returns:
        (R, 4) within the picture. A region without a true class takes that of its largest logit, the background left
        out.

    Source: Cai and Vasconcelos 2018 (Cascade R-CNN).
    """
    num_classes = offsets.shape[1]
    likely = logits[:, :num_classes].argmax(dim=1)
    if labels is not None:
        likely = torch.where(labels < num_classes, labels, likely)
    rows = torch.arange(len(regions), device=regions.device)
    return clip_boxes_to_image(decode_boxes(offsets[rows, likely], regions, weights=weights), size)
