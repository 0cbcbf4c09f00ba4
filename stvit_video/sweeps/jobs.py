"""The table of a sweep's jobs: what each is, and what became of it; on disk after every change."""

import csv
import io
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args

from stvit_video.utils.atomic_files import write_text

State = Literal["queued", "running", "done", "failed", "timed out", "interrupted"]
JOBS_FILE = "jobs.csv"


class SweepError(ValueError):
    """A sweep that can't be started or read; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training or evaluation of a sweep.

    Attributes:
        number: from 0; the name of its folder.
        overrides: of the configuration, without the folder.
        state: "interrupted" = its launcher was stopped.
        started: when it was last started, ISO 8601; "" = never.
        seconds: that it last ran.
        exit_status: of its process, negative = the signal that ended it; None = it has not ended, or never started.
        run_dir: its folder.
        message: the result line, or the last line of the error.
    """

    number: int
    overrides: tuple[str, ...]
    run_dir: str
    state: State = "queued"
    started: str = ""
    seconds: float = 0.0
    exit_status: int | None = None
    message: str = ""


COLUMNS = ("number", "overrides", "state", "started", "seconds", "exit_status", "run_dir", "message")


class JobTable:
    """The jobs, and the file that always holds what is known of them.

    Args:
        path: of the CSV file; its folder exists.
        jobs: in the order of their numbers.
    """

    def __init__(self, path: Path, jobs: Sequence[Job]) -> None:
        self.path = path
        self._jobs = {job.number: job for job in jobs}
        self.write()

    @property
    def jobs(self) -> list[Job]:
        """As they are now."""
        return list(self._jobs.values())

    def put(self, job: Job) -> None:
        """Take this job in place of the one with its number."""
        self._jobs[job.number] = job
        self.write()

    def write(self) -> None:
        """Replace the file as a whole: whoever reads it, at any time, finds the old one or the new one.

        Raises:
            OSError: it can't be written.
        """
        write_text(self.path, format_jobs(self.jobs))


def format_jobs(jobs: Sequence[Job]) -> str:
    """The table as CSV; overrides as they would stand in a shell."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for job in jobs:
        status = "" if job.exit_status is None else str(job.exit_status)
        seconds = f"{job.seconds:.1f}"
        start = (job.number, shlex.join(job.overrides), job.state, job.started, seconds, status)
        rows.writerow([*start, job.run_dir, job.message])
    return text.getvalue()


def read_jobs(path: Path) -> list[Job]:
    """The jobs of a table that `JobTable` wrote.

    Raises:
        SweepError: it is no such table.
        OSError: it can't be read.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, heads = list(reader), reader.fieldnames or ()
    columns = ", ".join(COLUMNS)
    lacking = [name for name in COLUMNS if name not in heads]
    if lacking:
        raise SweepError(
            f"{path} is no table of jobs (it has no column {', '.join(lacking)}); it needs the columns {columns}"
        )
    try:
        return [_job_of(row) for row in rows]
    except (TypeError, ValueError, AttributeError) as error:
        raise SweepError(f"{path} is no table of jobs ({error}); it needs the columns {columns}") from error


def _job_of(row: dict[str, str]) -> Job:
    if row["state"] not in get_args(State):
        raise ValueError(f"unknown state {row['state']!r}")
    texts = {field.name: row[field.name] for field in fields(Job)}
    numbers = {"number": int(row["number"]), "seconds": float(row["seconds"])}
    status = int(row["exit_status"]) if row["exit_status"] else None
    return Job(**{**texts, **numbers, "overrides": tuple(shlex.split(row["overrides"])), "exit_status": status})  # type: ignore[arg-type]


def resume_jobs(old: Sequence[Job], wanted: Sequence[tuple[str, ...]], folder: Path) -> list[Job]:
    """The jobs of a sweep that is started again: done ones stay, the others are queued, new ones added at the end.

    Args:
        old: what the table holds; empty = a new sweep.
        wanted: the overrides of the jobs that the command asks for, in order.
        folder: of the sweep.

    Raises:
        SweepError: the command does not ask for all the old jobs, so it is another sweep.
    """
    lost = [job for job in old if job.overrides not in set(wanted)]
    if lost:
        raise SweepError(
            f"{folder} holds another sweep: its job {lost[0].number} ({shlex.join(lost[0].overrides)}) is none of this "
            "command's; choose another sweep.name, or give the command that it was started with (axes may grow)"
        )
    kept = [job if job.state == "done" else replace(job, state="queued", message="") for job in old]
    known = {job.overrides for job in kept}
    first = max((job.number for job in kept), default=-1) + 1
    new = [overrides for overrides in dict.fromkeys(wanted) if overrides not in known]
    return kept + [
        Job(number=number, overrides=overrides, run_dir=str(folder / str(number)))
        for number, overrides in enumerate(new, start=first)
    ]
