import os
import sys
import time
from pathlib import Path

import pytest

from stvit_video.sweeps.job_process import (
    MARK,
    JobProcess,
    error_line,
    kill_marked,
    marked_processes,
    result_line,
)


def start(folder, code):
    return JobProcess([sys.executable, "-c", code], run_dir=folder, environment={"GIVEN": "g"})


def wait_for_end(process):
    deadline = time.monotonic() + 120
    while process.exit_status() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process.exit_status()


def test_a_job_has_a_group_of_its_own_its_folder_and_its_environment(tmp_path):
    code = "import os; print(os.getpgrp() == os.getpid(), os.environ['GIVEN'], os.getcwd()); exit(3)"
    process = start(tmp_path / "new" / "0", code)
    assert wait_for_end(process) == 3
    lines = (tmp_path / "new" / "0" / "output.txt").read_text().splitlines()
    assert lines[-1] == f"True g {os.getcwd()}"
    assert lines[0].startswith(f"--- sweep: {sys.executable} -c ")
    assert process.seconds > 0


SPREAD_OUT = """
import subprocess, sys
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
"""


def described(folder):
    """Every process of a job with its state, and what the job has printed."""
    lines = [f"{pid}: {Path(f'/proc/{pid}/stat').read_text()}" for pid in marked_processes(folder)]
    return "\n".join([*lines, (folder / "output.txt").read_text()])


def test_nothing_of_a_job_outlives_its_first_process(tmp_path):
    seen = tmp_path / "seen"
    wait = f"import os, time\nwhile not os.path.exists({str(seen)!r}): time.sleep(0.01)"
    process = start(tmp_path, SPREAD_OUT + wait)
    deadline = time.monotonic() + 120
    while len(marked_processes(tmp_path)) < 3:
        assert time.monotonic() < deadline, described(tmp_path)
    seen.touch()  # a busy machine may start them one long after the other
    assert wait_for_end(process) == 0
    assert marked_processes(tmp_path) == []


def test_only_processes_of_this_very_folder_are_killed(tmp_path):
    one, other = (start(tmp_path / name, "import time; time.sleep(60)") for name in ("job", "job2"))
    try:
        assert kill_marked(tmp_path / "job") == 1
        assert wait_for_end(one) == -9
        assert other.exit_status() is None
    finally:
        other.kill()
    assert wait_for_end(other) == -9
    assert kill_marked(tmp_path / "job2") == 0


def test_sigterm_goes_to_the_first_process_alone(tmp_path):
    code = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def end(number, frame):
    time.sleep(0.2)
    print("child", child.poll(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
    process = start(tmp_path, code)
    deadline = time.monotonic() + 120
    while "ready" not in (tmp_path / "output.txt").read_text().splitlines():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.ask_to_end()
    assert wait_for_end(process) == 0
    assert (tmp_path / "output.txt").read_text().splitlines()[-1] == "child None"


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        JobProcess(["/no-such-program"], run_dir=tmp_path, environment={})
    assert MARK not in os.environ


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"result": "top-1 0.5"}', "top-1 0.5"),
        ('{"top1": 0.5}', ""),
        ('{"result": "top', None),
        ("[1]", None),
    ],
)
def test_result_lines(tmp_path, text, expected):
    assert result_line(tmp_path) is None
    (tmp_path / "result.json").write_text(text)
    assert result_line(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "status", "expected"),
    [
        ("one\nerror: too few\n\nexitcode : 1\n", 1, "too few"),
        (
            "error: of the first start\n--- sweep: python\n 50 %\r 60 %\rValueError: last \n",
            1,
            "ended with status 1: ValueError: last",
        ),
        ("a\n", -9, "ended by SIGKILL: a"),
        ("", 7, "ended with status 7, without a word"),
        ("x" * 50_000 + "\nerror: at the end of much\n", 1, "at the end of much"),
        ("error: \xff bad bytes\n", 1, "� bad bytes"),
    ],
)
def test_error_lines(tmp_path, text, status, expected):
    (tmp_path / "output.txt").write_bytes(text.encode("latin-1"))
    assert error_line(tmp_path, status=status) == expected
