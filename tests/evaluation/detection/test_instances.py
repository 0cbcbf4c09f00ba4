"""Objects of a picture: sizes of boxes, areas, rounding, storing, and values that don't fit together."""

import json
import re

import numpy as np
import pytest
import torch
from detection_maker import random_set

from stvit_video.evaluation.detection.instances import detected_instances, instances_of_stored, true_instances

BOX = {"picture_id": 3, "boxes": [[1.0, 2.0, 4.0, 8.0]], "labels": [1]}


def test_boxes_have_sides_and_areas():
    picture = true_instances(BOX, num_classes=2)
    assert (picture.boxes.tolist(), picture.areas.tolist(), picture.crowd.tolist()) == ([[1, 2, 3, 6]], [18], [False])
    assert (picture.corners.tolist(), len(picture), picture.scores) == (BOX["boxes"], 1, None)


def test_the_side_of_an_annotation_comes_back_to_the_last_digit():
    x, width = 10.1, 20.2
    assert (x + width) - x != width
    picture = true_instances(BOX | {"boxes": [[x, 0.0, x + width, 5.0]]}, num_classes=2)
    assert picture.boxes[0, 2] == width


def test_an_area_is_the_stated_one_else_that_of_the_mask():
    mask = np.zeros((1, 9, 7))
    mask[0, 2:5, 1:3] = 1
    assert true_instances(BOX | {"masks": mask}, num_classes=2).areas.tolist() == [6]
    assert true_instances(BOX | {"masks": mask, "areas": [5.5]}, num_classes=2).areas.tolist() == [5.5]


def test_detections_are_rounded_as_the_file_has_them():
    found = {"boxes": torch.tensor([[1 / 3, 2 / 3, 10.0, 20.0]]), "labels": torch.tensor([0])}
    found["scores"] = torch.tensor([2 / 3])
    picture = detected_instances("a.jpg", found, num_classes=1, is_rounded=True)
    assert picture.boxes.tolist() == [[0.33, 0.67, 9.67, 19.33]]
    assert picture.scores.tolist() == [0.666667]
    assert detected_instances("a.jpg", found, num_classes=1).scores.tolist() == [torch.tensor(2 / 3).item()]


def test_half_precision_is_taken():
    found = {"boxes": torch.ones(1, 4, dtype=torch.bfloat16), "labels": torch.tensor([0]), "scores": torch.ones(1)}
    assert detected_instances(1, found, num_classes=1).boxes.tolist() == [[1, 1, 0, 0]]


@pytest.mark.parametrize("kind", [true_instances, lambda p, **k: detected_instances(p["picture_id"], p, **k)])
def test_what_is_stored_comes_back(kind):
    for pictures in random_set(0):
        for values in (picture | {"scores": picture.get("scores", picture["labels"])} for picture in pictures):
            picture = kind(values, num_classes=5)
            again = instances_of_stored(json.loads(json.dumps(picture.stored())))
            assert again.stored() == picture.stored()
            for name in ("boxes", "labels", "areas", "crowd"):
                assert getattr(again, name).dtype == getattr(picture, name).dtype
                assert getattr(again, name).shape == getattr(picture, name).shape


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"boxes": [[1.0, 2.0, 4.0]]}, "boxes must be (N, 4) with one label each, got (1, 3) and 1 labels"),
        ({"labels": [1, 1]}, "got (1, 4) and 2 labels"),
        ({"labels": [-1]}, "label -1 is none of 0 to 1, the 2 classes"),
        ({"labels": [7]}, "label 7 is none of 0 to 1, the 2 classes"),
        ({"boxes": [[0, 0, np.inf, 1]]}, "boxes must be finite numbers, got inf"),
        ({"crowd": [False, True]}, "crowd must be one for each of the 1 labels, got 2"),
        ({"areas": []}, "areas must be one for each of the 1 labels, got 0"),
        ({"masks": np.zeros((2, 5, 7))}, "masks must be one for each of the 1 labels, got 2"),
    ],
)
def test_values_that_do_not_fit_name_the_picture(changes, said):
    with pytest.raises(ValueError, match=f"^picture 3: .*{re.escape(said)}"):
        true_instances(BOX | changes, num_classes=2)
