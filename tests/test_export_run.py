"""A run as a folder: the same predictions to the last bit, from every command that takes a checkpoint."""

import json
import re
import shutil

import pytest
import torch
import yaml
from evaluating import evaluate

from stvit_video import export_run as command
from stvit_video import predict as predict_command
from stvit_video.export_run import export_run
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


def test_numbers_of_another_checkpoint_are_left_out(run, tiny_run, capsys):
    shutil.copy(tiny_run.checkpoint, run / "last.ckpt")
    assert command.main([str(run), "checkpoint=last"]) == 0
    assert "README.md, config.yaml, labels.json, model.safetensors are in" in capsys.readouterr().out
    assert {path.name for path in (run / "export").iterdir()} == FILES
    assert "not measured by the training" in (run / "export" / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "prepare", "message"),
    [
        ([], lambda run: (run / "export").mkdir() or (run / "export" / "x").touch(), "export is there already;"),
        (["checkpoint=last"], lambda run: None, "last.ckpt; .*checkpoint=best"),
        ([], lambda run: (run / "best.ckpt").unlink(), "best.ckpt; .*folder of a run"),
        (
            [],
            lambda run: (run / "result.json").write_text("{"),  # the whole sentence, once for its family
            r"result.json is damaged \(.*\); remove it to export the run without its numbers$",
        ),
        ([], lambda run: (run / "best.ckpt").write_bytes(b"x"), "best.ckpt' is no checkpoint"),
        (["out=/dev/null/x"], lambda run: None, "/dev/null .*written"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(run, capsys, arguments, prepare, message):
    prepare(run)
    before = sorted(run.rglob("*"))
    assert command.main([str(run), *arguments]) == (1 if arguments[:1] == ["out=/dev/null/x"] else 2)
    found = capsys.readouterr().err
    assert re.search(message, found), found
    assert found.count("\n") == 1
    assert sorted(run.rglob("*")) == before


def test_options_of_before_mean_the_same():
    new = command.COMMAND.parse(["a run", "out=x", "checkpoint=last"])
    for old in (["--out", "x", "--checkpoint", "last"], ["--checkpoint=last", "--out=x"]):
        assert command.COMMAND.parse(["a run", *old]) == new
