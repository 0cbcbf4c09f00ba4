"""The table of costs: what it picks, what it counts, and what it says to wrong arguments."""

import csv
import io
import re
import subprocess
import sys

import pytest

from stvit_video import benchmark
from stvit_video.benchmark import (
    choose_names,
    dense_name,
    main,
    measure_cost,
    measure_costs,
)
from stvit_video.data.benchmarks.suite import format_comparisons
from stvit_video.data.benchmarks.throughput import Comparison
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.evaluation.cost.published import PUBLISHED
from stvit_video.models import create_model, list_models


def test_names_and_patterns():
    assert choose_names([]) == list_models()
    assert choose_names(["deit_tiny"]) == ["deit_tiny"]
    assert choose_names(["stvit_*deit_tiny", "deit_tiny", "deit_*"])[:5] == [
        "stvit_deit_tiny",
        "stvit_r_deit_tiny",
        "stvit_r_video_deit_tiny",
        "stvit_video_deit_tiny",
        "deit_tiny",
    ]
    assert len(choose_names(["*", "deit_tiny"])) == len(list_models())


@pytest.mark.parametrize(
    ("name", "dense"),
    [("stvit_r_video_deit_tiny", "video_deit_tiny"), ("stvit_swin_base", "swin_base"), ("deit_small", "deit_small")],
)
def test_dense_names(name, dense):
    assert dense_name(name) == dense


def test_every_model_has_a_dense_one():
    assert {dense_name(name) for name in list_models()} <= set(list_models())


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["deit_tyni"], "no model .*'deit_tyni', .*'deit_tiny'"),
        (["deit_tiny", "*_giant"], r"no model.* matches '\*_giant'; .*deit_base, deit_small"),
    ],
)
def test_names_that_no_model_has(patterns, message):
    with pytest.raises(ValueError, match=message):
        choose_names(patterns)


def test_a_cost_is_that_of_the_built_model():
    cost = measure_cost("stvit_video_deit_tiny", image_size=(48, 64), num_frames=4, num_tokens=(1, 2, 3))
    model = create_model("stvit_video_deit_tiny", image_size=(48, 64), num_frames=4, num_tokens=(1, 2, 3))
    assert cost.input_size == (4, 48, 64)
    assert cost.num_parameters == count_parameters(model)
    assert cost.gmacs == count_gmacs(model, (3, 4, 48, 64))
    assert cost.tokens == (2 * 3 * 4, 6)
    assert cost.published is None


@pytest.mark.parametrize("name", sorted(name for name, figures in PUBLISHED.items() if len(figures.input_size) == 2))
def test_published_figures_within_one_percent(name):
    cost = measure_cost(name)
    with_head = {"distillation": True} if PUBLISHED[name].note else {}
    assert cost.published is PUBLISHED[name]
    assert cost.gmacs == pytest.approx(PUBLISHED[name].gmacs, rel=0.01)
    millions = count_parameters(create_model(name, **with_head)) / 1e6 if with_head else cost.num_parameters / 1e6
    assert millions == pytest.approx(PUBLISHED[name].parameters_millions, rel=0.01)


def test_rows_stand_by_family_beside_their_dense_model():
    names = ["stvit_video_deit_tiny", "stvit_r_deit_tiny", "deit_tiny", "stvit_deit_tiny", "stvit_deit_small"]
    costs = measure_costs(names, image_size=(48, 48), num_frames=4, num_tokens=4)
    assert [cost.name for cost in costs] == [
        "deit_tiny",
        "stvit_deit_tiny",
        "stvit_r_deit_tiny",
        "stvit_deit_small",
        "stvit_video_deit_tiny",
    ]
    assert costs[0].dense_gmacs is None
    assert costs[1].dense_gmacs == costs[2].dense_gmacs == costs[0].gmacs
    assert costs[4].dense_gmacs == measure_cost("video_deit_tiny", image_size=(48, 48), num_frames=4).gmacs
    assert all(cost.gmacs < cost.dense_gmacs for cost in costs[1:])
    assert [cost.tokens for cost in costs] == [(9,), (9, 4), (9, 4, 9), (9, 4), (18, 4)]


def test_published_figures_stand_beside_ours_for_their_settings_alone():
    assert measure_cost("deit_tiny").published == PUBLISHED["deit_tiny"]
    assert measure_cost("deit_tiny", num_tokens=4).published == PUBLISHED["deit_tiny"]  # dense: no tokens to choose
    assert measure_cost("deit_tiny", image_size=(32, 32)).published is None


def test_a_refusal_names_the_model():
    with pytest.raises(ValueError, match="^stvit_deit_tiny: num_tokens=10 .*9 image tokens"):
        measure_cost("stvit_deit_tiny", image_size=(48, 48), num_tokens=10)


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
