"""mIoU, mAcc and aAcc against their definition, pixel by pixel, and against torchmetrics."""

import math

import numpy as np
import pytest
import torch

from stvit_video.evaluation.segmentation.confusion import IGNORED, add_to_confusion, empty_confusion
from stvit_video.evaluation.segmentation.map_scores import map_scores, occurring_iou


def maps(num_classes=6, size=(23, 17), seed=0):
    """Predicted and true labels; class 4 is predicted but never true, class 5 neither."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, num_classes - 2, size)
    labels = np.where(draw.random(size) < 0.6, truth, draw.integers(0, num_classes - 1, size))
    truth[draw.random(size) < 0.15] = IGNORED
    return labels, truth


def matrix_of(labels, truth, num_classes=6):
    matrix = empty_confusion(num_classes)
    add_to_confusion(matrix, labels, truth)
    return matrix


def slow_scores(labels, truth, num_classes):
    """By sets of pixels."""
    counted = {(r, c) for r in range(truth.shape[0]) for c in range(truth.shape[1]) if truth[r, c] != IGNORED}
    ious, accuracies = [], []
    for label in range(num_classes):
        true = {place for place in counted if truth[place] == label}
        found = {place for place in counted if labels[place] == label}
        ious.append(len(true & found) / len(true | found) if true | found else math.nan)
        accuracies.append(len(true & found) / len(true) if true else math.nan)
    right = sum(labels[place] == truth[place] for place in counted)
    return ious, accuracies, right / len(counted)


@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_the_definition(seed):
    labels, truth = maps(seed=seed)
    ious, accuracies, share = slow_scores(labels, truth, 6)
    found = map_scores(matrix_of(labels, truth), classes="abcdef")
    assert found.values["mIoU"] == pytest.approx(np.nanmean(ious), abs=1e-12)
    assert found.values["mAcc"] == pytest.approx(np.nanmean(accuracies), abs=1e-12)
    assert found.values["aAcc"] == pytest.approx(share, abs=1e-12)
    for one, iou, accuracy in zip(found.per_class, ious, accuracies, strict=True):
        assert math.nan if one.iou is None else one.iou == pytest.approx(iou, nan_ok=True)
        assert (one.iou is None, one.accuracy is None) == (math.isnan(iou), math.isnan(accuracy))
    assert [one.num_pixels for one in found.per_class] == [(truth == label).sum() for label in range(6)]
    assert sum(one.num_predicted for one in found.per_class) == (truth != IGNORED).sum()


def test_the_iou_of_each_class_is_that_of_torchmetrics():
    from torchmetrics.functional.classification import multiclass_jaccard_index

    labels, truth = maps(seed=5)
    expected = multiclass_jaccard_index(
        torch.from_numpy(labels), torch.from_numpy(truth), num_classes=6, ignore_index=IGNORED, average="none"
    )
    found = map_scores(matrix_of(labels, truth), classes="abcdef")
    assert [one.iou or 0.0 for one in found.per_class] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_class_that_neither_occurs_nor_is_predicted_is_in_no_mean_and_is_told():
    found = map_scores(matrix_of(*maps()), classes=("a", "b", "c", "d", "predicted", "absent"))
    assert (found.per_class[4].iou, found.per_class[4].accuracy) == (0.0, None)
    assert (found.per_class[5].iou, found.per_class[5].accuracy) == (None, None)
    assert found.note == "1 of 6 classes have no true and no predicted pixel and are in no mean: absent"
    many = map_scores(np.diag([1] + [0] * 9), classes="abcdefghij")
    assert many.note.endswith("in no mean: b, c, d, e, f and 4 more")
    assert map_scores(np.eye(2, dtype=np.int64), classes="ab").note == ""


def test_without_a_pixel_that_counts_there_is_no_score():
    found = map_scores(empty_confusion(3), classes="abc")
    assert found.values == {"mIoU": None, "mAcc": None, "aAcc": None}
    assert found.note.startswith("no pixel counts")


def test_a_matrix_worked_out_by_hand():
    matrix = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
    found = map_scores(matrix, classes=("sky", "sea", "ship"))
    assert found.values == pytest.approx({"mIoU": (3 / 6 + 4 / 7) / 2, "mAcc": (3 / 4 + 4 / 6) / 2, "aAcc": 0.7})
    with pytest.raises(ValueError, match=r"matrix is \(3, 3\) but there are 2 class names"):
        map_scores(matrix, classes=("sky", "sea"))


def test_a_picture_is_ranked_by_the_classes_that_it_has():
    matrix = np.array([[3, 1, 0], [2, 4, 1], [0, 0, 0]])  # the third class is predicted and does not occur
    assert occurring_iou(matrix) == pytest.approx((3 / 6 + 4 / 8) / 2)
    assert occurring_iou(empty_confusion(3)) is None
