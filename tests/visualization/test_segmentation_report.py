"""The files of an evaluation, each there and of the same numbers."""

import csv
import logging

import numpy as np
import pytest
from PIL import Image

from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.visualization.segmentation_report import write_segmentation_report

CLASSES = ("sky", "sea", "ship")


def results(ids=range(14), truth=None):
    made = SegmentationResults(ids, classes=CLASSES)
    draw = np.random.default_rng(0)
    for name in ids:
        true = draw.integers(0, 2, (20 + name, 31), dtype=np.uint8) if truth is None else truth
        found = np.where(draw.random(true.shape) < name / 14, 2, np.minimum(true, 2)).astype(np.uint8)
        made.add([name], [{"labels": found}], [true])
    return made


def read(name):
    return np.full((20 + name, 31, 3), 70, dtype=np.uint8)


def read_map(name):
    return np.zeros((20 + name, 31), dtype=np.uint8)


def test_all_files_are_written(tmp_path):
    found = results()
    scores = write_segmentation_report(tmp_path, found, read=read, read_map=read_map)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["confusion_matrix.png", "examples.png", "per_class.csv"]
    assert scores.values == found.scores().values
    with (tmp_path / "per_class.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(CLASSES)
    assert float(rows[0]["IoU"]) == pytest.approx(scores.per_class[0].iou, abs=1e-6)
    assert Image.open(tmp_path / "examples.png").width > 1000
    matrix = np.asarray(Image.open(tmp_path / "confusion_matrix.png").convert("RGB")).astype(int)
    assert ((matrix[:, :, 2] - matrix[:, :, 0]) > 40).mean() > 0.01  # blue cells


def test_without_a_pixel_that_counts_there_is_no_sheet_but_a_warning(tmp_path, caplog):
    (tmp_path / "examples.png").write_bytes(b"of an earlier evaluation")
    found = results([1], truth=np.full((5, 7), 255, dtype=np.uint8))
    with caplog.at_level(logging.WARNING):
        scores = write_segmentation_report(tmp_path, found, read=read, read_map=read_map)
    assert scores.values["mIoU"] is None
    assert not (tmp_path / "examples.png").exists()
    assert "examples.png could not be drawn (there is no picture with a pixel" in caplog.text


def test_pictures_that_are_gone_by_then_leave_the_numbers(tmp_path):
    def gone(name):
        raise OSError(f"{name} is gone")

    scores = write_segmentation_report(tmp_path, results(), read=gone, read_map=gone)
    assert scores.values["aAcc"] is not None
    assert (tmp_path / "examples.png").is_file()
