"""Class names and files of any script: commands print them on any console, and end quietly where nobody reads."""

import csv
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from evaluating import evaluate
from real_data import real_file

from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.predict import main

pytestmark = pytest.mark.commands

REPOSITORY = Path(__file__).parents[1]
ODD = ("Ba$$in_x^ {0} ${oc.env:HOME}", "e\u0301cole a\u00a0b", "\u8df3\u821e \U0001f483 caf\u00e9")


@pytest.fixture
def odd_checkpoint(tiny_run, tmp_path):
    """The tiny checkpoint with other class names, two of them in a form that lists do not have."""
    content = read_checkpoint(tiny_run.checkpoint)
    content["stvit_video"]["classes"] = list(ODD)
    torch.save(content, tmp_path / "odd.ckpt")
    return tmp_path / "odd.ckpt"


def predicted(checkpoint, files, *, stdout=subprocess.PIPE, **environment):
    command = [
        sys.executable,
        "-m",
        "stvit_video.predict",
        f"ckpt_path={checkpoint}",
        "device=cpu",
        "num_clips=1",
        "--",
    ]
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.run(
        [*command, *map(str, files)], stdout=stdout, stderr=subprocess.PIPE, env=surroundings, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_predict_prints_escapes_and_finishes_all_files(tiny_run, odd_checkpoint, encoding):
    done = predicted(odd_checkpoint, tiny_run.videos, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding).splitlines()
    assert len(shown) == 3 * (1 + len(ODD))
    assert all(str(video) in shown for video in tiny_run.videos)
    escapes = [name.encode(encoding, "backslashreplace").decode(encoding) for name in ODD]
    assert all(sum(line.endswith(f"  {name}") for line in shown) == 3 for name in escapes)


def test_predict_without_a_reader(tiny_run, odd_checkpoint):
    reading, writing = os.pipe()
    os.close(reading)
    done = predicted(odd_checkpoint, tiny_run.videos, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_predict_finds_files_in_another_form(tiny_run, odd_checkpoint, tmp_path, capsys):
    on_disk = tmp_path / unicodedata.normalize("NFD", "f\u00eate.mp4")
    on_disk.write_bytes(tiny_run.videos[0].read_bytes())
    assert main([f"ckpt_path={odd_checkpoint}", "device=cpu", str(tmp_path / "f\u00eate.mp4")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert (told[0], len(told)) == (str(tmp_path / "f\u00eate.mp4"), 1 + len(ODD))  # as it was given


def test_a_checkpoint_whose_classes_have_another_form_is_evaluated(tiny_run, tmp_path):
    content = read_checkpoint(tiny_run.checkpoint)
    content["stvit_video"]["classes"] = ["e\u0301cole", "a\u00a0b", "x"]
    torch.save(content, tmp_path / "odd.ckpt")
    rows = [(str(video), name) for video, name in zip(tiny_run.videos, ("\u00e9cole", "a b", "x"), strict=True)]
    with (tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    summaries = []
    for checkpoint, data in (
        (tiny_run.checkpoint, {}),
        (tmp_path / "odd.ckpt", {"source": "csv", "val": str(tmp_path / "list.csv")}),
    ):
        folder = tmp_path / checkpoint.stem
        evaluate(ckpt_path=checkpoint, output_dir=folder, device="cpu", **data)
        summaries.append(json.loads((folder / "result.json").read_text())["result"])
    assert summaries[0] == summaries[1]


@pytest.mark.real_data
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_names_of_the_field(tiny_run, tmp_path, encoding):
    with real_file("data", "field_cases", "names", "list.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    content = read_checkpoint(tiny_run.checkpoint)
    for names in ([row["label"] for row in rows[:3]], [row["label"] for row in rows[2:]]):
        content["stvit_video"]["classes"] = names
        torch.save(content, tmp_path / "odd.ckpt")
        videos = [real_file("data", "field_cases", "names", row["path"]) for row in rows]
        done = predicted(tmp_path / "odd.ckpt", videos, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.count(b"\n") == 4 * len(videos)


def test_the_log_takes_any_name_in_a_locale_of_ascii(tiny_run, tmp_path):
    rows = zip(tiny_run.videos, ("\u00c9cole", "\u00e9cole", "x"), strict=True)
    with (tmp_path / "list.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *((str(video), name) for video, name in rows)])
    ascii_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    settings = ["data=csv", "data.train=list.csv", "parts=[train]", "num_measured=0", "num_workers=1"]
    done = subprocess.run(
        [sys.executable, "-m", "stvit_video.doctor", *settings, "hydra.run.dir=out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **ascii_locale},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"'\\xc9cole' and '\\xe9cole'" in done.stdout
    assert "'\u00c9cole' and '\u00e9cole'" in (tmp_path / "out" / "doctor.log").read_text(encoding="utf-8")
