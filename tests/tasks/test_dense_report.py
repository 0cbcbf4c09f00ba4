"""What both reports do alike, tried with each; what they write is in test_detector_report and test_segmenter_report."""

import json

import pytest
from PIL import Image

from stvit_video.tasks import dense_report
from stvit_video.tasks.detection import Detection
from stvit_video.tasks.semantic_segmentation import SemanticSegmentation


@pytest.fixture(params=[Detection, SemanticSegmentation])
def trained(request, tiny_detector, tiny_segmenter):
    """A task, its tiny training, and the validation pictures."""
    task, run = request.param(), tiny_detector if request.param is Detection else tiny_segmenter
    settings = task.complete(task.read(run.settings).settings)
    return task, run, settings, task.build(settings, None)[1]


def run_folder(run, folder):
    for name in ("best.ckpt", "metrics.csv"):
        (folder / name).write_bytes((run.folder / name).read_bytes())
    return folder


def test_the_report_of_a_training_tells_of_it_and_draws_its_curves(trained, tmp_path):
    task, run, settings, data = trained
    summary = task.report(run_folder(run, tmp_path), settings, data, {"epochs": 1})
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert (summary["checkpoint"], summary["training"]) == ("best", {"epochs": 1})
    assert summary["task"] == settings.task
    assert summary["head"] == summary[task.report_kind.model_kind]["head"]
    assert summary["num_pictures_used"] == summary["num_pictures_listed"] == len(data.val_manifest.pictures)
    assert all((tmp_path / name).is_file() for name in ("per_class.csv", "examples.png"))
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > picture.height


def test_only_the_process_that_has_all_results_writes(trained, tmp_path, monkeypatch):
    task, run, settings, data = trained
    monkeypatch.setattr(dense_report, "gather_results", lambda empty, evaluate, folder: None)
    before = sorted(run_folder(run, tmp_path).iterdir())
    assert task.report(tmp_path, settings, data, {}) == {}
    assert sorted(tmp_path.iterdir()) == before
