"""budget: as a command on a tiny checkpoint, its front in the checkpoint, predict within it, and clear errors."""

import csv
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from elastic_run import write_elastic_checkpoint
from evaluating import evaluate

import stvit_video
from stvit_video.budget import main
from stvit_video.inference.stored_front import FRONT_KEY, read_front
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import model_from_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.predict import main as predict

FEW = ("num_frames=4", "frame_stride=2", "crop_size=16", "num_crops=1", "device=cpu")  # 8 settings


@pytest.fixture
def run(elastic_run, quick_costs, tmp_path):
    """A function: words -> the exit status of the command, for a copy of the checkpoint."""
    checkpoint = tmp_path / "run" / "best.ckpt"
    checkpoint.parent.mkdir()
    shutil.copy(elastic_run.checkpoint, checkpoint)

    def start(*words):
        return main([f"ckpt_path={checkpoint}", *FEW, *words])

    start.checkpoint = checkpoint
    return start


@pytest.fixture
def video(elastic_run):
    return elastic_run.manifest.parent / "video 0.mp4"


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_chosen_setting_has_the_accuracy_that_is_told(elastic_run, run, tmp_path, capsys):
    assert run("gmacs=1", "first_videos=4") == 0
    told = capsys.readouterr()
    folder = run.checkpoint.parent / "budget"
    assert f"budget.csv, tried.csv, halves.csv and budget.png are in {folder}" in told.out
    assert "8 settings on 4 videos" in told.err
    front = rows(folder / "budget.csv")
    assert told.out.count("\n| ") == len(front)
    line = next(line for line in told.out.splitlines() if "stvit_video.evaluate" in line)
    words = dict(word.split("=", 1) for word in shlex.split(line)[3:])
    halves = rows(folder / "halves.csv")
    for half, name in (("choosing", "accuracy"), ("reporting", "reported")):
        listed = tmp_path / f"{half}.csv"
        labels = {row["path"]: row["label"] for row in rows(elastic_run.manifest)}
        with listed.open("w", newline="") as file:
            mine = [(row["video"], labels[row["video"]]) for row in halves if row["half"] == half]
            csv.writer(file).writerows([("path", "label"), *mine])
        chosen = {key.removeprefix("model."): int(value) for key, value in words.items() if key != "ckpt_path"}
        summary = evaluate(
            ckpt_path=words["ckpt_path"],
            output_dir=tmp_path / half,
            device="cpu",
            source="csv",
            val=str(listed),
            root=str(elastic_run.manifest.parent),
            **chosen,
        )
        assert summary["top1"] == pytest.approx(float(front[-1][name]), abs=1e-4)


def test_the_same_command_again_has_nothing_to_look_at(run, capsys):
    assert run() == 0
    first = rows(run.checkpoint.parent / "budget" / "budget.csv")
    capsys.readouterr()
    assert run() == 0
    assert "14 videos" not in capsys.readouterr().err
    again = rows(run.checkpoint.parent / "budget" / "budget.csv")
    measured = ("clips_per_second", "latency_ms", "best_for_speed")
    plain = [[{key: row[key] for key in row if key not in measured} for row in table] for table in (first, again)]
    assert plain[0] == plain[1]


def test_the_front_goes_into_the_checkpoint_and_predict_and_load_use_it(run, video, capsys):
    assert run("write=true") == 0
    assert f"{run.checkpoint} holds the front of" in capsys.readouterr().out
    front = read_front(read_checkpoint(run.checkpoint)[METADATA_KEY], source="x")
    assert front.date
    assert front.hardware
    model_from_checkpoint(run.checkpoint)
    for point in (front.points[0], front.points[-1]):
        for words in ({"gmacs": point.gmacs * 1.0001}, {"latency_ms": 1e6}):
            wanted = point if "gmacs" in words else max(front.points, key=lambda one: one.accuracy)
            chosen = stvit_video.load(run.checkpoint, device="cpu", **words)
            same = stvit_video.load(run.checkpoint, device="cpu", **wanted.settings.plain())
            assert chosen.protocol == same.protocol
            assert chosen.preprocessing == same.preprocessing
            assert (chosen.logits(video) == same.logits(video)).all()
    assert (
        predict([f"ckpt_path={run.checkpoint}", "device=cpu", f"gmacs={front.points[0].gmacs * 1.01}", str(video)]) == 0
    )
    within = capsys.readouterr().out
    words = front.points[0].settings.words().split()
    assert predict([f"ckpt_path={run.checkpoint}", "device=cpu", *words, str(video)]) == 0
    assert capsys.readouterr().out == within


def test_speed_of_another_machine_is_a_warning_until_it_is_measured_here(run, capsys):
    assert run("write=true") == 0
    content = read_checkpoint(run.checkpoint)
    content[METADATA_KEY][FRONT_KEY]["hardware"] = "a slow processor, 1 threads"
    torch.save(content, run.checkpoint)
    with pytest.warns(UserWarning, match=r"latency_ms .*a slow processor, 1 threads.*speed_only=true"):
        stvit_video.load(run.checkpoint, device="cpu", latency_ms=1e6)
    assert run("speed_only=true", "latency_ms=1e6") == 0
    assert "the most accurate within latency_ms=1e+06: " in capsys.readouterr().out
    stvit_video.load(run.checkpoint, device="cpu", latency_ms=1e6)


def test_a_budget_that_nothing_meets_names_the_cheapest_before_a_video_is_read(run, capsys):
    assert run("gmacs=1e-9") == 2
    told = capsys.readouterr().err
    assert re.fullmatch(
        r"error: no setting meets gmacs=1e-09: the cheapest is num_frames=4 .*; give gmacs=.* or more\n", told
    )
    assert run("latency_ms=1e-9") == 2
    assert "the cheapest is num_frames=4 " in capsys.readouterr().err


def test_another_checkpoint_list_or_setting_is_refused(elastic_run, run, tmp_path, capsys):
    assert run() == 0
    other = tmp_path / "other.csv"
    other.write_text("".join(elastic_run.manifest.read_text().splitlines(keepends=True)[:9]))
    where = ("data.source=csv", f"data.val={other}", f"data.root={elastic_run.manifest.parent}")
    for words, rule in (
        (("num_tokens=2",), "num_tokens=2,4 then, 2 now"),
        (("seed=3",), "seed=0 then, 3 now"),
        (("average=logit",), "average=prob then, logit now"),
        (where, r"videos=14 \(digest \w+\) then, 8 "),
    ):
        capsys.readouterr()
        assert run(*words) == 2
        assert re.search(f"was begun with other settings: {rule}.*out=FOLDER", capsys.readouterr().err)
    assert run(*where, f"out={tmp_path / 'new'}") == 0
    write_elastic_checkpoint(run.checkpoint, elastic_run.manifest, seed=1)
    capsys.readouterr()
    assert run() == 2
    assert "another checkpoint (digest " in capsys.readouterr().err


def test_validation_data_that_are_gone(elastic_run, tmp_path, capsys):
    write_elastic_checkpoint(tmp_path / "best.ckpt", tmp_path / "gone.csv")
    assert main([f"ckpt_path={tmp_path / 'best.ckpt'}", *FEW]) == 2
    assert re.search(r"gone\.csv(.|\n)*data\.root=/path, or .*data\.source=csv data\.val=", capsys.readouterr().err)
    (tmp_path / "gone.csv").write_text("path,label\nno.mp4,sit\n")
    assert main([f"ckpt_path={tmp_path / 'best.ckpt'}", *FEW]) == 2
    assert "no.mp4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("gmacs=0",), "gmacs='0' must be a number above 0"),
        (("gmacs=1", "latency_ms=2"), "gmacs and latency_ms exclude each other; give one of them$"),
        (("num_tokens=a",), "num_tokens='a' .*such as num_tokens="),
        (("num_tokens=999",), "not one of 4 settings can be run: num_tokens=999"),
        (("generate_at=0",), "generate_at='0'"),
        (("generate_at=9",), "not one of .* generate_at=9 is deeper than the 2 image blocks"),
        (("speed_only=true",), "holds no front .*stvit_video.budget ckpt_path=.* write=true"),
        (("data.val=x.csv",), r"data\.val .*need data\.source"),
        (("num_video=5",), "num_video is no setting; did you mean num_videos"),
        (("num_crops=1,2",), "num_crops='1,2' must be 1, 3 or both"),
    ],
)
def test_wrong_settings_end_in_a_sentence(run, capsys, words, rule):
    assert run(*words) == 2
    told = capsys.readouterr()
    assert re.search(f"^error: .*{rule}", told.err, re.MULTILINE), told.err
    assert not (run.checkpoint.parent / "budget" / "budget.csv").exists()


def test_predict_within_a_budget_needs_a_front(elastic_run, video, capsys):
    assert predict([f"ckpt_path={elastic_run.checkpoint}", "device=cpu", "gmacs=1", str(video)]) == 2
    assert "stvit_video.budget ckpt_path=" in capsys.readouterr().err


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on(elastic_run, tmp_path):
    shutil.copy(elastic_run.checkpoint, tmp_path / "best.ckpt")
    command = [sys.executable, "-m", "stvit_video.budget", f"ckpt_path={tmp_path / 'best.ckpt'}", *FEW]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for folder in ("whole", "killed"):
        words = [*command, "first_videos=2", f"out={tmp_path / folder}"]
        with subprocess.Popen(words, env=environment) as process:
            journal = tmp_path / folder / "budget.journal"
            while folder == "killed" and process.poll() is None:
                if journal.exists() and len(journal.read_bytes().splitlines()) > 3:
                    process.send_signal(signal.SIGKILL)
                time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL
    assert subprocess.run(words, check=False, env=environment).returncode == 0
    tables = [rows(tmp_path / folder / "tried.csv") for folder in ("whole", "killed")]
    assert tables[0] == tables[1]
