"""Work on files in processes that may die: one that crashes or hangs costs itself and nothing else.

A thread can't be ended from outside and a pool breaks with its first dead process; here each process has its own
pipe, is killed when its time is over, and is replaced.
"""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

START_LIMIT_SECONDS = 120.0  # a new process imports its modules first, perhaps from a slow disk
JOIN_LIMIT_SECONDS = 5.0  # a killed process that waits for a dead network disk does not end


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of one item: its value, or a sentence that says why there is none (`fault`, else "")."""

    position: int
    value: Result | None
    fault: str = ""


class _Answer(NamedTuple):
    value: Any
    fault: str
    is_lost: bool = False  # the process is dead, or has to be killed


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], *, num_workers: int, time_limit_seconds: float
) -> Generator[Outcome[Result], None, None]:
    """Call `function` on each item in other processes; every item gives exactly one outcome, as it is done.

    Leaving the iteration early kills the processes. An item whose process died is reported and not tried again.

    Args:
        function: importable by its module and name, or a `functools.partial` of such a function.
        items: what to work on; they and the results travel between processes (pickle).
        num_workers: processes at the same time.
        time_limit_seconds: for one item; then its process is killed.

    Raises:
        ValueError: `num_workers` is below 1 or the time limit is not positive.
        RuntimeError: no process can be started.
    """
    if num_workers < 1 or not time_limit_seconds > 0:
        raise ValueError(
            f"num_workers={num_workers} must be at least 1, time_limit_seconds={time_limit_seconds} above 0"
        )
    return _outcomes(function, items, num_workers=num_workers, time_limit_seconds=time_limit_seconds)


def _outcomes(
    function: Callable[[Item], Result], items: Sequence[Item], *, num_workers: int, time_limit_seconds: float
) -> Generator[Outcome[Result], None, None]:
    waiting = deque(enumerate(items))
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while len(workers) < num_workers and sum(worker.position is None for worker in workers) < len(waiting):
                workers.append(_Worker(function, time_limit_seconds))
            _wait_for_any(workers)
            for worker in tuple(workers):
                answer = worker.answer()
                if answer is None:
                    continue
                if worker.position is not None:
                    yield Outcome(worker.position, answer.value, answer.fault)
                elif answer.fault:
                    raise RuntimeError(f"a process for reading files can't be started: {answer.fault}")
                if answer.is_lost or not waiting:
                    workers.remove(worker)
                    worker.kill()
                else:
                    worker.give(*waiting.popleft())
    finally:
        for worker in workers:
            worker.kill()


class _Worker:
    """One process; its first answer says that it is ready, each further one belongs to `position`."""

    def __init__(self, function: Callable[[Any], Any], time_limit_seconds: float) -> None:
        # Not fork: the caller has threads (torch, progress bars), and a forked child may hang on their locks.
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context: Any = multiprocessing.get_context(method)
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        self.process.start()
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
        is_alive = self.process.is_alive()  # asked first: what a process says before it dies counts
        try:
            if self.connection.poll():
                return _Answer(*self.connection.recv())
        except (EOFError, OSError):
            is_alive = False
        if not is_alive:
            self.process.join(JOIN_LIMIT_SECONDS)
            return _Answer(None, f"its process died ({_exit_words(self.process.exitcode)})", is_lost=True)
        if time.monotonic() > self.end_seconds:
            limit = START_LIMIT_SECONDS if self.position is None else self.time_limit_seconds
            return _Answer(None, f"its process was ended after the time limit of {limit:g} s", is_lost=True)
        return None

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join(JOIN_LIMIT_SECONDS)
        self.connection.close()


def _wait_for_any(workers: Sequence[_Worker]) -> None:
    """Sleep until a worker says something, dies, or has used up its time."""
    first_end = min(worker.end_seconds for worker in workers)
    events = [event for worker in workers for event in (worker.connection, worker.process.sentinel)]
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
            connection.send((None, f"{type(error).__name__}: {error}"))


def _exit_words(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    names = {entry.value: entry.name for entry in signal.Signals}
    return f"signal {names.get(-exit_code, -exit_code)}"
