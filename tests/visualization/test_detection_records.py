"""Detections as JSON: rounded, best first, masks as run lengths."""

import json

import numpy as np
import pytest
import torch

from stvit_video.evaluation.detection.run_lengths import decode_mask, encode_masks
from stvit_video.visualization.detection_records import detection_records

BOXES = [[1 / 3, 2, 30.006, 40], [5, 6, 7, 8], [0, 0, 1, 1]]


def test_values_are_rounded_and_the_best_come_first():
    found = {"boxes": torch.tensor(BOXES), "labels": torch.tensor([1, 0, 1]), "scores": torch.tensor([2 / 3, 0.9, 0.1])}
    records = detection_records(found, names=["a", "قفز"], threshold=0.5)
    assert json.loads(json.dumps(records)) == [
        {"label": "a", "score": 0.9, "box": [5, 6, 7, 8]},
        {"label": "قفز", "score": 0.6667, "box": [0.33, 2, 30.01, 40]},
    ]


@pytest.mark.parametrize("form", [lambda m: m, torch.tensor, encode_masks])
def test_masks_are_run_lengths(form):
    masks = np.random.default_rng(0).random((3, 17, 23)) < 0.3
    found = {"boxes": BOXES, "labels": [0, 0, 0], "scores": [0.5, 0.9, 0.7], "masks": form(masks)}
    records = json.loads(json.dumps(detection_records(found, names=["a"], threshold=0.0)))
    assert [record["score"] for record in records] == [0.9, 0.7, 0.5]
    for record, place in zip(records, (1, 2, 0), strict=True):
        assert (decode_mask(record["mask"]) == masks[place]).all()


def test_true_objects_have_no_score_and_nothing_is_an_empty_list():
    assert detection_records({"boxes": BOXES[:1], "labels": [0]}, names=["a"], threshold=0.5) == [
        {"label": "a", "box": [0.33, 2.0, 30.01, 40.0]}
    ]
    assert detection_records({"boxes": [], "labels": [], "scores": []}, names=["a"], threshold=0.5) == []
