"""Curves of matched detections: their axes, the numbers of pictures, and masks that don't fit."""

import numpy as np
import pytest
from detection_maker import CLASSES, random_set

from stvit_video.evaluation.detection.coco_matching import matched_curves, number_pictures
from stvit_video.evaluation.detection.instances import detected_instances, true_instances


def instances(seed=0):
    truth, detections = random_set(seed)
    found = [detected_instances(p["picture_id"], p, num_classes=5) for p in detections]
    return [true_instances(p, num_classes=5) for p in truth], found


def test_axes_are_thresholds_recalls_classes_areas_limits():
    truth, found = instances()
    curves = matched_curves(truth, found, num_classes=len(CLASSES), iou_type="bbox", limits=[1, 7])
    assert curves.precision.shape == (10, 101, 5, 4, 2)
    assert curves.recall.shape == (10, 5, 4, 2)
    assert curves.iou_thresholds == pytest.approx(np.arange(0.5, 0.96, 0.05))
    assert curves.recalls == pytest.approx(np.linspace(0, 1, 101))
    assert np.isnan(curves.precision[:, :, 2]).all()  # the class without objects
    known = curves.precision[:, :, 0, 0]
    assert (np.diff(known, axis=1) <= 0).all()
    assert (curves.recall[:, 0, 0, 0] <= curves.recall[:, 0, 0, 1]).all()
    assert curves.recall[0, 0, 0, 0] < curves.recall[0, 0, 0, 1]


def test_whole_numbers_keep_their_order_and_names_that_of_the_list():
    truth, _ = instances()
    numbers = number_pictures(truth, [])
    assert list(numbers.items()) == [(2, 1), (3, 2), (5, 3), (7, 4), (9, 5), (12, 6), (40, 7), (101, 8)]
    named = [true_instances({"picture_id": n, "boxes": [], "labels": []}, num_classes=1) for n in ("b", "a", "c")]
    assert number_pictures(named, []) == {"b": 1, "a": 2, "c": 3}


def test_the_order_of_the_pictures_does_not_matter():
    truth, found = instances(1)
    one = matched_curves(truth, found, num_classes=5, iou_type="segm", limits=[100])
    other = matched_curves(truth[::-1], found[3:] + found[:3], num_classes=5, iou_type="segm", limits=[100])
    assert np.array_equal(one.precision, other.precision, equal_nan=True)


def test_masks_of_two_sizes_name_the_picture():
    box = {"picture_id": 4, "boxes": [[0, 0, 2, 2]], "labels": [0], "scores": [1.0]}
    truth = true_instances(box | {"masks": np.ones((1, 5, 7))}, num_classes=1)
    found = detected_instances(4, box | {"masks": np.ones((1, 10, 14))}, num_classes=1)
    with pytest.raises(ValueError, match="picture 4 has masks of 7x5 and of 14x10 pixels"):
        matched_curves([truth], [found], num_classes=1, iou_type="segm", limits=[100])
