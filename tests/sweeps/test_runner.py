"""The launcher over real processes of a fake job; the kills are real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_launcher
import pytest

from stvit_video.sweeps import runner
from stvit_video.sweeps.jobs import read_jobs
from stvit_video.sweeps.runner import stop_signals


def states(folder):
    return [job.state for job in read_jobs(folder / "jobs.csv")]


def starts(folder, number):
    return [line.split() for line in (folder / str(number) / "starts").read_text().splitlines()]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, *, limit_seconds=20):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_failed_job_does_not_stop_the_others(tmp_path):
    told = []
    _, stopped_by = fake_launcher.launch(tmp_path, ["a=1", "do=fail", "do=refused", "a=2"], tell=told.append)
    jobs = read_jobs(tmp_path / "jobs.csv")
    assert stopped_by == 0
    assert [job.state for job in jobs] == ["done", "failed", "failed", "done"]
    assert [job.exit_status for job in jobs] == [0, 1, None, 0]
    assert [job.message for job in jobs] == [
        "result of a=1",
        "this job fails, as it was asked to",
        "this job can't be started",
        "result of a=2",
    ]
    assert told[0] == f"[0] a=1 runs, output in {tmp_path}/0/output.txt"
    assert told[1].startswith("[0] a=1 done after ")
    assert told[3].startswith("[1] do=fail failed after ")
    assert "words of the job" in (tmp_path / "3" / "output.txt").read_text()


def test_one_after_the_other_unless_told_otherwise(tmp_path):
    fake_launcher.launch(tmp_path, ["a=1 seconds=0.2", "a=2"])
    first, second = (starts(tmp_path, number)[0] for number in (0, 1))
    assert float(second[2]) - float(first[2]) > 0.2
    assert first[1] == second[1] == "gpu0"


def test_two_at_once_have_places_of_their_own(tmp_path):
    fake_launcher.launch(tmp_path, ["a=1 seconds=1", "a=2 seconds=1", "a=3"], num_parallel=2)
    assert states(tmp_path) == ["done", "done", "done"]
    assert {starts(tmp_path, number)[0][1] for number in (0, 1)} == {"gpu0", "gpu1"}
    begin = [float(starts(tmp_path, number)[0][2]) for number in (0, 1, 2)]
    assert begin[2] - min(begin) > 0.9


def test_a_job_over_its_time_is_ended_with_children_that_ignore_sigterm(tmp_path):
    fake_launcher.launch(tmp_path, ["do=stubborn", "a=1"], limit_seconds=2.0)
    jobs = read_jobs(tmp_path / "jobs.csv")
    assert [job.state for job in jobs] == ["timed out", "done"]
    assert jobs[0].message == "took longer than sweep.time_limit_minutes=0.0333333"
    assert jobs[0].exit_status == -signal.SIGKILL
    assert jobs[0].seconds >= 2.0
    child = int((tmp_path / "0" / "child").read_text())
    assert not is_alive(child)


def heed_interrupts():
    """Also where the tests themselves run in the background of a shell, which ignores Ctrl-C there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_launcher(folder, *jobs, parallel=1):
    command = [sys.executable, fake_launcher.__file__, str(folder), str(parallel), "0", *jobs]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_launcher_ends_its_jobs_and_says_so(tmp_path, number):
    process = start_launcher(tmp_path, "do=once", "a=1")
    wait_for(lambda: (tmp_path / "0" / "starts").is_file())
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == number
    assert states(tmp_path) == ["interrupted", "queued"]
    assert "[0] do=once interrupted after" in output
    assert not is_alive(int(starts(tmp_path, 0)[0][0]))
    fake_launcher.launch(tmp_path, ["do=once", "a=1"])
    assert states(tmp_path) == ["done", "done"]
    assert len(starts(tmp_path, 0)) == 2


def test_after_a_killed_launcher_the_same_command_goes_on(tmp_path):
    """SIGKILL leaves the job alone in the world; the next launcher ends it before it starts the job anew."""
    jobs = ["a=1", "do=once", "a=2"]
    process = start_launcher(tmp_path, *jobs)
    wait_for(lambda: (tmp_path / "1" / "starts").is_file())
    wait_for(lambda: states(tmp_path) == ["done", "running", "queued"])  # the table is written after the start
    process.kill()
    process.communicate()
    orphan = int(starts(tmp_path, 1)[0][0])
    assert is_alive(orphan)
    told = []
    fake_launcher.launch(tmp_path, jobs, tell=told.append)
    assert states(tmp_path) == ["done", "done", "done"]
    assert not is_alive(orphan)
    assert [len(starts(tmp_path, number)) for number in range(3)] == [1, 2, 1]
    assert told[0] == "[1] do=once was still running without its launcher and has been ended"


def test_an_error_of_the_launcher_itself_leaves_no_job_behind(tmp_path, monkeypatch):
    def full_disk(self, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner.SweepRunner, "_watch", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fake_launcher.launch(tmp_path, ["do=hang"])
    assert runner.kill_marked(tmp_path / "0") == 0


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            wait_for(lambda: stop.number)
        assert (stop.number, stop.times) == (signal.SIGTERM, 1)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_all_that_a_killed_launcher_left_is_ended_before_a_job_starts(tmp_path):
    jobs = ["a=1", "do=once b=1", "do=once b=2"]
    process = start_launcher(tmp_path, *jobs, parallel=2)
    wait_for(lambda: all((tmp_path / str(number) / "starts").is_file() for number in (1, 2)))
    wait_for(lambda: states(tmp_path) == ["done", "running", "running"])  # the table is written after the start
    process.kill()
    process.communicate()
    told = []
    fake_launcher.launch(tmp_path, jobs, tell=told.append)
    assert [line.partition("]")[0] for line in told[:3]] == ["[1", "[2", "[1"]
    assert all(line.endswith("was still running without its launcher and has been ended") for line in told[:2])
    assert states(tmp_path) == ["done", "done", "done"]
