"""The part of COCO's evaluation that faster-coco-eval computes: matching, and precision over recall."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stvit_video.evaluation.detection.instances import PictureId, PictureInstances

__all__ = ["AREAS", "Curves", "matched_curves", "number_pictures"]

AREAS = ("all", "small", "medium", "large")  # below 32², from there to 96², and above, in pixels
NO_VALUE = -1.0  # what COCO writes where a class has no object


class Curves(NamedTuple):
    """Precision and recall of T IoU thresholds, R recalls, K classes, 4 areas and M limits; NaN = no object.

    Attributes:
        precision: (T, R, K, 4, M) float64, the best precision at this recall or above.
        recall: (T, K, 4, M) float64, of all detections within the limit.
        iou_thresholds: (T,).
        recalls: (R,).
    """

    precision: np.ndarray
    recall: np.ndarray
    iou_thresholds: np.ndarray
    recalls: np.ndarray


def number_pictures(truth: Sequence[PictureInstances], detections: Sequence[PictureInstances]) -> dict[PictureId, int]:
    """Give each picture a number from 1.

    Detections of equal score rank by the number of their picture, so numbers ascend with ids that are whole numbers,
    as they do in COCO's own evaluation.

    Raises:
        ValueError: a picture stands twice in one of both, or has detections and is not in the truth.
    """
    ids = [picture.picture_id for picture in truth]
    if doubled := len(ids) - len(set(ids)):
        raise ValueError(f"{doubled} of {len(ids)} pictures stand twice in the truth; give each picture once")
    ordered = sorted(ids, key=int) if all(isinstance(name, int) for name in ids) else ids
    numbers = {name: number for number, name in enumerate(ordered, start=1)}
    seen: set[PictureId] = set()
    for picture in detections:
        name = picture.picture_id
        if name not in numbers:
            raise ValueError(f"picture {name!r} has detections and is none of the {len(ids)} pictures of the truth")
        if name in seen:
            raise ValueError(f"picture {name!r} has detections twice; score each picture once")
        seen.add(name)
    return numbers


def matched_curves(
    truth: Sequence[PictureInstances],
    detections: Sequence[PictureInstances],
    *,
    num_classes: int,
    iou_type: str,
    limits: Sequence[int],
) -> Curves:
    """Match detections with true objects.

    Args:
        truth: one for each picture.
        detections: at most one for each picture.
        num_classes: K.
        iou_type: "bbox" or "segm".
        limits: detections of a picture and class that count, ascending.

    Raises:
        ValueError: see `number_pictures`; masks that are needed and not there, or of two sizes in a picture.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    logging.getLogger("faster_coco_eval").setLevel(logging.WARNING)  # it tells of each step, for every picture ranked
    numbers = number_pictures(truth, detections)
    sizes = _mask_sizes((*truth, *detections)) if iou_type == "segm" else {}
    data = (_data_set(part, numbers, sizes, num_classes, iou_type) for part in (truth, detections))
    evaluation = COCOeval_faster(*map(COCO, data), iouType=iou_type)
    thresholds, recalls = evaluation.params.iouThrs, evaluation.params.recThrs
    evaluation.params.maxDets = list(limits)
    shape = (len(thresholds), num_classes, len(AREAS), len(limits))
    if not truth:
        none = np.full(shape, np.nan)
        return Curves(none[:, None].repeat(len(recalls), axis=1), none, thresholds, recalls)
    evaluation.evaluate()
    evaluation.accumulate()
    precision = np.array(evaluation.eval["precision"]).reshape(shape[0], len(recalls), *shape[1:])
    recall = np.array(evaluation.eval["recall"]).reshape(shape)
    for values in (precision, recall):
        values[values == NO_VALUE] = np.nan
    return Curves(precision, recall, thresholds, recalls)


def _mask_sizes(pictures: Sequence[PictureInstances]) -> dict[PictureId, tuple[int, int]]:
    """Picture id -> (height, width) of its masks."""
    sizes: dict[PictureId, tuple[int, int]] = {}
    for picture in pictures:
        name = picture.picture_id
        if picture.masks is None and len(picture):
            raise ValueError(
                f"picture {name!r} has boxes without masks, and iou_type='segm' compares masks; "
                "iou_type='bbox' compares boxes"
            )
        for mask in picture.masks or ():
            height, width = mask["size"]
            if sizes.setdefault(name, (height, width)) != (height, width):
                first, second = ("x".join(map(str, reversed(size))) for size in (sizes[name], (height, width)))
                raise ValueError(
                    f"picture {name!r} has masks of {first} and of {second} pixels; "
                    "all of them must have the size of the original picture"
                )
    return sizes


def _data_set(
    pictures: Sequence[PictureInstances],
    numbers: Mapping[PictureId, int],
    sizes: Mapping[PictureId, tuple[int, int]],
    num_classes: int,
    iou_type: str,
) -> dict[str, Any]:
    """The pictures as a COCO file holds them."""
    annotations: list[dict[str, Any]] = []
    for picture in pictures:
        annotations += _annotations(picture, numbers[picture.picture_id], iou_type=iou_type)
    for number, annotation in enumerate(annotations, start=1):  # to the matching, annotation 0 is none
        annotation["id"] = number
    images: list[dict[str, Any]] = []
    for name, number in numbers.items():
        height, width = sizes.get(name, (0, 0))
        images.append({"id": number, "height": height, "width": width})
    categories = [{"id": label, "name": str(label)} for label in range(num_classes)]
    return {"images": images, "categories": categories, "annotations": annotations}


def _annotations(picture: PictureInstances, number: int, *, iou_type: str) -> list[dict[str, Any]]:
    columns = (picture.boxes.tolist(), picture.labels.tolist(), picture.areas.tolist(), picture.crowd.tolist())
    made: list[dict[str, Any]] = [
        {"image_id": number, "category_id": label, "bbox": box, "area": area, "iscrowd": int(crowd)}
        for box, label, area, crowd in zip(*columns, strict=True)
    ]
    if picture.scores is not None:
        for annotation, score in zip(made, picture.scores.tolist(), strict=True):
            annotation["score"] = score
    if iou_type == "segm":
        for annotation, mask in zip(made, picture.masks or (), strict=True):
            annotation["segmentation"] = mask
    elif picture.scores is not None:  # what counts as small, where boxes are compared, is the area of the box
        for annotation in made:
            annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]
    return made
