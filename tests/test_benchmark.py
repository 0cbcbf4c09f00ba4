"""The commands of the benchmark: what they print, and what they say to wrong arguments."""

import csv
import io
import re
import subprocess
import sys

import pytest

from stvit_video import benchmark
from stvit_video.benchmark import main
from stvit_video.data.benchmarks.suite import format_comparisons
from stvit_video.data.benchmarks.throughput import Comparison


def test_table_of_chosen_models(capsys):
    arguments = ["--table", "names=stvit_*deit_tiny,deit_tiny", "num_tokens=2x3", "image_size=48x64", "format=csv"]
    assert main([*arguments, "names=stvit_deit_tiny,deit_tiny"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["model"], row["input"], row["tokens_per_stage"]) for row in rows] == [
        ("deit_tiny", "48x64", "12"),
        ("stvit_deit_tiny", "48x64", "12 / 6"),
    ]
    assert rows[1]["relative_to_dense"].startswith("-")
    assert main(arguments) == 2  # the grid of two axes is none for clips
    assert "error: stvit_" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["names=deit_tyni"], "error: no model .*'deit_tyni', .*'deit_tiny'"),
        (["names=stvit_deit_tiny", "num_tokens=1000"], "error: stvit_deit_tiny: num_tokens=1000 .*196"),
        (["names=deit_tiny", "image_size=225"], r"error: deit_tiny: .*size \(225, 225\) .*patches of"),
        (["names=deit_tiny", "image_size=2x2x2"], "error: image_size='2x2x2' .*at most 2 .*=4x4"),
        (["names=deit_tiny", "num_frames=2x2"], "error: num_frames='2x2' .*whole number, at least 1"),
        (["names=video_deit_tiny", "num_frames=5"], r"error: video_deit_tiny: .*size \(5, 224, 224\) .*patches of"),
    ],
)
def test_wrong_values_are_one_line(arguments, message, capsys):
    assert main(["--table", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.match(message, err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "nothing to measure; give --table"), (["--table", "format=html"], "'html'"), (["name=data"], "names")],
)
def test_wrong_options(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_options_of_before_mean_the_same():
    new = benchmark.TABLE.parse(["--table", "names=a,b*", "num_tokens=2x3", "num_frames=8", "format=csv"])
    old = ["--table", "--names", "a,b*", "--num-tokens=2x3", "--num-frames", "8", "--format", "csv"]
    assert benchmark.TABLE.parse([*old, "--image-size", "224"]) == new
    new = benchmark.DATA.parse(["data", "videos=here", "num_frames=5", "limit=7", "frame_stride=2"])
    old = ["data", "--videos", "here", "--num-frames=5", "--limit", "7", "--frame-stride", "2", "--num-workers", "2"]
    assert benchmark.DATA.parse(old) == new


def test_as_a_command():
    command = [sys.executable, "-m", "stvit_video.benchmark", "--table", "names=deit_tiny"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    header, _, row = (" ".join(line.split()) for line in run.stdout.splitlines())
    assert header == "| model | input | params M | published | GMACs | published | tokens per stage | to dense |"
    assert row == "| deit_tiny | 224x224 | 5.72 | 5.7 | 1.258 | 1.26 | 196 | |"


ROWS = [
    Comparison(ours="clips", reference="decord", our_rate=30.0, reference_rate=40.0, target=0.85),
    Comparison(ours="clips", reference="PyAV", our_rate=30.0, reference_rate=10.0),
    Comparison(ours="clips", reference="theirs", our_rate=30.0, target=2.0, note="not measured: it is absent"),
    Comparison(ours="views", reference="decode", our_rate=5.0, reference_rate=6.0, is_time=True, target=1.3),
]


def test_data_as_a_command(monkeypatch, capsys):
    asked = {}

    def measured(folder, **settings):
        asked.update(settings, folder=folder)
        return ROWS, ["3 videos; 0 left out", "theirs: not measured: it is absent"]

    monkeypatch.setattr(benchmark, "measure_data", measured)
    assert main(["data", "videos=here", "num_frames=5", "limit=7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.search(r", \d+ cores, load \S+ before, \S+ after; \d{4}-\d\d-\d\d$", lines[0])
    assert lines[1].startswith("clips of 5 frames, stride 4, 2 worker processes on either side")
    assert lines[1].endswith("3 videos; 0 left out")
    assert lines[3:] == [*format_comparisons(ROWS).splitlines(), "", "theirs: not measured: it is absent"]
    assert (asked["folder"], asked["limit"], asked["num_workers"]) == ("here", 7, 2)
    assert (asked["preprocessing"].num_frames, asked["preprocessing"].frame_stride) == (5, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "error: .*no video in '.*';"),
        (["limit=0"], "error: limit='0' .*at least 1"),
        (["num_workers=-1"], "error: num_workers='-1' .*at least 0"),
        (["num_frames=0"], "error: num_frames='0' .*at least 1"),
    ],
)
def test_wrong_values_for_data_are_one_line(options, message, tmp_path, capsys):
    assert main(["data", f"videos={tmp_path}", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.match(message, err)


def test_data_needs_a_folder(capsys):
    assert main(["data"]) == 2
    assert capsys.readouterr().err == "error: videos is missing; give videos=PATH\n"


def test_the_speed_of_predictions_is_printed(tiny_run, capsys):
    videos, ckpt = tiny_run.videos[0].parent, tiny_run.checkpoint
    assert main(["predict", f"ckpt_path={ckpt}", f"videos={videos}", "num_workers=0", "repeats=1", "limit=2"]) == 0
    printed = capsys.readouterr().out
    assert "2 videos, stvit_video_deit_tiny, 2 clips x 3 crops" in printed
    assert re.search(r"\| a list, num_workers=0 \| [\d.]+ \| [\d.]+ \| [\d.]+ \|", printed)
    assert main(["predict", f"ckpt_path={ckpt}", "videos=absent"]) == 2
    assert "'absent' is no folder" in capsys.readouterr().err
