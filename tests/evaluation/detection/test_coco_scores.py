"""COCO's numbers: those of pycocotools on random sets, cases by hand, and what can't be scored."""

import re

import numpy as np
import pytest
import torch
from detection_maker import CLASSES, coco_file, coco_results, pycocotools_evaluation, random_set

from stvit_video.evaluation.detection.coco_scores import coco_scores

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR", "ARs", "ARm", "ARl")


def one_picture(boxes, labels=None, **others):
    labels = np.zeros(len(boxes), dtype=int) if labels is None else labels
    return {"picture_id": 1, "boxes": np.array(boxes, dtype=float).reshape(-1, 4), "labels": labels, **others}


def as_coco_has_it(value):
    return -1 if value is None else value


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_all_numbers_are_those_of_pycocotools(seed, iou_type):
    truth, detections = random_set(seed)
    expected = pycocotools_evaluation(coco_file(truth), coco_results(detections, iou_type=iou_type), iou_type=iou_type)
    scores = coco_scores(truth, detections, classes=CLASSES, iou_type=iou_type)
    assert tuple(scores.values) == NAMES
    found = [as_coco_has_it(value) for value in scores.values.values()]
    assert found == pytest.approx(expected.stats, abs=1e-12)
    assert 0.05 < found[0] < 0.95  # the set is neither trivial nor hopeless
    precision = np.where(np.isnan(scores.precision), -1, scores.precision)
    assert np.abs(precision - expected.eval["precision"][:, :, :, 0, 2]).max() < 1e-12
    assert (scores.num_pictures, scores.note) == (8, "")


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_each_class_has_the_numbers_of_pycocotools(iou_type):
    truth, detections = random_set(3)
    expected = pycocotools_evaluation(coco_file(truth), coco_results(detections, iou_type=iou_type), iou_type=iou_type)
    scores = coco_scores(truth, detections, classes=CLASSES, iou_type=iou_type)
    for label, found in enumerate(scores.per_class):
        assert found.name == CLASSES[label]
        precision, recall = expected.eval["precision"][:, :, label, 0, 2], expected.eval["recall"][:, label, 0, 2]
        means = [precision.mean(), precision[0].mean(), precision[5].mean(), recall.mean()]
        assert list(map(as_coco_has_it, found.values.values())) == pytest.approx(means, abs=1e-12)
        true = [((p["labels"] == label) & ~p["crowd"]).sum() for p in truth]
        assert (found.num_objects, found.num_pictures) == (sum(true), sum(n > 0 for n in true))
        assert found.num_detections == sum((p["labels"] == label).sum() for p in detections)
    missing = scores.per_class[2]
    assert (missing.num_objects, missing.values["AP"]) == (0, None)
    assert missing.num_detections > 0
    assert scores.per_class[3].values["AP"] == 0.0


def test_tensors_give_the_numbers_of_arrays():
    truth, detections = random_set(4)
    tensors = [{name: torch.tensor(v) if hasattr(v, "shape") else v for name, v in p.items()} for p in detections]
    for picture in tensors:
        picture["boxes"] = picture["boxes"].float().requires_grad_()
    found = coco_scores(truth, tensors, classes=CLASSES, iou_type="segm")
    assert found.values == coco_scores(truth, detections, classes=CLASSES, iou_type="segm").values


@pytest.mark.parametrize("limit", [1, 3, 12])
def test_fewer_detections_count_as_if_the_others_were_not_there(limit):
    truth, detections = random_set(5)
    kept = []
    for picture in detections:
        order = np.argsort(-picture["scores"], kind="stable")
        first = [n for label in range(5) for n in order[picture["labels"][order] == label][:limit]]
        kept.append({n: v if n == "picture_id" else v[sorted(first)] for n, v in picture.items()})
    found = coco_scores(truth, detections, classes=CLASSES, max_detections=limit).values
    expected = coco_scores(truth, kept, classes=CLASSES).values
    assert found == expected
    assert found["AR"] <= coco_scores(truth, detections, classes=CLASSES).values["AR"]


def test_more_than_a_hundred_detections_can_count():
    boxes = [(4 * n, 0, 4 * n + 3, 3) for n in range(150)]
    truth, found = one_picture(boxes), one_picture(boxes, scores=np.linspace(1, 0.5, 150))
    values = {limit: coco_scores([truth], [found], classes=["a"], max_detections=limit).values for limit in (100, 150)}
    assert values[100]["AR"] == pytest.approx(100 / 150)
    assert values[150]["AR"] == values[150]["AP"] == 1.0
    assert values[100]["AP"] == pytest.approx(67 / 101)  # recalls 0 to .66 are reached


def test_average_precision_by_hand():
    truth = one_picture([(0, 0, 10, 10), (20, 0, 30, 10)])
    found = one_picture([(0, 0, 10, 10), (50, 0, 60, 10), (20, 0, 30, 10)], scores=np.array([0.9, 0.8, 0.7]))
    values = coco_scores([truth], [found], classes=["a"]).values
    assert values["AP50"] == pytest.approx((51 + 50 * 2 / 3) / 101)  # half the recall at 1, the rest at 2 / 3
    assert (values["AR1"], values["AR"], values["APs"], values["APl"]) == (0.5, 1.0, values["AP"], None)


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_no_detection_at_all_is_an_ap_of_0_with_a_sentence(iou_type):
    truth, _ = random_set(6)
    for detections in ([], [{"picture_id": 12, "boxes": [], "labels": [], "scores": [], "masks": []}]):
        scores = coco_scores(truth, detections, classes=CLASSES, iou_type=iou_type)
        assert (scores.values["AP"], scores.values["AR"]) == (0.0, 0.0)
        assert "not one detection in 8 pictures" in scores.note


def test_without_objects_there_is_no_number_and_a_sentence():
    empty = one_picture([])
    for truth in ([empty], []):
        scores = coco_scores(truth, [], classes=["a", "b"])
        assert set(scores.values.values()) == {None}
        assert f"the {len(truth)} pictures hold no object" in scores.note


def test_pictures_may_have_names():
    truth, detections = random_set(7)
    names = {number: f"b/{n}.jpg" for n, number in enumerate(sorted(p["picture_id"] for p in truth))}
    expected = coco_scores(truth, detections, classes=CLASSES).values
    for pictures in (truth, detections):
        pictures.sort(key=lambda picture: picture["picture_id"])
        for picture in pictures:
            picture["picture_id"] = names[picture["picture_id"]]
    assert coco_scores(truth, detections, classes=CLASSES).values == expected


TRUE, FOUND = one_picture([(0, 0, 4, 4)]), one_picture([(0, 0, 4, 4)], scores=[0.5])


@pytest.mark.parametrize(
    ("truth", "found", "settings", "said"),
    [
        ([TRUE], [FOUND | {"picture_id": 2}], {}, "picture 2 has detections and is none of the 1 pictures"),
        ([TRUE, TRUE], [FOUND], {}, "1 of 2 pictures stand twice"),
        ([TRUE], [FOUND, FOUND], {}, "picture 1 has detections twice"),
        ([TRUE], [FOUND], {"iou_type": "box"}, "iou_type='box' is not known; use one of bbox, segm"),
        ([TRUE], [FOUND], {"iou_type": "segm"}, "picture 1 has boxes without masks"),
        ([TRUE], [FOUND], {"max_detections": 0}, "at least 1, got 0"),
        ([TRUE], [FOUND], {"classes": []}, "classes is empty"),
        ([TRUE], [FOUND | {"labels": [1]}], {}, "label 1 is none of 0 to 0, the 1 classes"),
        ([TRUE], [FOUND | {"scores": [np.nan]}], {}, "picture 1: scores must be finite numbers, got nan"),
        ([TRUE], [FOUND | {"scores": [0.1, 0.2]}], {}, "scores must be one for each of the 1 labels, got 2"),
    ],
)
def test_what_can_not_be_scored_says_why(truth, found, settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        coco_scores(truth, found, **({"classes": ["a"]} | settings))
