"""The command that exports a run: what it prints, mistakes, and options of before."""

import json
import re
import shutil

import pytest

from stvit_video import export_run as command


@pytest.fixture
def run(tiny_run, tmp_path):
    """A folder as training leaves it, evaluated on its best checkpoint."""
    folder = tmp_path / "a run"
    folder.mkdir()
    shutil.copy(tiny_run.checkpoint, folder / "best.ckpt")
    (folder / "result.json").write_text(json.dumps({"checkpoint": "best"}))
    return folder


def test_it_names_the_files_and_their_folder(run, tiny_run, capsys):
    shutil.copy(tiny_run.checkpoint, run / "last.ckpt")
    assert command.main([str(run), "checkpoint=last"]) == 0
    told = capsys.readouterr().out
    assert told == f"README.md, config.yaml, labels.json, model.safetensors are in {run / 'export'}\n"


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
