"""The average precision of single pictures, which tells the pictures that a detector reads best and worst."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stvit_video.evaluation.detection.coco_matching import matched_curves
from stvit_video.evaluation.detection.instances import PictureId, PictureInstances

__all__ = ["RankedPicture", "best_and_worst", "picture_precision"]


class RankedPicture(NamedTuple):
    """A picture among the best or the worst.

    Attributes:
        picture_id: of the picture.
        precision: its average precision.
        is_best: False = it is one of the worst.
    """

    picture_id: PictureId
    precision: float
    is_best: bool


def picture_precision(
    truth: PictureInstances, detections: PictureInstances | None, *, iou_type: str, max_detections: int = 100
) -> float | None:
    """AP of one picture alone, the mean over IoU thresholds and the classes that it has objects of.

    Detections of other classes don't count, as COCO leaves classes out that have no object.

    Args:
        truth: the true objects.
        detections: None = there are none.
        iou_type: "bbox" or "segm".
        max_detections: of a class that count.

    Returns:
        0 to 1; None = it has no object.
    """
    present = np.unique(truth.labels[~truth.crowd])
    if not len(present):
        return None
    found = [] if detections is None else [_of_classes(detections, present)]
    curves = matched_curves(
        [_of_classes(truth, present)], found, num_classes=len(present), iou_type=iou_type, limits=[max_detections]
    )
    return float(np.mean(curves.precision[:, :, :, 0, 0]))


def best_and_worst(
    truth: Sequence[PictureInstances],
    detections: Mapping[PictureId, PictureInstances],
    *,
    iou_type: str,
    max_detections: int = 100,
    count: int = 12,
) -> list[RankedPicture]:
    """The pictures of the highest AP, then those of the lowest, worst first; of equal ones those with more objects.

    Args:
        truth: of all pictures.
        detections: by picture.
        iou_type: "bbox" or "segm".
        max_detections: of a picture and class that count.
        count: of both together; of an odd count the best are one more. Fewer where fewer pictures have objects.
    """
    ranked: list[tuple[float, int, int]] = []
    for place, picture in enumerate(truth):
        found = detections.get(picture.picture_id)
        precision = picture_precision(picture, found, iou_type=iou_type, max_detections=max_detections)
        if precision is not None:
            ranked.append((precision, int((~picture.crowd).sum()), place))
    count = min(count, len(ranked))
    best = sorted(ranked, key=lambda rank: (-rank[0], -rank[1], rank[2]))[: (count + 1) // 2]
    rest = [rank for rank in ranked if rank not in best]
    worst = sorted(rest, key=lambda rank: (rank[0], -rank[1], rank[2]))[: count // 2]
    chosen = [(rank, True) for rank in best] + [(rank, False) for rank in worst]
    return [RankedPicture(truth[place].picture_id, precision, good) for (precision, _, place), good in chosen]


def _of_classes(picture: PictureInstances, classes: np.ndarray) -> PictureInstances:
    """The instances of these classes, which become 0, 1, ..."""
    kept = np.isin(picture.labels, classes)
    places = np.flatnonzero(kept)
    return PictureInstances(
        picture_id=picture.picture_id,
        boxes=picture.boxes[kept],
        labels=np.searchsorted(classes, picture.labels[kept]),
        areas=picture.areas[kept],
        crowd=picture.crowd[kept],
        scores=None if picture.scores is None else picture.scores[kept],
        masks=None if picture.masks is None else tuple(picture.masks[place] for place in places),
    )
