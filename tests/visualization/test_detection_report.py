"""The files of an evaluation, each there and of the same numbers."""

import csv
import json
import logging

import numpy as np
import pytest
from detection_maker import CLASSES, PICTURE_IDS, SIZES, random_set
from PIL import Image

from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.detection_report import write_detection_report

IDS = [9, 7, 5, 3, 1]


def results(seed=0):
    truth, detections = random_set(seed)
    made = DetectionResults(truth, classes=CLASSES)
    made.add(PICTURE_IDS, detections)
    return made


def read(name):
    return np.full((*SIZES[PICTURE_IDS.index(name) % 4], 3), 70, dtype=np.uint8)


def test_all_files_are_written(tmp_path):
    found = results()
    scores = write_detection_report(tmp_path, found, iou_types=("bbox", "segm"), category_ids=IDS, read=read)
    names = ["detections.json", "examples.png", "per_class.csv", "pr_curves.png"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert scores["segm"].values == found.scores("segm").values
    assert {entry["category_id"] for entry in json.loads((tmp_path / names[0]).read_text())} <= set(IDS)
    with (tmp_path / names[2]).open(newline="") as file:
        row = next(csv.DictReader(file))
    assert float(row["mask_AP"]) == pytest.approx(scores["segm"].per_class[0].values["AP"], abs=1e-6)
    assert Image.open(tmp_path / names[1]).width > 1000
    curves = np.asarray(Image.open(tmp_path / names[3]).convert("RGB"))
    drawn = [one.name for one in scores["bbox"].per_class if one.values["AP"] is not None]
    for name in drawn:  # the colour that the class has on pictures
        assert (curves == class_colour(CLASSES.index(name))).all(-1).sum() > 20


def test_without_objects_there_is_no_sheet_but_a_warning(tmp_path, caplog):
    found = DetectionResults([{"picture_id": 1, "boxes": [], "labels": []}], classes=["a"])
    found.add([1], [{"boxes": [], "labels": [], "scores": []}])
    with caplog.at_level(logging.WARNING):
        scores = write_detection_report(tmp_path, found, iou_types=("bbox",), category_ids=[1], read=read)
    assert scores["bbox"].values["AP"] is None
    assert not (tmp_path / "examples.png").exists()
    assert "examples.png could not be drawn (there is no picture with an object" in caplog.text
