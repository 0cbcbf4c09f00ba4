"""prepare_kinetics.py as a command: the published labels, a miniature tree twice, and errors in one line."""

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from video_maker import SHARED_DATA, make_video

from stvit_video.data.manifest import read_csv_manifest

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_kinetics.py"
KINETICS_VAL = SHARED_DATA / "kinetics_labels" / "kinetics-400_val.csv"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A function that runs the script's main in an empty folder: exit code, output, errors."""
    spec = importlib.util.spec_from_file_location("prepare_kinetics", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = script.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_the_published_list_with_two_downloads(run, tmp_path):
    with KINETICS_VAL.open(newline="") as file:
        first, second = (next(rows) for rows in [csv.DictReader(file)] for _ in range(2))
    names = [f"{first['youtube_id']}.mp4", f"{second['label']}/{second['youtube_id']}_000036_000046.mp4"]
    (tmp_path / "downloads" / second["label"]).mkdir(parents=True)
    for name in names:
        make_video(tmp_path / "downloads" / name, num_frames=12)
    options = ("--csv", KINETICS_VAL, "--videos", "downloads", "--output", "k400/val.csv", "--num-workers", 2)
    code, output, errors = run(*options)
    assert (code, errors) == (0, "")
    assert output.splitlines()[:3] == [
        "19906 videos are listed, 2 are there, 19904 are missing",
        "k400/val.csv: 2 videos of 1 classes (2 val)",
        "k400/val.left_out.csv: 19904 videos, with reasons",
    ]
    records = read_csv_manifest(tmp_path / "k400" / "val.csv").records
    assert [record.path for record in records] == [tmp_path / "downloads" / name for name in names]
    copy = ("--transcode", "--short-side", 32, "--gop", 5, "--preset", "ultrafast")
    assert "2 copies were made, 0 were there, 0 failed" in run(*options, *copy)[1]
    assert "0 copies were made, 2 were there, 0 failed" in run(*options, *copy)[1]
    records = read_csv_manifest(tmp_path / "k400" / "val.csv").records
    assert [record.video_id for record in records] == [
        f"val/abseiling/{first['youtube_id']}.mp4",
        f"val/abseiling/{second['youtube_id']}_000036_000046.mp4",
    ]
    assert all(record.path.is_file() for record in records)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--csv", "list.csv"), "error: none of the 1 videos can be used; the reasons are in out.left_out.csv\n"),
        (("--csv", "list.csv", "--gop", "0"), "error: short_side=256 must be at least 2 pixels, gop=0 at least 1"),
    ],
)
def test_errors_are_one_line(run, tmp_path, arguments, message):
    (tmp_path / "list.csv").write_text("label,youtube_id,time_start,time_end,split\nrun,AAAAAAAAAAA,1,2,val\n")
    code, _, errors = run("--videos", ".", "--output", "out.csv", *arguments)
    assert code == 1
    assert errors.startswith(message)
    assert errors.count("\n") == 1


def test_the_script_runs_by_itself(tmp_path):
    command = [sys.executable, SCRIPT, "--csv", "gone.csv", "--videos", ".", "--output", "out.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: there is no manifest gone.csv; correct the path\n")
