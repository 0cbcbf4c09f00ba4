"""Which checkpoint a path means, and whether the result beside it is about that one."""

import json
import re

import pytest
from made_bundle import write_made_bundle

from stvit_video.exporting.run_files import find_run_file


@pytest.fixture
def run(tmp_path):
    for name in ("best", "last", "epoch_3"):
        (tmp_path / f"{name}.ckpt").touch()
    (tmp_path / "result.json").write_text(json.dumps({"checkpoint": "last", "result": "top-1 50"}))
    return tmp_path


@pytest.mark.parametrize(
    ("given", "checkpoint", "name", "has_result"),
    [
        ("", None, "last", True),
        ("", "best", "best", False),
        ("last.ckpt", None, "last", True),
        ("epoch_3.ckpt", None, "epoch_3", False),
    ],
)
def test_of_a_run(run, given, checkpoint, name, has_result):
    found = find_run_file(run / given, checkpoint=checkpoint)
    assert (found.path, found.folder) == (run / f"{name}.ckpt", run)
    assert (found.result is not None) == has_result
    assert not found.is_exported


def test_without_a_result_it_is_the_best(run):
    (run / "result.json").unlink()
    found = find_run_file(run)
    assert (found.path.name, found.result) == ("best.ckpt", None)


def test_an_exported_folder_has_its_result(tmp_path):
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "result.json").write_text('{"checkpoint": "best"}')
    found = find_run_file(tmp_path)
    assert (found.path, found.folder, found.result) == (tmp_path, tmp_path, {"checkpoint": "best"})
    assert found.is_exported


def test_what_is_missing_or_damaged(run, tmp_path):
    (run / "last.ckpt").unlink()
    with pytest.raises(ValueError, match=r"there is no .*last\.ckpt; use checkpoint=best$"):
        find_run_file(run, has_choice=True)
    with pytest.raises(ValueError, match=rf"no .*last\.ckpt; give ckpt_path={re.escape(str(run))}/best\.ckpt$"):
        find_run_file(run)
    (run / "result.json").write_text("{")
    with pytest.raises(ValueError, match=r"result\.json is damaged"):
        find_run_file(run / "best.ckpt")
    with pytest.raises(ValueError, match=r"bundle_onnx is a bundle already; copy it, or give the checkpoint"):
        find_run_file(write_made_bundle(tmp_path / "bundle_onnx"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"there is no .*best\.ckpt; give the folder of a run"):
        find_run_file(tmp_path / "empty")
