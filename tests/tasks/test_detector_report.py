import csv
import json
import shutil

import numpy as np
import pytest
import torch

from stvit_video.data.layouts.coco import find_coco
from stvit_video.data.loading.true_objects import true_objects
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.tasks.detector_report import DetectorReport


def listed(root):
    return find_coco("val", known_classes=None, root=str(root))()


@pytest.fixture
def copied(tiny_detector, tmp_path):
    """A folder of pictures that may be changed."""
    shutil.copytree(tiny_detector.root, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture(scope="module")
def detector(tiny_detector):
    return load_trained_detector(tiny_detector.checkpoint, device="cpu")


def test_files_hold_what_the_summary_says(detector, tiny_detector, tmp_path, capsys):
    pictures = listed(tiny_detector.root)
    summary = DetectorReport().evaluate(detector, pictures, tmp_path, batch_size=2, num_workers=0, extra={"x": 1})
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert (summary["x"], summary["task"], summary["model"]) == (1, "detection", "casvit_xs")
    assert summary["gmacs_detector"] > summary["gmacs_backbone"] > 0
    assert summary["picture_size"] == [64, 64]  # 64 x 48, padded to multiples of 32
    assert {"hardware", "commit", "date"} <= set(summary)
    with (tmp_path / "per_class.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["disc", "square", "triangle"]
    found = json.loads((tmp_path / "detections.json").read_text())
    assert {one["category_id"] for one in found} <= {1, 2, 3}
    for name in ("pr_curves.png", "examples.png"):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"
    told = capsys.readouterr().out
    assert told.startswith(summary["result"])
    assert f"examples.png and report.html are in {tmp_path}" in told


def test_a_picture_that_can_not_be_read_is_missing_with_its_reason(detector, copied, tmp_path, capsys):
    (copied / "val" / "000002.png").write_bytes(b"no picture")
    summary = DetectorReport().evaluate(detector, listed(copied), tmp_path, batch_size=5, num_workers=0, extra={})
    assert summary["result"].endswith("4 of 5 pictures)")
    told = capsys.readouterr().out
    assert "1 of 5" in told
    assert "000002.png" in told


def test_the_cost_is_that_of_most_pictures_and_the_line_tells_the_limits(detector, tiny_detector, tmp_path):
    """Pictures of 64 x 48 pixels with a long side of up to 200 are no larger for it."""
    wide = load_trained_detector(tiny_detector.checkpoint, device="cpu", long_side=200)
    summary = DetectorReport().evaluate(
        wide, listed(tiny_detector.root), tmp_path, batch_size=5, num_workers=0, extra={}
    )
    assert summary["picture_size"] == [64, 64]
    assert summary["gmacs_detector"] == pytest.approx(tiny_detector.result["gmacs_detector"])
    assert "(200x48, " in summary["result"]


def test_nothing_that_can_be_read_is_an_error(detector, copied, tmp_path):
    for path in (copied / "val").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(
        NothingEvaluatedError, match="not one of 5 pictures could be read, for example .*000000.png.*; .*000001.png"
    ):
        DetectorReport().evaluate(detector, listed(copied), tmp_path / "out", batch_size=2, num_workers=0, extra={})


def test_no_detections_at_all_are_an_ap_of_zero(detector, tiny_detector, tmp_path, capsys):
    silent = load_trained_detector(tiny_detector.checkpoint, device="cpu", score_threshold=1.0)
    summary = DetectorReport().evaluate(
        silent, listed(tiny_detector.root), tmp_path, batch_size=5, num_workers=0, extra={}
    )
    assert (summary["AP"], summary["AP50"], summary["AR"]) == (0, 0, 0)
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in told[1:-1]] == ["note: there is not one detection in 5 pictures"]
    assert json.loads((tmp_path / "detections.json").read_text()) == []
    assert (tmp_path / "examples.png").is_file()


def test_pictures_without_objects_have_no_ap_and_no_examples(detector, copied, tmp_path, capsys):
    (tmp_path / "examples.png").write_bytes(b"of an earlier evaluation")
    path = copied / "annotations" / "instances_val.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "annotations": []}))
    summary = DetectorReport().evaluate(detector, listed(copied), tmp_path, batch_size=5, num_workers=0, extra={})
    assert summary["AP"] is None
    assert summary["num_pictures_used"] == 5
    told = capsys.readouterr().out
    assert "AP -" in told
    assert "note: the 5 pictures hold no object" in told
    assert not (tmp_path / "examples.png").exists()
    assert f"detections.json, pr_curves.png and report.html are in {tmp_path}" in told
    assert "examples.png" not in told


def test_perfect_detections_have_an_ap_of_one(detector, tiny_detector, tmp_path, monkeypatch):
    """The whole way from the files to the line, with a model that knows the answer."""
    pictures = listed(tiny_detector.root)
    truths = iter(true_objects(pictures, masks=False))

    def known(truth):
        boxes, labels = (torch.as_tensor(np.asarray(truth[name])) for name in ("boxes", "labels"))
        return {"boxes": boxes.float(), "scores": torch.ones(len(labels)), "labels": labels}

    monkeypatch.setattr(
        detector.model, "detect", lambda batch, sizes, originals, **more: [known(next(truths)) for _ in sizes]
    )
    summary = DetectorReport().evaluate(detector, pictures, tmp_path, batch_size=2, num_workers=0, extra={})
    assert summary["AP"] == pytest.approx(1)
    assert summary["AR"] == pytest.approx(1)
