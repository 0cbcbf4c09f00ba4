"""Random pictures with true objects and detections, and what pycocotools makes of them."""

import contextlib
import io
from typing import Any

import numpy as np

CLASSES = ("cell", "platelet", "no object", "not detected", "crowds")
SIZES = ((210, 130), (97, 260), (180, 181), (64, 71))  # height, width
PICTURE_IDS = (12, 3, 7, 40, 5, 9, 101, 2)


def ellipse(box, size) -> np.ndarray:
    """(H, W) bool: the ellipse that fills a box (x1, y1, x2, y2)."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    x1, y1, x2, y2 = box
    across = (columns + 0.5 - (x1 + x2) / 2) / max((x2 - x1) / 2, 0.5)
    down = (rows + 0.5 - (y1 + y2) / 2) / max((y2 - y1) / 2, 0.5)
    return across**2 + down**2 <= 1


def _boxes(draw, count, size) -> np.ndarray:
    """(count, 4) whole numbers, so that an IoU can lie on a threshold; from 3 pixels to all of the picture."""
    width_height = np.array(size[::-1])
    sides = draw.integers(3, width_height // (1 + draw.integers(0, 5, (count, 1))) + 1)
    corner = draw.integers(0, width_height - sides + 1)
    return np.concatenate([corner, corner + sides], axis=1).astype(np.float64)


def _masks(boxes, size) -> np.ndarray:
    return np.stack([ellipse(box, size) for box in boxes]) if len(boxes) else np.zeros((0, *size), dtype=bool)


def random_set(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Truth and detections: crowds, pictures without either, equal scores, a class without objects."""
    draw = np.random.default_rng(seed)
    truth, detections = [], []
    for place, name in enumerate(PICTURE_IDS):
        size = SIZES[place % len(SIZES)]
        count = 0 if place == 1 else int(draw.integers(1, 9))
        boxes, labels = _boxes(draw, count, size), draw.choice([0, 0, 0, 1, 3, 4], count)
        crowd = (labels == 4) | (draw.random(count) < 0.1)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * draw.uniform(0.4, 1, count)
        truth.append(
            {"picture_id": name, "boxes": boxes, "labels": labels, "crowd": crowd, "masks": _masks(boxes, size)}
            | ({"areas": areas} if place % 2 else {})
        )
        detections.append({"picture_id": name, **_detected(draw, truth[-1], size, is_empty=place == 2)})
    return truth, detections


def _detected(draw, picture, size, *, is_empty: bool) -> dict[str, Any]:
    """Most true boxes, moved by some pixels, some of them twice or as another class, and boxes of nothing."""
    near = picture["boxes"].repeat(2, axis=0) + draw.integers(-3, 4, (2 * len(picture["boxes"]), 4))
    limits = np.array([size[1], size[0], size[1], size[0]])
    near[:, :2] = near[:, :2].clip(0, limits[:2] - 2)
    near[:, 2:] = np.maximum(near[:, 2:].clip(0, limits[2:]), near[:, :2] + 1)
    labels = picture["labels"].repeat(2)
    keep = (draw.random(len(near)) < 0.7) & (labels != 3) & (not is_empty)
    far = _boxes(draw, 0 if is_empty else int(draw.integers(0, 20)), size)
    boxes = np.concatenate([near[keep], far])
    labels = np.concatenate([labels[keep], draw.choice([0, 1, 2, 4], len(far))])
    scores = draw.integers(1, 12, len(boxes)) / 12  # with ties
    return {"boxes": boxes, "labels": labels, "scores": scores, "masks": _masks(boxes, size)}


def coco_file(truth, *, category_ids=None) -> dict[str, Any]:
    """The truth as an annotation file holds it."""
    from pycocotools import mask as library

    ids = list(range(len(CLASSES))) if category_ids is None else category_ids
    annotations = []
    for picture in truth:
        for n, box in enumerate(picture["boxes"]):
            rle = library.encode(np.asfortranarray(picture["masks"][n], dtype=np.uint8))
            area = picture["areas"][n] if "areas" in picture else library.area(rle)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": picture["picture_id"], "area": float(area)}
                | {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "iscrowd": int(picture["crowd"][n])}
                | {"category_id": ids[picture["labels"][n]], "segmentation": rle}
            )
    images = [{"id": p["picture_id"], "height": p["masks"].shape[1], "width": p["masks"].shape[2]} for p in truth]
    categories = [{"id": number, "name": name} for number, name in zip(ids, CLASSES, strict=True)]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def coco_results(detections, *, iou_type: str) -> list[dict[str, Any]]:
    """The detections as pycocotools reads them: boxes or masks alone, so that areas are those of what is compared."""
    from pycocotools import mask as library

    results = []
    for picture in detections:
        for n, box in enumerate(picture["boxes"]):
            found = {"image_id": picture["picture_id"], "category_id": int(picture["labels"][n])}
            found["score"] = float(picture["scores"][n])
            if iou_type == "bbox":
                found["bbox"] = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
            else:
                found["segmentation"] = library.encode(np.asfortranarray(picture["masks"][n], dtype=np.uint8))
            results.append(found)
    return results


def pycocotools_evaluation(truth_file, results, *, iou_type: str):
    """The finished COCOeval of pycocotools; `stats` holds the 12 numbers."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = truth_file
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation
