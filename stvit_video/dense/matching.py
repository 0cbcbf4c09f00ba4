"""Which true box an anchor or a region belongs to, and which of them are trained on."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torchvision.ops import box_iou

BACKGROUND, IGNORED = -1, -2
LARGEST_TABLE = 2**24  # IoUs that are held at once


def match_boxes(
    truth: Tensor,
    boxes: Tensor,
    *,
    positive_iou: float,
    negative_iou: float,
    best_iou: float | None = None,
    own_truth: bool = False,
    largest_table: int = LARGEST_TABLE,
) -> Tensor:
    """The true box of each anchor or region.

    Args:
        truth: (N, 4) true boxes.
        boxes: (M, 4) anchors or regions.
        positive_iou: least IoU with the true box that a box overlaps most.
        negative_iou: below it a box is background; between both it is ignored.
        best_iou: the boxes that overlap a true box most are positive too, from this IoU on; None = they are not.
        own_truth: whether such a box belongs to that true box (the last one, if there are several); else to the one
            that it overlaps most itself.
        largest_table: IoUs that are held at once; the memory that is needed does not grow beyond it.

    Returns:
        (M,) int64: the number of the true box, BACKGROUND or IGNORED.
    """
    if not len(truth) or not len(boxes):
        return torch.full((len(boxes),), BACKGROUND, device=boxes.device)
    step = max(1, largest_table // len(truth))
    parts = _Tables(truth, boxes, step)
    best = [table.max(dim=0) for table in parts.tables()]
    overlap, nearest = (torch.cat([part[i] for part in best]) for i in (0, 1))
    matches = nearest.clone()
    matches[overlap < positive_iou] = IGNORED
    matches[overlap < negative_iou] = BACKGROUND
    if best_iou is not None:
        _match_best(matches, nearest, parts, best_iou=best_iou, own_truth=own_truth)
    return matches


def _match_best(matches: Tensor, nearest: Tensor, parts: "_Tables", *, best_iou: float, own_truth: bool) -> None:
    """Make the best boxes of every true box positive."""
    reached = torch.stack([table.amax(dim=1) for table in parts.tables()]).amax(dim=0)  # (N,) by each true box
    wanted = torch.where(reached >= best_iou, reached, torch.inf)[:, None]
    start = 0
    for table in parts.tables():
        is_best = table == wanted  # (N, m)
        places = torch.where(is_best.any(dim=0))[0]
        last = len(table) - 1 - is_best[:, places].flip(0).int().argmax(dim=0)
        matches[start + places] = last if own_truth else nearest[start + places]
        start += table.shape[1]


class _Tables:
    """IoUs (N, m) of true boxes with part after part of the others; one that is the only one is kept."""

    def __init__(self, truth: Tensor, boxes: Tensor, step: int) -> None:
        self._truth, self._parts = truth, boxes.split(step)
        self._only = box_iou(truth, boxes) if len(self._parts) == 1 else None

    def tables(self) -> Iterator[Tensor]:
        if self._only is not None:
            yield self._only
            return
        for part in self._parts:
            yield box_iou(self._truth, part)


def draw_samples(
    matches: Tensor, *, number: int, positive_share: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw the anchors or regions of a picture that are trained on, without repeats.

    Args:
        matches: (M,) as of `match_boxes`.
        number: how many are drawn together, where there are so many.
        positive_share: at most this share of them is positive; the rest is background.
        generator: source of the draws, on the CPU; None = torch's own on the CPU, whatever the device of `matches`.

    Returns:
        Places of the positive ones and of the background ones, (P,) and (Q,) int64, each ascending.
    """
    positive, negative = torch.where(matches >= 0)[0], torch.where(matches == BACKGROUND)[0]
    num_positive = min(len(positive), int(number * positive_share))
    num_negative = min(len(negative), number - num_positive)
    chosen = [
        places[torch.randperm(len(places), generator=generator)[:count].to(places.device)].sort().values
        for places, count in ((positive, num_positive), (negative, num_negative))
    ]
    return chosen[0], chosen[1]
