import json
import os
import re
import subprocess
import sys

import pytest

from stvit_video.sweeps.folder import (
    check_origin,
    find_unfinished,
    is_locked,
    named_folder,
    read_origin,
    sweep_lock,
    write_origin,
)
from stvit_video.sweeps.jobs import Job, JobTable, SweepError

ORIGIN = {"module": "stvit_video.train", "settings": "abc", "command": "-m a=1,2"}


def make_sweep(folder, *states, origin=ORIGIN, age=0):
    folder.mkdir(parents=True)
    write_origin(folder, origin)
    os.utime(folder / "sweep.json", (1e9 - age, 1e9 - age))
    jobs = [Job(number=n, overrides=(f"a={n}",), run_dir=f"{n}", state=state) for n, state in enumerate(states)]
    JobTable(folder / "jobs.csv", jobs)
    return folder


def found(base, *, jobs=2, origin=ORIGIN):
    return find_unfinished(base, origin=origin, jobs={(f"a={n}",) for n in range(jobs)})


def test_the_newest_unfinished_sweep_of_the_same_jobs_is_found(tmp_path):
    assert found(tmp_path) is None
    make_sweep(tmp_path / "day" / "1", "done", "queued", age=30)
    newest = make_sweep(tmp_path / "day" / "2", "done", "failed", age=20)
    make_sweep(tmp_path / "day" / "3", "done", "done", age=10)
    make_sweep(tmp_path / "day" / "4", "done", "failed", origin={**ORIGIN, "settings": "changed"}, age=9)
    make_sweep(tmp_path / "day" / "5", "done", "failed", origin={**ORIGIN, "module": "stvit_video.evaluate"}, age=8)
    make_sweep(tmp_path / "day" / "6", "done", "failed", "failed", age=7)
    (tmp_path / "day" / "7").mkdir()
    (tmp_path / "day" / "7" / "sweep.json").write_text("{")
    assert found(tmp_path) == newest
    assert found(tmp_path, origin={**ORIGIN, "command": "sweep.num_parallel=2"}) == newest
    named = make_sweep(tmp_path / "named", "running", "queued", age=0)
    assert found(tmp_path) == named
    with sweep_lock(named):
        assert found(tmp_path) == newest


def test_names_of_one_folder_only(tmp_path):
    assert named_folder(tmp_path, "tokens-1.b_C=3") == tmp_path / "tokens-1.b_C=3"
    for name in ("", "a/b", "..", ".hidden", "-m", "a b", 3):
        with pytest.raises(SweepError, match=f"sweep.name={re.escape(repr(name))} .*word"):
            named_folder(tmp_path, name)


def test_what_a_sweep_was_started_with(tmp_path):
    write_origin(tmp_path, ORIGIN)
    assert read_origin(tmp_path) == json.loads((tmp_path / "sweep.json").read_text()) == ORIGIN
    check_origin(tmp_path, {**ORIGIN, "command": "another"})
    with pytest.raises(SweepError, match="sweep of stvit_video.train;"):
        check_origin(tmp_path, {**ORIGIN, "module": "stvit_video.evaluate"})
    with pytest.raises(SweepError, match="configuration files have changed"):
        check_origin(tmp_path, {**ORIGIN, "settings": "other"})
    (tmp_path / "sweep.json").write_text("{half")
    with pytest.raises(SweepError, match="sweep.json is damaged"):
        read_origin(tmp_path)


HOLD = """
import sys, time
from pathlib import Path
from stvit_video.sweeps.folder import sweep_lock
with sweep_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_launcher_at_a_time_and_a_killed_one_holds_nothing(tmp_path):
    assert not is_locked(tmp_path)
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        with pytest.raises(SweepError, match="a launcher is at work in .*;"), sweep_lock(tmp_path):
            pass
    finally:
        other.kill()
        other.communicate()
    with sweep_lock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
