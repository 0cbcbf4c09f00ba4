"""The result line, result.json's values and the table of classes."""

import csv
import json

import numpy as np

from stvit_video.evaluation.segmentation.map_scores import map_scores
from stvit_video.evaluation.segmentation.map_tables import (
    describe_map_protocol,
    map_result_line,
    map_scores_for_json,
    write_map_classes,
)

MATRIX = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
CLASSES = ("sky", 'sea, "deep"', "ship")


def test_the_protocol_names_all_that_an_miou_depends_on():
    sides = {"short_side": 512, "long_side": 2048}
    line = describe_map_protocol(**sides, window=None, window_stride=None, num_used=199, num_listed=200)
    assert line == "short side 512, long side 2048, whole picture, 199 of 200 pictures"
    line = describe_map_protocol(**sides, window=512, window_stride=341, num_used=2, num_listed=2)
    assert line == "short side 512, long side 2048, windows of 512 at stride 341, 2 of 2 pictures"
    shared = {"window": None, "window_stride": None, "num_used": 2, "num_listed": 2, "key_frames": "x y"}
    line = describe_map_protocol(**sides, **shared)
    assert line == "short side 512, long side 2048, whole picture, x y, 2 of 2 pictures"


def test_the_line_has_three_digits_or_a_dash():
    line = map_result_line(map_scores(MATRIX, classes=CLASSES), protocol="x")
    assert line == "mIoU 0.536  mAcc 0.708  aAcc 0.700  (x)"
    nothing = map_scores(np.zeros((1, 1), dtype=np.int64), classes="a")
    assert map_result_line(nothing, protocol="x") == "mIoU -  mAcc -  aAcc -  (x)"


def test_json_has_null_where_there_is_no_pixel():
    values = json.loads(json.dumps(map_scores_for_json(map_scores(MATRIX, classes=CLASSES))))
    assert values["aAcc"] == 0.7
    assert values["per_class"]["sky"] == {"IoU": 0.5, "accuracy": 0.75, "pixels": 4}
    assert values["per_class"]["ship"] == {"IoU": None, "accuracy": None, "pixels": 0}


def test_the_table_has_a_row_a_class(tmp_path):
    write_map_classes(tmp_path / "per_class.csv", map_scores(MATRIX, classes=CLASSES))
    with (tmp_path / "per_class.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(CLASSES)
    assert rows[1] == {
        **{"class": 'sea, "deep"', "label": "1", "IoU": "0.571429", "accuracy": "0.666667"},
        **{"pixels": "6", "share": "0.600000", "predicted_pixels": "5"},
    }
    assert (rows[2]["IoU"], rows[2]["accuracy"], rows[2]["pixels"]) == ("", "", "0")
