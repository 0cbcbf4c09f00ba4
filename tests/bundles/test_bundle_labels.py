"""`predict bundle=`: in the terminal, into tables that are gone on with, and what it refuses."""

import csv
import json
import re
import sys

import pytest
from linear_bundle import onnxruntime_stand_in, write_linear_bundle

from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.predict import main


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_linear_bundle(tmp_path_factory.mktemp("labels") / "b")


def test_the_terminal_has_the_labels(folder, tiny_run, capsys):
    assert main([f"bundle={folder}", "top_k=2", "num_clips=1", "num_threads=1", "--", str(tiny_run.videos[0])]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = load_bundle(folder, num_clips=1)(tiny_run.videos[0], top_k=2)
    pairs = zip(told.labels, told.probabilities, strict=True)
    assert lines == [str(tiny_run.videos[0]), *(f"  {value:.4f}  {label}" for label, value in pairs)]


def test_a_table_is_gone_on_with_and_knows_its_bundle(folder, tiny_run, tmp_path, capsys):
    out, (first, *others) = tmp_path / "labels.csv", [str(video) for video in tiny_run.videos]
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    words = [f"bundle={folder}", f"out={out}", "num_workers=2"]
    assert main([*words, "--", first, str(tmp_path / "bad.mp4")]) == 1
    rows = list(csv.DictReader(out.open(newline="")))
    assert [row["path"] for row in rows] == [first, str(tmp_path / "bad.mp4")]
    assert rows[0]["label"] == load_bundle(folder)(first).label
    assert "bad.mp4" in rows[1]["error"]
    assert main([*words, "extend=true", "--", first, str(tmp_path / "bad.mp4"), *others]) == 1
    assert len(list(csv.DictReader(out.open(newline="")))) == 4
    capsys.readouterr()
    other = write_linear_bundle(tmp_path / "b", versions={"stvit_video": "9.8"})
    assert main([f"bundle={other}", f"out={out}", "--", first, str(tmp_path / "bad.mp4"), *others]) == 2
    assert re.search("begun with other settings: another bundle .digest", capsys.readouterr().err)
    assert main([*words, "num_crops=1", "--", first, str(tmp_path / "bad.mp4"), *others]) == 2
    assert re.search("num_crops=3 then, 1 now", capsys.readouterr().err)


def test_json_lines_of_several_labels(tmp_path, tiny_run):
    folder = write_linear_bundle(tmp_path / "b", multi_label=True)
    out = tmp_path / "labels.jsonl"
    assert main([f"bundle={folder}", f"out={out}", "threshold=0.4", "--", str(tiny_run.videos[0])]) == 0
    told = load_bundle(folder)(tiny_run.videos[0], threshold=0.4)
    row = json.loads(out.read_text())
    assert tuple(row["labels"]) == told.labels
    assert row["probabilities"] == pytest.approx(told.probabilities, abs=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["num_tokens=8"], "num_tokens=8 .*again with num_tokens=8"),
        (["features=x.npz"], "features .*logits alone"),
        (["gmacs=3"], "gmacs .*num_tokens="),
        (["every=2"], "every: .*objects or label pixels, bundles"),
        (["device=cuda"], "device=cuda .*CPU"),
        (["crop_size=224"], "crop_size=224 .*crop_size=16"),
        (["out=x.txt"], r"out='x.txt' .*\.csv"),
        (["ckpt_path=x.ckpt"], "bundle and ckpt_path exclude each other"),
        (["threshold=.5"], "threshold=0.5 .*top_k"),
    ],
)
def test_what_a_bundle_can_not_do_is_one_sentence_and_writes_nothing(
    folder, tiny_run, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    assert main([f"bundle={folder}", *words, "--", str(tiny_run.videos[0])]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_other_ends(tmp_path, tiny_run, monkeypatch, capsys):
    video = str(tiny_run.videos[0])
    assert main([f"bundle={tmp_path}", "--", video]) == 2
    assert re.search("has no bundle.json; give a folder made by", capsys.readouterr().err)
    folder = write_linear_bundle(tmp_path / "b")
    assert main([f"ckpt_path={folder}", "--", video]) == 2
    assert re.search("is a bundle, not a checkpoint; give bundle=", capsys.readouterr().err)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main([f"bundle={folder}", "--", video]) == 1
    assert re.search("format=onnx needs .*install it with: pip install onnxruntime$", capsys.readouterr().err)
    assert main([f"ckpt_path={tiny_run.checkpoint}", "num_threads=2", "--", video]) == 2
    assert re.search("num_threads=2 is for bundles; .*bundle=", capsys.readouterr().err)
    assert main(["--", video]) == 2
    assert re.search("ckpt_path is missing; give ckpt_path=.* or bundle=", capsys.readouterr().err)
