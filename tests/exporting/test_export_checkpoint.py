"""A checkpoint as a folder: the same predictions to the last bit, from every command that takes a checkpoint."""

import json
import shutil

import pytest
import torch
import yaml
from evaluating import evaluate

from stvit_video import predict as predict_command
from stvit_video.exporting.export_checkpoint import export_checkpoint, export_run
from stvit_video.exporting.run_files import find_run_file
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models import create_model, load_checkpoint

RESULT = {
    "checkpoint": "best",
    "result": "top-1 33.33 (3 of 3 videos)",
    "gmacs_per_view": 0.5,
    "commit": None,
    "versions": {"torch": "2"},
    "hardware": "a processor",
    "date": "2026-11-21",
    "training": {"seconds": 1.0, "epochs": 1},
}
FILES = {"model.safetensors", "config.yaml", "labels.json", "README.md"}


@pytest.fixture
def run(tiny_run, tmp_path):
    """A folder as training leaves it, evaluated on its best checkpoint."""
    folder = tmp_path / "a run"
    folder.mkdir()
    shutil.copy(tiny_run.checkpoint, folder / "best.ckpt")
    (folder / "result.json").write_text(json.dumps(RESULT))
    return folder


def test_the_folder_predicts_as_the_checkpoint_to_the_last_bit(run, tiny_run, capsys):
    out = export_run(run)
    assert {path.name for path in out.iterdir()} == FILES | {"result.json"}
    then, now = (load_recognizer(path, device="cpu") for path in (tiny_run.checkpoint, out))
    clip = torch.randn(5, 3, 4, 16, 16)
    with torch.no_grad():
        assert torch.equal(now.model(clip), then.model(clip))
    assert (now.classes, now.preprocessing, now.protocol) == (then.classes, then.preprocessing, then.protocol)
    printed = []
    for path in (tiny_run.checkpoint, out):
        assert predict_command.main([f"ckpt_path={path}", "device=cpu", "--", *map(str, tiny_run.videos)]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


def test_evaluate_and_python_take_the_folder(run, tiny_run, tmp_path):
    out = export_run(run, out=tmp_path / "hand on")
    results = [
        evaluate(ckpt_path=path, output_dir=tmp_path / name, device="cpu")
        for name, path in (("then", tiny_run.checkpoint), ("now", out))
    ]
    assert results[0]["result"] == results[1]["result"]
    tables = [(tmp_path / name / "predictions.csv").read_text() for name in ("then", "now")]
    assert tables[0] == tables[1]
    clip = torch.randn(2, 3, 4, 16, 16)
    model = create_model("stvit_video_deit_tiny", pretrained=out).eval()
    assert torch.equal(model(clip), tiny_run.model(clip))
    assert load_checkpoint(model, out).format == "stvit_video checkpoint"
    assert json.loads((out / "labels.json").read_text()) == ["a, comma", "jump", "run"]
    assert yaml.safe_load((out / "config.yaml").read_text())["data"]["source"] == "csv"


def test_numbers_of_another_checkpoint_are_left_out(run, tiny_run):
    shutil.copy(tiny_run.checkpoint, run / "last.ckpt")
    export_run(run, checkpoint="last")
    assert {path.name for path in (run / "export").iterdir()} == FILES
    assert "not measured by the training" in (run / "export" / "README.md").read_text()


def test_a_single_file_and_its_card(run, tiny_run, tmp_path):
    shutil.copy(tiny_run.checkpoint, run / "epoch_3.ckpt")
    out = export_checkpoint(find_run_file(run / "epoch_3.ckpt"))
    assert out == run / "export"
    assert {path.name for path in out.iterdir()} == FILES
    assert "These are the weights of epoch_3.ckpt." in (out / "README.md").read_text()
    with pytest.raises(ValueError, match="is an exported folder already; "):
        export_checkpoint(find_run_file(out), out=tmp_path / "again")
