"""What reports share, with results that need no model."""

import json

import numpy as np
import pytest
from PIL import Image

from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.tasks import picture_report
from stvit_video.tasks.picture_report import (
    draw_curves,
    finish_report,
    gather_results,
    picture_pixels_of,
    require_some,
)

NAMES = ["a", "b", "c"]


def empty():
    return SegmentationResults(NAMES, classes=["x", "y"])


def add(results, *names):
    for name in names:
        results.add([name], [{"labels": np.zeros((2, 3), dtype=np.uint8)}], [np.zeros((2, 3), dtype=np.uint8)])


def test_the_results_of_all_processes_are_one(tmp_path, monkeypatch):
    alone = gather_results(empty, lambda own: add(own, "a", "c"), folder=tmp_path)
    assert (alone.used, int(alone.matrix[0, 0])) == (["a", "c"], 12)
    other = empty()
    add(other, "b")
    monkeypatch.setattr(picture_report, "gather_shares", lambda share, folder: [share(), other.share()])
    assert gather_results(empty, lambda own: add(own, "a", "c"), folder=tmp_path).used == NAMES
    monkeypatch.setattr(picture_report, "gather_shares", lambda share, folder: None)
    assert gather_results(empty, lambda own: None, folder=tmp_path) is None


def test_nothing_that_was_read_is_an_error_with_reasons():
    results = empty()
    results.add_missing("a", "it is empty")
    with pytest.raises(NothingEvaluatedError, match="not one of 3 .* it is empty; was never evaluated; was never"):
        require_some(results)
    add(results, "b")
    require_some(results)


def test_the_end_of_a_report_is_told(tmp_path, capsys):
    results = empty()
    add(results, "a", "b")
    results.add_missing("c", "it is empty")
    (tmp_path / "table.csv").touch()
    summary = {"result": "mIoU 1", "x": None}
    finish_report(tmp_path, summary, results, notes=["", "odd", "odd"], files=["table.csv", "sheet.png"])
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert capsys.readouterr().out.splitlines() == [
        "mIoU 1",
        "note: odd",
        "1 of 3 pictures could not be evaluated and are in no number:",
        "  c: it is empty",
        f"result.json, table.csv and report.html are in {tmp_path}",
    ]


def test_the_pixels_of_a_listed_picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(picture_pixels_of(VideoRecord(tmp_path / "a.png", "a.png", 0)), pixels)


def test_curves_that_can_not_be_drawn_are_a_warning(tmp_path, caplog):
    draw_curves(tmp_path)
    assert "curves.png could not be drawn" in caplog.text
    (tmp_path / "metrics.csv").write_text("epoch,val/mIoU\n0,0.25\n")
    draw_curves(tmp_path)
    assert (tmp_path / "curves.png").is_file()
