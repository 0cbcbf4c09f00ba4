"""Runs the queued jobs of a sweep, keeps their table, and goes on whatever becomes of one of them."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any

from stvit_video.sweeps.expand import differing
from stvit_video.sweeps.job_process import OUTPUT_FILE, JobProcess, error_line, kill_marked, result_line
from stvit_video.sweeps.jobs import Job, JobTable, State

POLL_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


@dataclass(frozen=True)
class JobLaunch:
    """How a job is started.

    Attributes:
        command: program and arguments.
        environment: variables beside those of the launcher.
    """

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs at once, and how long each.

    Attributes:
        num_parallel: jobs at once.
        time_limit_seconds: of every job; None = none.
        grace_seconds: between SIGTERM and SIGKILL.
    """

    num_parallel: int = 1
    time_limit_seconds: float | None = None
    grace_seconds: float = 30.0


class StopRequest:
    """Whether somebody wants the launcher to stop: `number` of the last signal, and `times` that one came."""

    def __init__(self) -> None:
        self.number, self.times = 0, 0

    def take(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        self.number, self.times = number, self.times + 1


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Within, Ctrl-C, SIGTERM and a closed terminal are noted and end nothing; those that were ignored stay so."""
    request = StopRequest()
    before: dict[int, Any] = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, request.take)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SweepRunner:
    """Starts, watches and ends the jobs of one table; `run` is all that others call.

    Args:
        table: its queued jobs are run, in order.
        start: how to start a job in one of `num_parallel` places (from 0); a ValueError is the job's failure.
        limits: of jobs at once and of time.
        tell: takes a line for the user.
    """

    def __init__(
        self,
        table: JobTable,
        start: Callable[[Job, int], JobLaunch],
        *,
        limits: Limits,
        tell: Callable[[str], None],
    ) -> None:
        self.table, self.start, self.limits, self.tell = table, start, limits, tell
        self._queue = deque(job for job in table.jobs if job.state == "queued")
        self._running: dict[int, tuple[Job, JobProcess]] = {}  # by place
        self._ended_as: dict[int, tuple[State, float]] = {}  # by place: why a job is ended, and when it is killed
        jobs = table.jobs
        texts = differing([job.overrides for job in jobs]) if jobs else []
        self._names = {job.number: " ".join(text).replace(r"$\{", "${") for job, text in zip(jobs, texts, strict=True)}

    def run(self) -> int:
        """Run every queued job, or until a signal comes.

        Returns:
            The number of the signal that stopped the launcher; 0 = none.

        Raises:
            OSError: the table can't be written; the running jobs are ended before.
        """
        with stop_signals() as stop:
            self._end_orphans()
            try:
                while self._running or (self._queue and not stop.number):
                    self._turn(stop)
                    time.sleep(POLL_SECONDS)
            finally:
                for _, process in self._running.values():  # only after an error
                    process.kill()
        return stop.number

    def _end_orphans(self) -> None:
        """End what a killed launcher has left running, before any job is started: they share the machine."""
        for job in self._queue:
            if kill_marked(Path(job.run_dir)):
                self.tell(f"{self._label(job)} was still running without its launcher and has been ended")

    def _turn(self, stop: StopRequest) -> None:
        for place in range(self.limits.num_parallel):
            if place in self._running:
                self._watch(place, stop)
            elif self._queue and not stop.number:
                self._launch(self._queue.popleft(), place)

    def _launch(self, job: Job, place: int) -> None:
        run_dir = Path(job.run_dir)
        job = replace(job, started=datetime.now(timezone.utc).isoformat(timespec="seconds"), seconds=0.0)
        try:
            how = self.start(job, place)
            process = JobProcess(how.command, run_dir=run_dir, environment=how.environment)
        except (ValueError, OSError) as error:
            self._settle(replace(job, state="failed", message=str(error), exit_status=None))
            return
        self._running[place] = (replace(job, state="running", message="", exit_status=None), process)
        self.table.put(self._running[place][0])
        self.tell(f"{self._label(job)} runs, output in {run_dir / OUTPUT_FILE}")

    def _watch(self, place: int, stop: StopRequest) -> None:
        job, process = self._running[place]
        status = process.exit_status()
        if status is not None:
            del self._running[place]
            reason, _ = self._ended_as.pop(place, (None, 0.0))
            self._settle(self._finished(job, process, status, reason))
            return
        limit = self.limits.time_limit_seconds
        if place in self._ended_as:
            if time.monotonic() >= self._ended_as[place][1] or stop.times > 1:
                process.kill()
        elif stop.number:
            self._end(place, process, "interrupted")
        elif limit is not None and process.seconds >= limit:
            self._end(place, process, "timed out")

    def _end(self, place: int, process: JobProcess, reason: State) -> None:
        self._ended_as[place] = (reason, time.monotonic() + self.limits.grace_seconds)
        process.ask_to_end()

    def _finished(self, job: Job, process: JobProcess, status: int, reason: State | None) -> Job:
        """The job as it ended."""
        job = replace(job, seconds=round(process.seconds, 1), exit_status=status)
        result = result_line(process.run_dir) if status == 0 else None
        if result is not None:
            return replace(job, state="done", message=result)
        if reason == "timed out":
            minutes = (self.limits.time_limit_seconds or 0.0) / 60
            words = f"took longer than sweep.time_limit_minutes={minutes:g}"
        elif reason == "interrupted":
            words = "the launcher was stopped"
        elif status == 0:
            words = "ended well, but left no result.json"
        else:
            words = error_line(process.run_dir, status=status)
        return replace(job, state=reason or "failed", message=words)

    def _settle(self, job: Job) -> None:
        self.table.put(job)
        self.tell(f"{self._label(job)} {job.state} after {job.seconds:.0f} s: {job.message}")

    def _label(self, job: Job) -> str:
        name = self._names[job.number]
        return f"[{job.number}] {name}" if name else f"[{job.number}]"
