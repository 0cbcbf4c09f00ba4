"""A segmenter's run as a folder: the same maps to the last bit, from every command that takes a checkpoint."""

import json

import numpy as np
import pytest
import yaml
from segmenter_run import segmenter_settings

import stvit_video
from stvit_video import predict as predict_command
from stvit_video.evaluate import evaluate
from stvit_video.exporting.export_checkpoint import export_run
from stvit_video.train import train

FILES = {"README.md", "config.yaml", "labels.json", "model.safetensors", "result.json"}


@pytest.fixture(scope="module")
def exported(tiny_segmenter, tmp_path_factory):
    """The folder of the tiny segmenter's run."""
    return export_run(tiny_segmenter.folder, out=tmp_path_factory.mktemp("exported") / "hand on")


@pytest.fixture
def picture(tiny_segmenter):
    """A validation picture."""
    return next(path for path in sorted((tiny_segmenter.root / "images" / "validation").iterdir()))


def test_the_folder_says_what_the_run_was(exported, tiny_segmenter):
    assert {path.name for path in exported.iterdir()} == FILES
    assert json.loads((exported / "labels.json").read_text()) == list(tiny_segmenter.result["per_class"])
    assert json.loads((exported / "result.json").read_text()) == tiny_segmenter.result
    assert yaml.safe_load((exported / "config.yaml").read_text())["head"]["name"] == "semantic_fpn"
    card = (exported / "README.md").read_text()
    assert card.startswith("# semantic_fpn with casvit_xs\n")
    assert tiny_segmenter.result["result"] in card
    assert "flip_probability=" in card
    assert [word for word in ("label_smoothing", "mixup", "random_resized", "crop_short_sides") if word in card] == []


def test_python_finds_the_same_labels(exported, tiny_segmenter, picture):
    then, now = (stvit_video.load(path, device="cpu") for path in (tiny_segmenter.checkpoint, exported))
    assert (now.classes, now.sizes) == (then.classes, then.sizes)
    assert now.model.describe() == then.model.describe()
    found = [one(picture) for one in (then, now)]
    for name in ("labels", "scores"):
        assert found[0][name].size > 0
        assert np.array_equal(found[0][name], found[1][name])


def test_evaluate_takes_the_folder(exported, tiny_segmenter, tmp_path):
    again = evaluate({"ckpt_path": str(exported), "device": "cpu", "num_workers": 0}, output_dir=tmp_path)
    for name in ("result", "per_class"):
        assert again[name] == tiny_segmenter.result[name]


def test_predict_takes_the_folder(exported, tiny_segmenter, picture, tmp_path):
    written = []
    for path in (tiny_segmenter.checkpoint, exported):
        out = tmp_path / path.name
        assert predict_command.main([f"ckpt_path={path}", f"out={out}", "device=cpu", str(picture)]) == 0
        (labels,) = out.glob("*_labels.png")
        written.append(labels.read_bytes())
    assert written[0] == written[1]


def test_a_training_starts_from_the_folder(exported, drawn_maps, tmp_path, capsys):
    settings = segmenter_settings(drawn_maps, f"init_from='{exported}'", "init_head=keep")
    train(settings, run_dir=tmp_path)
    assert f"weights of {exported}: " in capsys.readouterr().out
