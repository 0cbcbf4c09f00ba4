"""The objects of one picture, true or detected, in the form that COCO's evaluation takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stvit_video.evaluation.detection.run_lengths import Rle, encode_masks, mask_areas
from stvit_video.evaluation.picture_results import PictureId
from stvit_video.utils.plain_arrays import as_array

__all__ = ["PictureId", "PictureInstances", "detected_instances", "instances_of_stored", "true_instances"]

BOX_DIGITS = 2  # of the pixels in detections.json
SCORE_DIGITS = 6
SIDE_DIGITS = 9  # x + w - x is w again, where w has fewer digits than that


@dataclass(frozen=True, eq=False)
class PictureInstances:
    """N objects of a picture.

    Attributes:
        picture_id: of the picture, as the annotations have it.
        boxes: (N, 4) float64, [x, y, width, height] in pixels of the original picture.
        labels: (N,) int64, from 0.
        areas: (N,) float64 pixels, which say what is small, medium and large.
        crowd: (N,) bool, True = a group of objects, which the scores ignore.
        scores: (N,) float64; None = these objects are true.
        masks: N run lengths; None = boxes alone.
    """

    picture_id: PictureId
    boxes: np.ndarray
    labels: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray
    scores: np.ndarray | None = None
    masks: tuple[Rle, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def corners(self) -> np.ndarray:
        """(N, 4) float64, boxes as (x1, y1, x2, y2)."""
        return np.concatenate([self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]], axis=1)

    def stored(self) -> dict[str, Any]:
        """Its values as lists, texts and numbers; `instances_of_stored` is the inverse."""
        values = {name: getattr(self, name).tolist() for name in ("boxes", "labels", "areas", "crowd")}
        scores = None if self.scores is None else self.scores.tolist()
        masks = None if self.masks is None else list(self.masks)
        return {"picture_id": self.picture_id, **values, "scores": scores, "masks": masks}


def instances_of_stored(values: Mapping[str, Any]) -> PictureInstances:
    """The inverse of `PictureInstances.stored`."""
    return PictureInstances(
        picture_id=values["picture_id"],
        boxes=np.array(values["boxes"], dtype=np.float64).reshape(-1, 4),
        labels=np.array(values["labels"], dtype=np.int64),
        areas=np.array(values["areas"], dtype=np.float64),
        crowd=np.array(values["crowd"], dtype=bool),
        scores=None if values["scores"] is None else np.array(values["scores"], dtype=np.float64),
        masks=None if values["masks"] is None else tuple(values["masks"]),
    )


def true_instances(picture: Mapping[str, Any], *, num_classes: int) -> PictureInstances:
    """The true objects of a picture.

    Args:
        picture: "picture_id"; "boxes" (N, 4) as (x1, y1, x2, y2) in pixels of the original picture, best as float64,
            since float32 moves a box by some 1e-5 pixels; "labels" (N,) from 0; where there are any: "crowd" (N,) bool,
            "masks" (N, H, W) or run lengths, "areas" (N,) as the annotations state them. Without them an area is that
            of the mask, without masks that of the box.
        num_classes: labels are below it.

    Raises:
        ValueError: sizes that don't fit together, a label out of range, or a value that is not finite.
    """
    name = picture["picture_id"]
    boxes, labels = _boxes_and_labels(picture, name=name, num_classes=num_classes)
    masks = _masks(picture, len(labels), name=name)
    crowd = as_array(picture.get("crowd", np.zeros(len(labels)))).astype(bool).reshape(-1)
    areas = picture.get("areas")
    given = _areas(boxes, masks) if areas is None else as_array(areas).astype(np.float64).reshape(-1)
    for what, values in (("crowd", crowd), ("areas", given)):
        _require_length(what, values, len(labels), name=name)
    return PictureInstances(name, boxes, labels, given, crowd, masks=masks)


def detected_instances(
    picture_id: PictureId, detections: Mapping[str, Any], *, num_classes: int, is_rounded: bool = False
) -> PictureInstances:
    """The detections of a picture.

    Args:
        picture_id: of the picture.
        detections: "boxes" (N, 4) as (x1, y1, x2, y2) in pixels of the original picture, "scores" (N,), "labels" (N,)
            from 0, and "masks" (N, H, W) or run lengths where the model makes masks.
        num_classes: labels are below it.
        is_rounded: True = boxes to 0.01 pixel and scores to 1e-6, as detections.json has them.

    Raises:
        ValueError: sizes that don't fit together, a label out of range, or a value that is not finite.
    """
    boxes, labels = _boxes_and_labels(detections, name=picture_id, num_classes=num_classes)
    scores = as_array(detections["scores"]).astype(np.float64).reshape(-1)
    _require_length("scores", scores, len(labels), name=picture_id)
    _require_finite("scores", scores, name=picture_id)
    masks = _masks(detections, len(labels), name=picture_id)
    if is_rounded:
        boxes, scores = boxes.round(BOX_DIGITS), scores.round(SCORE_DIGITS)
    no_crowd = np.zeros(len(labels), dtype=bool)
    return PictureInstances(picture_id, boxes, labels, _areas(boxes, masks), no_crowd, scores, masks)


def _boxes_and_labels(values: Mapping[str, Any], *, name: PictureId, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    corners = as_array(values["boxes"]).astype(np.float64)
    corners = corners.reshape(-1, 4) if corners.size == 0 else corners
    labels = as_array(values["labels"]).astype(np.int64).reshape(-1)
    if corners.shape != (len(labels), 4):
        raise ValueError(
            f"picture {name!r}: boxes must be (N, 4) with one label each, got {corners.shape} and {len(labels)} labels"
        )
    _require_finite("boxes", corners, name=name)
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(
            f"picture {name!r}: label {wrong} is none of 0 to {num_classes - 1}, the {num_classes} classes; "
            "background has no label, and category ids of a file are mapped to labels when it is read"
        )
    sides = (corners[:, 2:] - corners[:, :2]).round(SIDE_DIGITS)
    return np.concatenate([corners[:, :2], sides], axis=1), labels


def _masks(values: Mapping[str, Any], count: int, *, name: PictureId) -> tuple[Rle, ...] | None:
    masks = values.get("masks")
    if masks is None:
        return None
    encoded = tuple(encode_masks(masks))
    _require_length("masks", encoded, count, name=name)
    return encoded


def _areas(boxes: np.ndarray, masks: tuple[Rle, ...] | None) -> np.ndarray:
    return boxes[:, 2] * boxes[:, 3] if masks is None else mask_areas(masks)


def _require_length(what: str, values: Sequence[Any] | np.ndarray, count: int, *, name: PictureId) -> None:
    if len(values) != count:
        raise ValueError(f"picture {name!r}: {what} must be one for each of the {count} labels, got {len(values)}")


def _require_finite(what: str, values: np.ndarray, *, name: PictureId) -> None:
    if not np.isfinite(values).all():
        raise ValueError(
            f"picture {name!r}: {what} must be finite numbers, got {values[~np.isfinite(values)][0]}; "
            "the weights or the annotations of this picture are broken"
        )
