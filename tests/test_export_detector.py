"""A detector's run as a folder: the same detections to the last bit, from every command that takes a checkpoint."""

import json

import numpy as np
import pytest
import yaml

import stvit_video
from stvit_video import predict as predict_command
from stvit_video.dense.load_dense import load_start
from stvit_video.detections.trained_detector import detector_from_checkpoint
from stvit_video.evaluate import evaluate
from stvit_video.exporting.export_checkpoint import export_run

FILES = {"README.md", "config.yaml", "labels.json", "model.safetensors", "result.json"}


@pytest.fixture(scope="module")
def exported(tiny_detector, tmp_path_factory):
    """The folder of the tiny detector's run."""
    return export_run(tiny_detector.folder, out=tmp_path_factory.mktemp("exported") / "hand on")


def test_the_folder_says_what_the_run_was(exported, tiny_detector):
    assert {path.name for path in exported.iterdir()} == FILES
    assert json.loads((exported / "labels.json").read_text()) == ["disc", "square", "triangle"]
    assert json.loads((exported / "result.json").read_text()) == tiny_detector.result
    assert yaml.safe_load((exported / "config.yaml").read_text())["head"]["name"] == "faster_rcnn"
    card = (exported / "README.md").read_text()
    assert card.startswith("# faster_rcnn with casvit_xs\n")
    assert tiny_detector.result["result"] in card
    assert "flip_probability=" in card
    assert [word for word in ("label_smoothing", "mixup", "random_resized") if word in card] == []


def test_python_finds_the_same_objects(exported, tiny_detector):
    then, now = (stvit_video.load(path, device="cpu", score_threshold=0.01)
                 for path in (tiny_detector.checkpoint, exported))  # fmt: skip
    assert (now.classes, now.category_ids, now.sizes, now.task) == (
        then.classes, then.category_ids, then.sizes, then.task
    )  # fmt: skip
    assert now.model.describe() == then.model.describe()
    found = [one(tiny_detector.pictures[0]) for one in (then, now)]
    assert len(found[0]["scores"]) > 0
    for name, values in found[0].items():
        assert np.array_equal(values, found[1][name])


def test_evaluate_takes_the_folder(exported, tiny_detector, tmp_path):
    again = evaluate({"ckpt_path": str(exported), "device": "cpu", "num_workers": 0}, output_dir=tmp_path)
    for name in ("result", "per_class", "gmacs_detector"):
        assert again[name] == tiny_detector.result[name]


def test_predict_takes_the_folder(exported, tiny_detector, tmp_path):
    written = []
    for path in (tiny_detector.checkpoint, exported):
        out = tmp_path / path.name
        words = [f"ckpt_path={path}", f"out={out}", "device=cpu", "threshold=0.01", str(tiny_detector.pictures[0])]
        assert predict_command.main(words) == 0
        (file,) = out.glob("0*.json")
        written.append(json.loads(file.read_text()))
    assert written[0] == written[1]


def test_a_training_starts_from_the_folder(exported):
    model, _ = detector_from_checkpoint(exported)
    report = load_start(model, exported)
    assert report.new == ()
    assert len(report.loaded) == len(model.state_dict())
