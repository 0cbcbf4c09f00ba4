"""A launcher of fake jobs for the tests: python fake_launcher.py FOLDER PARALLEL LIMIT_SECONDS JOB ..."""

import sys
from pathlib import Path

from stvit_video.sweeps.expand import quoted
from stvit_video.sweeps.jobs import JobTable, read_jobs, resume_jobs
from stvit_video.sweeps.runner import JobLaunch, Limits, SweepRunner

JOB = Path(__file__).with_name("fake_job.py")


def start(job, place):
    """Refuses `do=refused`; else the fake job, told its place."""
    if "do=refused" in job.overrides:
        raise ValueError("this job can't be started")
    command = [sys.executable, str(JOB), *job.overrides, f"hydra.run.dir={quoted(job.run_dir)}"]
    return JobLaunch(command, {"CUDA_VISIBLE_DEVICES": f"gpu{place}"})


def launch(folder, jobs, *, num_parallel=1, limit_seconds=None, grace_seconds=0.3, tell=print):
    """Run the jobs in the folder; gives their table and the runner's answer."""
    old = read_jobs(folder / "jobs.csv") if (folder / "jobs.csv").is_file() else []
    table = JobTable(folder / "jobs.csv", resume_jobs(old, [tuple(job.split()) for job in jobs], folder))
    limits = Limits(num_parallel=num_parallel, time_limit_seconds=limit_seconds, grace_seconds=grace_seconds)
    return table.jobs, SweepRunner(table, start, limits=limits, tell=tell).run()


if __name__ == "__main__":
    folder, parallel, limit, *jobs = sys.argv[1:]
    _, stopped_by = launch(Path(folder), jobs, num_parallel=int(parallel), limit_seconds=float(limit) or None)
    sys.exit(stopped_by)
