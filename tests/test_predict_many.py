"""predict with out=: end to end, stopped in every way, and with bad input."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.predict import main
from stvit_video.predictions import label_run
from stvit_video.predictions.label_output import choose_num_workers
from stvit_video.predictions.result_files import Targets

REPOSITORY = Path(__file__).parents[1]
NAMES = ["a/0.mp4", "a/2.mp4", "b/1.mp4", "b/3.mp4", "broken.mp4"]


@pytest.fixture
def folder(tiny_run, tmp_path, monkeypatch):
    """videos/ with four videos in two folders, a broken one and a file of text."""
    for number, name in enumerate(("a/0.mp4", "b/1.mp4", "a/2.mp4", "b/3.mp4")):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny_run.videos[number % 3].read_bytes())
    (tmp_path / "videos" / "broken.mp4").write_text("no video")
    (tmp_path / "videos" / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start(tiny_run):
    return [f"ckpt_path={tiny_run.checkpoint}", "device=cpu", "num_clips=1", "num_crops=1"]


def rows_of(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def json_rows_of(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_a_folder_becomes_a_table_and_features(folder, start, tiny_run, capsys):
    words = [*start, "videos", "out=new/labels.csv", "features=features.npz", "top_k=2"]
    assert main(words) == 1
    told = capsys.readouterr()
    assert told.out.startswith("new/labels.csv and features.npz: 5 videos, 1 of them could not be read")
    assert "note: left out: 1 file of other endings (1 ends with .txt)" in told.err
    rows = rows_of("new/labels.csv")
    assert list(rows[0]) == ["path", "label", "probability", "label_2", "probability_2", "seconds", "error"]
    assert [row["path"] for row in rows] == [f"videos/{name}" for name in NAMES]
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1)
    expected = [recognizer(folder / "videos" / name, top_k=2) for name in NAMES[:-1]]
    with np.load("features.npz") as found:
        features = found["features"]
    for row, one, vector in zip(rows[:-1], expected, features, strict=False):
        assert (row["label"], row["label_2"]) == one.labels
        assert [float(row["probability"]), float(row["probability_2"])] == pytest.approx(one.probabilities, rel=1e-4)
        assert (float(row["seconds"]), row["error"]) == (2.5, "")
        np.testing.assert_allclose(vector, recognizer.features(row["path"])[0], rtol=1e-4, atol=1e-5)
    assert (rows[-1]["label"], "broken.mp4" in rows[-1]["error"]) == ("", True)
    assert np.isnan(features[-1]).all()
    assert main(words) == 0
    assert "complete, 5 videos, 1 of them could not be read (retry_errors=true" in capsys.readouterr().out


@pytest.mark.parametrize("num_workers", [0, 2])
def test_processes_and_batches_change_nothing(folder, start, num_workers):
    main([*start, "videos", "out=one.jsonl", "num_workers=0", "batch_size=1"])
    main([*start, "videos", "out=many.jsonl", f"num_workers={num_workers}", "batch_size=3"])
    one, many = json_rows_of("one.jsonl"), json_rows_of("many.jsonl")
    assert [(row["path"], row["labels"], row["error"]) for row in one] == [
        (row["path"], row["labels"], row["error"]) for row in many
    ]
    for first, second in zip(one[:-1], many[:-1], strict=True):
        assert first["probabilities"] == pytest.approx(second["probabilities"], rel=1e-4)


class Stopping:
    """In place of the engine: does something once it has given two predictions, and notes what it gives."""

    def __init__(self, act):
        self.act, self.real, self.seen = act, label_run.predict_records, []

    def __call__(self, recognizer, records, **settings):
        for number, prediction in enumerate(self.real(recognizer, records, **settings)):
            if number == 2:
                self.act()
            self.seen.append(prediction.file.name)
            yield prediction


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("act", "status"),
    [(interrupt, 130), (lambda: os.kill(os.getpid(), signal.SIGTERM), 143)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_stopped_run_goes_on_by_the_same_command(folder, start, monkeypatch, capsys, act, status):
    words = [*start, "videos", "out=labels.csv"]
    engine = Stopping(act)
    monkeypatch.setattr(label_run, "predict_records", engine)
    try:
        found = main(words)
    except SystemExit as stop:
        found = stop.code
    assert found == status
    assert "stopped; what is predicted is kept, and the same command goes on" in capsys.readouterr().err
    assert [row["path"] for row in rows_of("labels.csv")] == ["videos/a/0.mp4", "videos/a/2.mp4"]
    engine.act = lambda: None
    assert main(words) == 1
    assert "2 of 5 videos are predicted already" in capsys.readouterr().err
    assert engine.seen == [name.rpartition("/")[2] for name in NAMES]
    assert [row["path"] for row in rows_of("labels.csv")] == [f"videos/{name}" for name in NAMES]


KILLED = """
import os, signal, sys
import stvit_video.predict as command
from stvit_video.predictions import journal
real = journal.write_all
lines = []
def write_all(file, content):
    lines.append(content)
    if len(lines) == 3:
        file.write(content[:20])
        os.kill(os.getpid(), signal.SIGKILL)
    real(file, content)
journal.write_all = write_all
sys.exit(command.main(sys.argv[1:]))
"""
FULL = """
import resource, sys
import stvit_video.predict as command
resource.setrlimit(resource.RLIMIT_FSIZE, (1800, 1800))
sys.exit(command.main(sys.argv[1:]))
"""


def process(code, words):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command_line = [sys.executable, "-c", code, *words]
    return subprocess.run(command_line, capture_output=True, text=True, env=environment, check=False)


def test_killed_within_a_row(folder, start):
    words = [*start, "videos", "out=labels.parquet", "features=f.jsonl"]
    assert process(KILLED, words).returncode == -signal.SIGKILL
    assert not Path("labels.parquet").exists()
    assert not Path("labels.parquet.journal").read_bytes().endswith(b"\n")
    done = process("import sys, stvit_video.predict as p; sys.exit(p.main(sys.argv[1:]))", words)
    assert "2 of 5 videos are predicted already" in done.stderr
    assert done.returncode == 1
    paths = [row["path"] for row in json_rows_of("f.jsonl")]
    assert paths == [f"videos/{name}" for name in NAMES]
    assert Path("labels.parquet").exists()


def test_a_full_disk_is_one_sentence_and_the_run_goes_on(folder, start, capsys):
    words = [*start, "videos", "out=labels.csv", "features=f.npz"]
    done = process(FULL, words)
    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert "no room left" in error
    assert "kept in labels.csv.journal: make room, and the same command goes on" in error
    assert "Traceback" not in done.stderr
    assert main(words) == 1
    assert "videos are predicted already" in capsys.readouterr().err
    assert [row["path"] for row in rows_of("labels.csv")] == [f"videos/{name}" for name in NAMES]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["videos", "out=labels.csv", "num_clips=2"], "num_clips=1 then, 2 now"),
        (["videos", "out=labels.csv", "average=logit"], "average=prob then, logit now"),
        (["videos", "out=labels.csv", "protocol=videoswin"], "protocol=uniform then, videoswin now"),
        (["videos", "out=labels.csv", "num_tokens=8"], "num_tokens=1,2,2 then, 2,2,2 now"),
        (["videos", "out=labels.csv", "top_k=1"], "top_k=3 then, 1 now"),
        (["videos", "out=labels.csv", "features=f.npz"], "features=false then, true now"),
        (["videos/a", "out=labels.csv"], "another list: 3 of its 5 videos are not named now"),
        (["videos", "out=mine.csv"], "mine.csv is there already"),
        (["videos", "out=x.csv", "features=mine.csv"], "mine.csv is there already"),
        (["videos", "out=x.csv", "features=./x.csv"], "same file"),
        (["videos", "extend=true"], "extend .*out= or features="),
        (["empty", "out=x.csv"], "folder empty holds no videos"),
        (["videos/*.avi", "out=x.csv"], "finds no videos"),
        (["-", "out=x.csv"], "standard input names no video"),
        (["gone.mp4", "out=x.csv"], "the video is not there, first: 'gone.mp4'"),
        (["videos", "out=x.csv", "threshold=0.5"], "threshold=0.5 is for checkpoints with several labels"),
    ],
)
def test_bad_input_is_one_sentence_and_touches_nothing(folder, start, monkeypatch, capsys, words, rule):
    main([*start, "videos", "out=labels.csv"])
    (folder / "empty").mkdir()
    (folder / "mine.csv").write_text("mine")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert main([*start, *words]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert rule.split(" .*")[0] in error
    now = {path: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.endswith(".lock")}
    assert now == {path: content for path, content in before.items() if not path.name.endswith(".lock")}


def test_another_checkpoint_is_refused_and_a_copy_is_not(folder, start, tiny_run, capsys):
    main([*start, "videos", "out=labels.csv"])
    content = read_checkpoint(tiny_run.checkpoint)
    torch.save(content, folder / "copy.ckpt")
    assert main([f"ckpt_path={folder / 'copy.ckpt'}", *start[1:], "videos", "out=labels.csv"]) == 0
    key = next(iter(content["state_dict"]))
    content["state_dict"][key] = content["state_dict"][key] + 1
    torch.save(content, folder / "other.ckpt")
    assert main([f"ckpt_path={folder / 'other.ckpt'}", *start[1:], "videos", "out=labels.csv"]) == 2
    assert "begun with other settings: another checkpoint (digest" in capsys.readouterr().err


@pytest.mark.parametrize(("classes", "rule"), [([], "names 0 classes for 3 logits"), (None, "classes (no list)")])
def test_a_checkpoint_without_labels(folder, start, tiny_run, capsys, classes, rule):
    content = read_checkpoint(tiny_run.checkpoint)
    content["stvit_video"]["classes"] = classes
    torch.save(content, folder / "bare.ckpt")
    assert main([f"ckpt_path={folder / 'bare.ckpt'}", "videos", "out=labels.csv"]) == 2
    assert rule in capsys.readouterr().err
    torch.save({"state_dict": content["state_dict"]}, folder / "weights.ckpt")
    assert main([f"ckpt_path={folder / 'weights.ckpt'}", "videos", "out=labels.csv"]) == 2
    assert "does not say which model it holds" in capsys.readouterr().err
    assert not Path("labels.csv.journal").exists()


def test_two_processes_on_one_file(folder, start, capsys):
    with Targets(Path("labels.csv")).locked():
        assert main([*start, "videos", "out=labels.csv"]) == 2
    assert "another process is at work on labels.csv" in capsys.readouterr().err


def test_names_from_standard_input_and_added_videos(folder, start, monkeypatch, capsys):
    for content, words in ((b"videos/b/1.mp4\n", []), (b"videos/a/0.mp4\0videos/b/1.mp4\0", ["extend=true"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert main([*start, "-", "out=labels.csv", *words]) == 0
    assert [row["path"] for row in rows_of("labels.csv")] == ["videos/a/0.mp4", "videos/b/1.mp4"]
    assert "2 videos; 1 predicted in" in capsys.readouterr().out.splitlines()[-1]


def test_a_list_with_a_file_that_is_absent_is_a_row(folder, start):
    Path("list.csv").write_text("path,label\nvideos/a/0.mp4,x\ngone.mp4,x\n")
    assert main([*start, "list.csv", "out=labels.csv"]) == 1
    first, second = rows_of("labels.csv")
    assert (first["error"], second["path"]) == ("", "gone.mp4")
    assert "does not exist" in second["error"]


def test_segments_of_a_list_are_predicted_apart(folder, start, tiny_run):
    Path("list.csv").write_text("path,start_seconds,end_seconds\nvideos/a/0.mp4,0,1\nvideos/a/0.mp4,1,\n")
    assert main([*start, "list.csv", "out=labels.csv"]) == 0
    rows = rows_of("labels.csv")
    assert [(row["start_seconds"], row["end_seconds"]) for row in rows] == [("0.0", "1.0"), ("1.0", "")]
    assert [float(row["seconds"]) for row in rows] == [1.0, 1.5]
    assert rows[0]["probability"] != rows[1]["probability"]


@pytest.mark.parametrize(("cores", "num_videos", "num_workers"), [(6, 8, 0), (6, 9, 6), (1, 9, 1), (64, 10_000, 16)])
def test_how_many_processes_decode(monkeypatch, cores, num_videos, num_workers):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(cores), raising=False)
    assert choose_num_workers(num_videos) == num_workers
