import csv
import json
import re

import pytest

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.scoring import evaluate_manifest
from stvit_video.tasks import video_report as report


def test_evaluation_report(tiny_run, tmp_path, capsys):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=3)
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)
    result = evaluate_manifest(recognizer, manifest)
    summary = report.report_evaluation(recognizer, manifest, result, tmp_path / "out", extra={"note": "x"})
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == summary
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert (tmp_path / "out" / "confusion_matrix.png").stat().st_size > 0
    gmacs = count_gmacs(tiny_run.model, (3, 4, 16, 16))
    assert summary["gmacs_per_view"] == pytest.approx(gmacs)
    assert summary["gmacs_per_video"] == pytest.approx(3 * gmacs)
    assert summary["note"] == "x"
    tokens = {"num_tokens": 4, "token_grid": [1, 2, 2], "reducer": "semantic", "generate_at": 1}
    assert {key: summary[key] for key in tokens} == tokens
    assert summary["result"] in capsys.readouterr().out


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("no font"), OSError(28, "No space left on device")])
def test_a_picture_that_fails_costs_no_result(tiny_run, tmp_path, capsys, caplog, monkeypatch, error):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=3)
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)
    result = evaluate_manifest(recognizer, manifest)
    seen = []

    def fail(*_):
        seen.extend(sorted(path.name for path in tmp_path.iterdir()))
        raise error

    monkeypatch.setattr(report, "save_confusion_matrix", fail)
    more = (tmp_path / "ledger").touch
    summary = report.report_evaluation(recognizer, manifest, result, tmp_path, extra={}, write_more=more)
    # all is there before a picture is drawn
    assert seen == ["ledger", "per_class.csv", "predictions.csv", "result.json"]
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert re.search(r"confusion_matrix\.png could not be drawn \(\S", caplog.text)
    assert "confusion_matrix.png" not in capsys.readouterr().out
