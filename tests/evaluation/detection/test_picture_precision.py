"""AP of single pictures, and the choice of the best and the worst."""

import pytest
from detection_maker import CLASSES, random_set

from stvit_video.evaluation.detection.coco_scores import coco_scores
from stvit_video.evaluation.detection.instances import detected_instances, true_instances
from stvit_video.evaluation.detection.picture_precision import best_and_worst, picture_precision


def instances(seed=0):
    truth, detections = random_set(seed)
    found = {p["picture_id"]: detected_instances(p["picture_id"], p, num_classes=5) for p in detections}
    return [true_instances(p, num_classes=5) for p in truth], found


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_it_is_the_ap_of_a_set_of_this_picture_alone(iou_type):
    truth, detections = random_set(0)
    pictures, found = instances()
    for true, detected, picture in zip(truth, detections, pictures, strict=True):
        values = coco_scores([true], [detected], classes=CLASSES, iou_type=iou_type).values
        precision = picture_precision(picture, found[picture.picture_id], iou_type=iou_type)
        assert precision == (None if values["AP"] is None else pytest.approx(values["AP"], abs=1e-12))
    assert picture_precision(pictures[1], found[3], iou_type=iou_type) is None  # it has no object


def test_no_detection_is_0():
    pictures, found = instances()
    assert picture_precision(pictures[0], None, iou_type="bbox") == 0.0
    assert picture_precision(pictures[2], found[7], iou_type="bbox") == 0.0


def square(name, count):
    boxes = [[20.0 * n, 0, 20 * n + 10, 10] for n in range(count)]
    return {"picture_id": name, "boxes": boxes, "labels": [0] * count}


def test_the_best_come_first_and_then_the_worst_those_with_more_objects_before_others():
    truth = [
        true_instances(square(name, count), num_classes=1)
        for name, count in zip("abcdefg", (1, 2, 0, 3, 4, 2, 1), strict=True)
    ]
    hits = {"a": 1, "b": 1, "c": 0, "d": 3, "e": 0, "f": 0, "g": 1}
    found = {
        name: detected_instances(name, square(name, count) | {"scores": [0.9] * count}, num_classes=1)
        for name, count in hits.items()
    }
    ranked = best_and_worst(truth, found, iou_type="bbox", count=5)
    assert [(r.picture_id, r.is_best) for r in ranked] == [
        ("d", True), ("a", True), ("g", True), ("e", False), ("f", False),
    ]  # fmt: skip
    assert [r.precision for r in ranked] == [1.0, 1.0, 1.0, 0.0, 0.0]
    every = best_and_worst(truth, found, iou_type="bbox")
    assert sorted(r.picture_id for r in every) == ["a", "b", "d", "e", "f", "g"]  # each once, none without objects
    assert best_and_worst([truth[2]], {}, iou_type="bbox") == []
