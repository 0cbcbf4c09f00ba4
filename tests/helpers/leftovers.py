"""No test leaves signal handlers, timers, child processes or threads behind: the next one would suffer for it.

Not seen: processes whose parent has ended (the system gives them away), and what fixtures of a module or the session
leave, which are made before a test is watched.
"""

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SIGNALS = tuple(  # not SIGCHLD, to which torch listens from the first data loader with processes on
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE")
    if hasattr(signal, name)
)
TIMERS = {name: getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")}
LASTING = {  # what stands in a child's command line -> why it outlives the test that happened to start it
    b"multiprocessing.forkserver": "one for the session; forks the processes of `map_in_processes`",
    b"multiprocessing.resource_tracker": "one for the session; frees what the forkserver's processes leave",
    b"stvit_video.data.decoding.isolated_worker import main": "at most MAX_IDLE decoding processes wait for a video",
}
PATIENCE_SECONDS = 2.0  # for what is on its way out


@dataclass(frozen=True)
class Surroundings:
    """What this process has besides its memory; `observe` tells."""

    handlers: dict[int, Any]
    children: frozenset[int]
    threads: frozenset[threading.Thread]


def observe() -> Surroundings:
    """The present handlers of signals, child processes and threads; a fifth of a millisecond."""
    return Surroundings(
        handlers={number: signal.getsignal(number) for number in SIGNALS},
        children=child_processes(),
        threads=frozenset(threading.enumerate()),
    )


def child_processes() -> frozenset[int]:
    """Numbers of this process's children, ended ones too; none where there is no Linux /proc."""
    found: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", "rb") as file:
                found.update(map(int, file.read().split()))
    except OSError:  # a thread has just ended, or another system
        pass
    return frozenset(found)


def leftovers(before: Surroundings, *, patience_seconds: float = PATIENCE_SECONDS) -> list[str]:
    """Tell what has come since `before` and is still here, and undo it, so that the next test begins clean.

    Args:
        before: of `observe`.
        patience_seconds: how long threads and processes may take to end; what garbage holds is collected.

    Returns:
        A sentence for each; mostly none.
    """
    faults = [*_changed_handlers(before), *_running_timers()]
    if _left_children(before) or _left_threads(before):
        gc.collect()  # iterators of data loaders end their processes when they are freed
        _wait_until(lambda: not _left_children(before) and not _left_threads(before), patience_seconds)
        faults += [_kill(pid) for pid in _left_children(before)]
        faults += [f"the thread {thread.name!r} runs and is no daemon" for thread in _left_threads(before)]
    return faults


def _changed_handlers(before: Surroundings) -> list[str]:
    faults = []
    for number, handler in before.handlers.items():
        now = signal.getsignal(number)
        if now != handler:
            faults.append(f"{signal.Signals(number).name} has the handler {now!r} in place of {handler!r}")
            signal.signal(number, handler)
    return faults


def _running_timers() -> list[str]:
    faults = []
    for name, timer in TIMERS.items():
        seconds, _ = signal.getitimer(timer)
        if seconds:
            faults.append(f"the timer {name} goes off in {seconds:.1f} s")
            signal.setitimer(timer, 0)
    return faults


def _left_threads(before: Surroundings) -> list[threading.Thread]:
    return [thread for thread in set(threading.enumerate()) - before.threads if not thread.daemon]


def _left_children(before: Surroundings) -> list[int]:
    return [pid for pid in child_processes() - before.children if _is_left(pid)]


def _is_left(pid: int) -> bool:
    """False = it has ended and only waits for its parent to ask, or it is meant to stay."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return not status.startswith(("Z", "X")) and not any(mark in command for mark in LASTING)


def _kill(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    os.kill(pid, signal.SIGKILL)
    return f"the child process {pid} runs: {command}"


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


def leave_real_time() -> None:
    """Put this process back among ordinary ones, where a library has given it a real-time priority.

    SVT-AV1 does so to the thread that encodes, where it may (as root). Processes started later inherit it, and on one
    core with the test that waits for them they would never run.
    """
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    leave_real_time()  # what a fixture of the module has encoded
    before = observe()
    yield
    faults = leftovers(before)
    leave_real_time()
    if faults:
        pytest.fail("the test leaves something behind: " + "; ".join(faults), pytrace=False)
