"""COCO's numbers of detection and instance segmentation: average precision and recall, of all and of each class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stvit_video.evaluation.detection.coco_matching import AREAS, Curves, matched_curves
from stvit_video.evaluation.detection.instances import PictureInstances, detected_instances, true_instances

__all__ = ["IOU_TYPES", "ClassScores", "CocoScores", "coco_scores", "score_instances"]

IOU_TYPES = ("bbox", "segm")
FEW_DETECTIONS = (1, 10)
AREA_LETTERS = dict(zip(AREAS, ("", "s", "m", "l"), strict=True))


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class; None = no picture has an object of it.

    Attributes:
        name: of the class.
        num_objects: true ones, groups (crowd) not counted.
        num_pictures: that have such an object.
        num_detections: of the class.
        values: AP, AP50, AP75, AR, as in `CocoScores.values`.
    """

    name: str
    num_objects: int
    num_pictures: int
    num_detections: int
    values: dict[str, float | None]


@dataclass(frozen=True, eq=False)
class CocoScores:
    """The scores of a set of pictures.

    Attributes:
        iou_type: what was compared, "bbox" (boxes) or "segm" (masks).
        max_detections: of a picture and class that count, those of the highest scores.
        num_pictures: that were scored.
        values: AP (the mean over IoU thresholds .50, .55, ... .95 and classes), AP50 and AP75 (at one threshold), APs,
            APm, APl (small, medium and large objects), AR1, AR10, AR (recall with at most 1, 10 and `max_detections`
            detections), ARs, ARm, ARl; None = there is no such object.
        per_class: in the order of the labels.
        precision: (10, 101, num_classes) float64 by IoU threshold, recall and class; NaN = the class has no object.
        iou_thresholds: (10,) of the first axis of `precision`.
        recalls: (101,) of its second axis.
        note: a sentence where the values need one, else "".
    """

    iou_type: str
    max_detections: int
    num_pictures: int
    values: dict[str, float | None]
    per_class: tuple[ClassScores, ...]
    precision: np.ndarray
    iou_thresholds: np.ndarray
    recalls: np.ndarray
    note: str = ""


def coco_scores(
    truth: Sequence[Mapping[str, Any]],
    detections: Sequence[Mapping[str, Any]],
    *,
    classes: Sequence[str],
    iou_type: str = "bbox",
    max_detections: int = 100,
) -> CocoScores:
    """Score detections as COCO does.

    Args:
        truth: one for each picture, see `true_instances`.
        detections: one for each picture, with "picture_id" and what `detected_instances` takes; a picture without any
            may be left out.
        classes: names, by label.
        iou_type: "bbox" compares boxes, "segm" masks.
        max_detections: of a picture and class; those of the highest scores count.

    Raises:
        ValueError: an unknown `iou_type`, detections of an unknown picture, or values that don't fit together.
    """
    _check_settings(classes, iou_type, max_detections)
    count = len(classes)
    return score_instances(
        [true_instances(picture, num_classes=count) for picture in truth],
        [detected_instances(found["picture_id"], found, num_classes=count) for found in detections],
        classes=classes,
        iou_type=iou_type,
        max_detections=max_detections,
    )


def score_instances(
    truth: Sequence[PictureInstances],
    detections: Sequence[PictureInstances],
    *,
    classes: Sequence[str],
    iou_type: str = "bbox",
    max_detections: int = 100,
) -> CocoScores:
    """`coco_scores` of instances.

    Raises:
        ValueError: as `coco_scores`.
    """
    _check_settings(classes, iou_type, max_detections)
    limits = sorted({min(few, max_detections) for few in FEW_DETECTIONS} | {max_detections})
    curves = matched_curves(truth, detections, num_classes=len(classes), iou_type=iou_type, limits=limits)
    counts = _counts(truth, detections, num_classes=len(classes))
    per_class = tuple(
        ClassScores(name, num_objects, num_pictures, num_detections, _class_values(curves, label))
        for label, (name, (num_objects, num_pictures, num_detections)) in enumerate(zip(classes, counts, strict=True))
    )
    return CocoScores(
        iou_type=iou_type,
        max_detections=max_detections,
        num_pictures=len(truth),
        values=_values(curves, limits),
        per_class=per_class,
        precision=curves.precision[..., 0, -1],
        iou_thresholds=curves.iou_thresholds,
        recalls=curves.recalls,
        note=_note(len(truth), per_class),
    )


def _check_settings(classes: Sequence[str], iou_type: str, max_detections: int) -> None:
    if iou_type not in IOU_TYPES:
        raise ValueError(f"iou_type={iou_type!r} is not known; use one of {', '.join(IOU_TYPES)}")
    if max_detections < 1:
        raise ValueError(f"max_detections must be at least 1, got {max_detections}")
    if not classes:
        raise ValueError("classes is empty, so there is nothing to score; name at least one class")


def _values(curves: Curves, limits: Sequence[int]) -> dict[str, float | None]:
    """The 12 numbers, in COCO's order."""
    precision, recall = curves.precision[..., -1], curves.recall[..., 0, :]  # of all detections; of all areas
    values = {"AP": _mean(precision[..., 0])}
    values |= {f"AP{percent}": _mean(precision[_at(curves, percent), ..., 0]) for percent in (50, 75)}
    values |= {f"AP{letter}": _mean(precision[..., area]) for area, letter in _sizes()}
    for few in FEW_DETECTIONS:
        values[f"AR{few}"] = _mean(recall[..., limits.index(min(few, limits[-1]))])
    values["AR"] = _mean(recall[..., -1])
    return values | {f"AR{letter}": _mean(curves.recall[..., area, -1]) for area, letter in _sizes()}


def _sizes() -> list[tuple[int, str]]:
    return [(area, AREA_LETTERS[name]) for area, name in enumerate(AREAS) if AREA_LETTERS[name]]


def _counts(
    truth: Sequence[PictureInstances], detections: Sequence[PictureInstances], *, num_classes: int
) -> list[tuple[int, int, int]]:
    """Of each class: objects, pictures with an object, detections."""
    objects, pictures, found = np.zeros((3, num_classes), dtype=np.int64)
    for picture in truth:
        labels = picture.labels[~picture.crowd]
        objects += np.bincount(labels, minlength=num_classes)
        pictures[np.unique(labels)] += 1
    for picture in detections:
        found += np.bincount(picture.labels, minlength=num_classes)
    return list(zip(objects.tolist(), pictures.tolist(), found.tolist(), strict=True))


def _class_values(curves: Curves, label: int) -> dict[str, float | None]:
    precision = curves.precision[:, :, label, 0, -1]  # (T, R)
    values = {"AP": _mean(precision)}
    values |= {f"AP{percent}": _mean(precision[_at(curves, percent)]) for percent in (50, 75)}
    values["AR"] = _mean(curves.recall[:, label, 0, -1])
    return values


def _at(curves: Curves, percent: int) -> int:
    """The place of an IoU threshold."""
    return int(np.abs(curves.iou_thresholds - percent / 100).argmin())


def _mean(values: np.ndarray) -> float | None:
    """The mean of what is a number; None = nothing is."""
    known = values[~np.isnan(values)]
    return float(np.mean(known)) if known.size else None


def _note(num_pictures: int, per_class: Sequence[ClassScores]) -> str:
    num_objects = sum(scores.num_objects for scores in per_class)
    if not num_objects:
        return f"the {num_pictures} pictures hold no object, so there is no AP; score pictures with objects"
    if not any(scores.num_detections for scores in per_class):
        return (
            f"there is not one detection in {num_pictures} pictures, so every AP is 0; "
            "train longer, or detect with a lower score threshold"
        )
    return ""
