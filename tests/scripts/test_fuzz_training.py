"""A training on damaged videos: it goes through, and the list of the skipped ones is checked against the files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(folder, *arguments):
    command = [sys.executable, SCRIPTS / "fuzz_training.py", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace")


def counted(report):
    """Files, damaged, sound, read, refused, faults of the last line that the script prints."""
    pattern = (
        r"(\d+) files \(seed \d+; (\d+) damaged, (\d+) sound\): (\d+) read, (\d+) refused and listed in skipped.csv, "
        r"(\d+) FAULT; \d+ s with 2 workers"
    )
    return tuple(map(int, re.fullmatch(pattern, report.splitlines()[-1]).groups()))


def test_forty_damaged_files_are_read_or_listed(case_folder, tmp_path):
    done = run(case_folder, "count=40", "seed=1", f"work_dir={tmp_path}/work")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    files, damaged, sound, read, refused, faults = counted(done.stdout)
    assert (damaged, faults) == (40, 0)
    assert files == damaged + sound == read + refused
    assert refused > 10
    assert len((tmp_path / "work" / "run" / "skipped.csv").read_text().splitlines()) == 1 + refused


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_thousand_damaged_files_are_read_or_listed(case_folder, seed):
    done = run(case_folder, "count=1000", f"seed={seed}")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    _, damaged, _, read, refused, faults = counted(done.stdout)
    assert (damaged, faults) == (1000, 0)
    assert min(read, refused) > 200


def test_wrong_lists_are_found_out(script, tmp_path):
    sound, bad, unlisted = tmp_path / "sound.mp4", tmp_path / "bad.mp4", tmp_path / "unlisted.mp4"
    for path in (bad, unlisted):
        path.write_bytes(b"no video")
    (tmp_path / "result.json").write_text(json.dumps({"training": {"num_skipped": 4}}))
    (tmp_path / "skipped.csv").write_text(f"path,times\n{bad},2\n{sound},1\n")
    assert script.faults([sound], [bad, unlisted], tmp_path) == [
        f"{sound} is sound and was skipped",
        f"{unlisted} can't be opened and was not counted",
        "4 skipped by the count of the training, 3 by skipped.csv",
    ]


def test_a_training_that_hangs_is_ended_and_told(script, case_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "START_SECONDS", 0.01)
    monkeypatch.setattr(script, "SECONDS_A_FILE", 0.0)
    sound = [path for path in sorted(case_folder.iterdir()) if path.suffix == ".mov"]
    options = script.COMMAND.parse([str(case_folder), "count=2"])
    assert script.run(sound, tmp_path / "work", options) is False
    assert "FAULT: the training hung\nit took more than 0 s" in capsys.readouterr().out


def test_a_folder_without_enough_sound_videos_is_named(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 2
    assert re.search(f"{tmp_path} .*0 sound videos; .*4 or more", done.stderr)


def test_options_of_before_mean_the_same(script):
    new = script.COMMAND.parse(["here", "count=3", "seed=5", "work_dir=w"])
    assert script.COMMAND.parse(["here", "--count", "3", "--seed=5", "--work-dir", "w", "--num-workers", "2"]) == new
