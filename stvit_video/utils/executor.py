"""Map a function over items in processes that may crash or hang: each costs itself and nothing else.

A thread can't be ended from outside and a pool breaks with its first dead process; here each process has its own
pipe, is killed when its time is over, and is replaced.
"""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, TypeVar

from tqdm import tqdm

from stvit_video.utils.open_files import OpenFilesError, is_of_open_files

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_FAILED_STARTS = 3  # the system may end one for want of memory, and the next one finds room
START_LIMIT_SECONDS = 120.0  # a new process imports its modules first, perhaps from a slow disk
JOIN_LIMIT_SECONDS = 5.0  # a killed process that waits for a dead network disk does not end


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of one item: its value, or a sentence that says why there is none (`fault`, else "")."""

    position: int
    value: Result | None
    fault: str = ""


class ProcessStartError(RuntimeError):
    """Processes end before they are ready; the message says how."""


class _Answer(NamedTuple):
    value: Any
    fault: str
    is_lost: bool = False  # the process is dead, or has to be killed
    files_are_used_up: bool = False  # the process may open no further file, nor may the next one


def map_in_processes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    num_workers: int,
    time_limit_seconds: float,
    in_order: bool = False,
    progress: str | None = None,
    unit: str = "file",
) -> Generator[Outcome[Result], None, None]:
    """Call `function` on each item in other processes; every item gives exactly one outcome.

    Leaving the iteration early kills the processes. An item whose process died is reported and not tried again.

    Args:
        function: importable by its module and name, or a `functools.partial` of such a function.
        items: what to work on; they and the results travel between processes (pickle).
        num_workers: processes at the same time.
        time_limit_seconds: for one item; then its process is killed.
        in_order: True = outcomes come in the order of the items, so that one waits for those before it; False = as they
            are done.
        progress: what a bar on the terminal is headed with; None = no bar.
        unit: what the bar counts.

    Raises:
        ValueError: `num_workers` is below 1 or the time limit is not positive.
        ProcessStartError: processes can't be started.
        OpenFilesError: a process may open no further file, which is no fault of the item.
    """
    if num_workers < 1 or not time_limit_seconds > 0:
        raise ValueError(
            f"num_workers={num_workers} must be at least 1, time_limit_seconds={time_limit_seconds} above 0"
        )
    outcomes = _outcomes(function, items, num_workers=num_workers, time_limit_seconds=time_limit_seconds)
    if progress is not None:
        outcomes = _with_progress(outcomes, total=len(items), description=progress, unit=unit)
    return _in_order(outcomes) if in_order else outcomes


def _in_order(outcomes: Generator[Outcome[Result], None, None]) -> Generator[Outcome[Result], None, None]:
    """The outcomes by their positions; those that come early are kept."""
    early: dict[int, Outcome[Result]] = {}
    next_position = 0
    with closing(outcomes):
        for outcome in outcomes:
            early[outcome.position] = outcome
            while next_position in early:
                yield early.pop(next_position)
                next_position += 1


def _with_progress(
    outcomes: Generator[Outcome[Result], None, None], *, total: int, description: str, unit: str
) -> Generator[Outcome[Result], None, None]:
    bar = tqdm(total=total, desc=description, unit=unit, disable=None, leave=False)  # None = only on a terminal
    with closing(outcomes), bar:
        for outcome in outcomes:
            bar.update()
            yield outcome


def _outcomes(
    function: Callable[[Item], Result], items: Sequence[Item], *, num_workers: int, time_limit_seconds: float
) -> Generator[Outcome[Result], None, None]:
    waiting = deque(enumerate(items))
    processes: list[_Process] = []
    num_failed_starts = 0
    try:
        while waiting or processes:
            num_idle = sum(process.position is None for process in processes)
            for _ in range(min(num_workers - len(processes), len(waiting) - num_idle)):
                processes.append(_Process(function, time_limit_seconds))
            _wait_for_any(processes)
            for process in tuple(processes):
                answer = process.answer()
                if answer is None:
                    continue
                if answer.files_are_used_up:
                    raise OpenFilesError
                if process.position is not None:
                    yield Outcome(process.position, answer.value, answer.fault)
                elif answer.fault:
                    num_failed_starts += 1
                    if num_failed_starts > MAX_FAILED_STARTS:
                        raise ProcessStartError(f"processes for reading files can't be started: {answer.fault}")
                if answer.is_lost or not waiting:
                    processes.remove(process)
                    process.kill()
                else:
                    process.give(*waiting.popleft())
    finally:
        for process in processes:
            process.kill()


class _Process:
    """One process; its first answer says that it is ready, each further one belongs to `position`."""

    def __init__(self, function: Callable[[Any], Any], time_limit_seconds: float) -> None:
        # Not fork: the caller has threads (torch, progress bars), and a forked child may hang on their locks.
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context: Any = multiprocessing.get_context(method)
        self.connection, theirs = context.Pipe()
        self.handle = context.Process(target=_serve, args=(theirs, function), daemon=True)
        self.handle.start()
        theirs.close()
        self.time_limit_seconds = time_limit_seconds
        self.position: int | None = None
        self.end_seconds = time.monotonic() + START_LIMIT_SECONDS

    def give(self, position: int, item: Any) -> None:
        """Let it work on an item."""
        self.position = position
        self.end_seconds = time.monotonic() + self.time_limit_seconds
        try:
            self.connection.send(item)
        except OSError:
            return  # it died meanwhile, which the next `answer` tells

    def answer(self) -> _Answer | None:
        """What it has to say, None = it is still at work."""
        is_alive = self.handle.is_alive()  # asked first: what a process says before it dies counts
        try:
            if self.connection.poll():
                return _Answer(*self.connection.recv())
        except (EOFError, OSError):
            is_alive = False
        if not is_alive:
            self.handle.join(JOIN_LIMIT_SECONDS)
            return _Answer(None, f"its process died ({_exit_words(self.handle.exitcode)})", is_lost=True)
        if time.monotonic() > self.end_seconds:
            limit = START_LIMIT_SECONDS if self.position is None else self.time_limit_seconds
            way = "" if self.position is None else "; raise time_limit_seconds if the file is merely long"
            return _Answer(None, f"its process was ended after the time limit of {limit:g} s{way}", is_lost=True)
        return None

    def kill(self) -> None:
        """End it, whatever it does."""
        self.handle.kill()
        self.handle.join(JOIN_LIMIT_SECONDS)
        self.connection.close()


def _wait_for_any(processes: Sequence[_Process]) -> None:
    """Sleep until a process says something, dies, or has used up its time."""
    first_end = min(process.end_seconds for process in processes)
    events = [event for process in processes for event in (process.connection, process.handle.sentinel)]
    wait(events, timeout=max(first_end - time.monotonic(), 0.0) + 0.01)


def _serve(connection: Connection, function: Callable[[Any], Any]) -> None:
    """What a process does: answer items until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, which then kills its processes
    connection.send((None, ""))
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        try:
            connection.send((function(item), ""))
        except Exception as error:  # also of pickling the result, before anything of it is sent
            connection.send((None, f"{type(error).__name__}: {error}", False, is_of_open_files(error)))


def _exit_words(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    names = {entry.value: entry.name for entry in signal.Signals}
    return f"signal {names.get(-exit_code, -exit_code)}"
