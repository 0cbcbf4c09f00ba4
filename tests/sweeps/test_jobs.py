from pathlib import Path

import pytest

from stvit_video.sweeps.jobs import COLUMNS, Job, JobTable, SweepError, read_jobs, resume_jobs
from stvit_video.utils import atomic_files

ODD = ("data.train='a, b.csv'", 'x="quo\'te"', "y=a b", "z=ä\nnew line")
JOBS = [
    Job(
        number=0, overrides=ODD, run_dir="m/0", state="done", started="2026-01-02T03:04:05", seconds=1.5, exit_status=0
    ),
    Job(number=1, overrides=(), run_dir="m/1", state="timed out", exit_status=-9, message='said "no",\nand ended'),
    Job(number=5, overrides=("a=1",), run_dir="m/5"),
]


def test_what_is_written_is_read(tmp_path):
    JobTable(tmp_path / "jobs.csv", JOBS)
    assert read_jobs(tmp_path / "jobs.csv") == JOBS
    assert (tmp_path / "jobs.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


def test_every_change_is_on_disk_at_once(tmp_path):
    table = JobTable(tmp_path / "jobs.csv", JOBS)
    table.put(Job(number=5, overrides=("a=1",), run_dir="m/5", state="running"))
    assert [job.state for job in read_jobs(tmp_path / "jobs.csv")] == ["done", "timed out", "running"]
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.csv"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("number,overrides\n0,a=1\n", "it has no column state, started, "),
        ("", "it has no column number, "),
        (f"{','.join(COLUMNS)}\n0,a,resting,,0,,m,\n", "unknown state 'resting'"),
        (f"{','.join(COLUMNS)}\nx,a,done,,0,,m,\n", "invalid literal"),
        (f"{','.join(COLUMNS)}\n0,a\n", "None"),
        (f"{','.join(COLUMNS)}\n0,'a,done,,0,,m,\n", "No closing quotation"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, fault):
    path = tmp_path / "jobs.csv"
    path.write_text(text)
    with pytest.raises(SweepError, match=f"jobs.csv .*no table of jobs .*{fault}.*columns number, overrides"):
        read_jobs(path)


def test_the_same_command_keeps_what_is_done_and_queues_the_rest():
    old = [
        Job(number=0, overrides=("a=1",), run_dir="m/0", state="done", message="good"),
        Job(number=1, overrides=("a=2",), run_dir="m/1", state="failed", message="bad"),
        Job(number=2, overrides=("a=3",), run_dir="m/2", state="running"),
    ]
    wanted = [("a=0",), ("a=1",), ("a=2",), ("a=3",), ("a=0",)]
    jobs = resume_jobs(old, wanted, Path("m"))
    assert [(job.number, job.overrides, job.state, job.message) for job in jobs] == [
        (0, ("a=1",), "done", "good"),
        (1, ("a=2",), "queued", ""),
        (2, ("a=3",), "queued", ""),
        (3, ("a=0",), "queued", ""),
    ]
    assert jobs[-1].run_dir == "m/3"
    assert [job.number for job in resume_jobs([], wanted, Path("m"))] == [0, 1, 2, 3]


def test_another_sweep_in_the_folder_is_refused():
    old = [Job(number=4, overrides=("a=1", "b=c d"), run_dir="m/4", state="done")]
    with pytest.raises(SweepError, match=r"^m .*another sweep: .*job 4 \(a=1 'b=c d'\)"):
        resume_jobs(old, [("a=1",)], Path("m"))


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    table = JobTable(tmp_path / "jobs.csv", JOBS)
    before = (tmp_path / "jobs.csv").read_text()

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        table.put(Job(number=0, overrides=ODD, run_dir="m/0", state="failed"))
    assert (tmp_path / "jobs.csv").read_text() == before
