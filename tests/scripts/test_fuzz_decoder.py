"""The damaged files themselves, how a reading is judged, and the runs: no crash, no hang, every file counted."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_decoder.py"


@pytest.fixture
def sound(case_folder):
    return [path for path in case_folder.iterdir() if path.suffix != ".csv"]


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, folder, *arguments], capture_output=True, text=True, errors="replace"
    )


def counted(report):
    """{outcome: number} in the last line that the script prints."""
    return {kind: int(number) for number, kind in re.findall(r"(\d+) (read|refused|timed out|FAULT)", report)}


def test_the_same_seed_makes_the_same_files(script, sound):
    series = [script.mutated(sound, number=number, seed=3) for number in range(12)]
    assert series == [script.mutated(sound[::-1], number=number, seed=3) for number in range(12)]
    assert series != [script.mutated(sound, number=number, seed=4) for number in range(12)]


def test_every_kind_of_damage_is_in_a_hundred_and_damages(script, sound):
    originals = {path.read_bytes() for path in sound}
    made = [script.mutated(sound, number=number, seed=0) for number in range(100)]
    assert all(any(kind.__name__ in name for name, _ in made) for kind in script.MUTATIONS)
    assert sum(data not in originals for _, data in made) >= 90


def test_each_damage_does_what_its_name_says(script):
    import random

    data, donor = bytes(range(1, 256)) * 40, b"donor" * 2000
    damaged = {kind.__name__: bytes(kind(bytearray(data), donor, random.Random(7))) for kind in script.MUTATIONS}
    assert len(data) == 10200
    for name in ("flip_bits", "flip_header_bits"):
        bits = [(a ^ b).bit_count() for a, b in zip(data, damaged[name], strict=True)]
        assert 1 <= sum(bits) <= 64
    changed = [at for at, count in enumerate(bits) if count]
    assert max(changed) < 2048 or min(changed) >= len(data) - 2048
    assert data.startswith(damaged["truncate"])
    assert len(damaged["truncate"]) < len(data)
    assert damaged["swap_header"].startswith(b"donor")
    assert damaged["swap_header"][4096:] == data[4096:]
    assert len(damaged["zero_bytes"]) == len(data)
    assert 1 <= damaged["zero_bytes"].count(0) <= len(data) // 4
    assert len(data) - 4096 <= len(damaged["cut_out"]) < len(data)


class Opened:
    """A video that reads as it is told."""

    num_frames = 30

    def __init__(self, deed):
        self.read = deed

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def test_how_a_reading_is_judged(script, monkeypatch):
    def fail(error):
        raise error

    asked = []
    deeds = {
        "read": asked.append,
        "refused": lambda _: fail(script.DecodeError("clip.mp4 is odd")),
        "timed out": lambda _: fail(script.DecodeTimeoutError("clip.mp4 is slow")),
        "FAULT": lambda _: fail(KeyError("no word of it")),
    }
    for kind, deed in deeds.items():
        monkeypatch.setattr(script, "open_video", lambda *args, deed=deed, **settings: Opened(deed))
        assert script.try_reading(Path("clip.mp4"), backend="auto", time_limit_seconds=1).kind == kind
    assert [list(indices) for indices in asked] == [list(range(0, 24, 3))]
    monkeypatch.setattr(script, "open_video", lambda *args, **settings: fail(script.DecodeError("it is odd")))
    assert "does not name the file" in script.try_reading(Path("a.mp4"), backend="auto", time_limit_seconds=1).reason
    monkeypatch.setattr(script, "MARGIN_SECONDS", 0.01)
    monkeypatch.setattr(script, "open_video", lambda *args, **settings: Opened(lambda _: time.sleep(0.05)))
    slow = script.try_reading(Path("clip.mp4"), backend="auto", time_limit_seconds=0.01)
    assert slow.kind == "FAULT"
    assert "with a limit of 0.01 s" in slow.reason


def test_a_hundred_damaged_files_are_read_or_refused(case_folder):
    done = run(case_folder, "count=100", "time_limit_seconds=5")
    counts = counted(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert sum(counts.values()) == 100
    assert counts["read"] > 20
    assert counts["refused"] > 20
    assert counts["FAULT"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_thousand_damaged_files_are_read_or_refused(case_folder, seed):
    done = run(case_folder, "count=1000", f"seed={seed}")
    counts = counted(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert sum(counts.values()) == 1000
    assert counts["FAULT"] == 0


def test_a_fault_is_kept_and_ends_with_status_1(script, case_folder, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script, "open_video", lambda *args, **settings: 1 / 0)
    assert script.main([str(case_folder), "count=2", f"keep={tmp_path}/bad"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("FAULT 0000") == 2
    assert "ZeroDivisionError: division by zero" in printed
    assert len(list((tmp_path / "bad").iterdir())) == 2


def test_a_folder_without_videos_is_named(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 2
    assert re.search(f"{tmp_path} .*no video;", done.stderr)


def test_options_of_before_mean_the_same(script):
    new = script.COMMAND.parse(["here", "count=3", "time_limit_seconds=7", "backend=pyav", "keep=bad"])
    old = ["--count", "3", "--time-limit-seconds=7", "--backend", "pyav", "--keep", "bad", "--seed", "0"]
    assert script.COMMAND.parse([*old, "here"]) == new
