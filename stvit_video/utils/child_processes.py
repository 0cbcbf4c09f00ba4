"""End child processes at once: at Ctrl-C, and where nothing will ask for their work any more."""

import multiprocessing
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Protocol
from weakref import WeakSet

__all__ = ["end_child_processes", "end_processes", "register_owner"]

JOIN_SECONDS = 1.0  # a killed process that waits for a dead network disk does not end


class Owner(Protocol):
    """Has child processes, and a way to end them after which it does not miss them."""

    def end(self) -> None: ...


_owners: "WeakSet[Owner]" = WeakSet()


def register_owner(owner: Owner) -> None:
    """Let `end_child_processes` call its `end`, as long as it exists."""
    _owners.add(owner)


def end_child_processes() -> None:
    """End all processes that this one has started by `multiprocessing`; those of `subprocess` are left alone."""
    for owner in list(_owners):
        owner.end()
    end_processes(multiprocessing.active_children())


def end_processes(processes: Iterable[BaseProcess]) -> None:
    """Kill processes, whatever they do; torch, which watches those of its loaders, does not raise for it.

    Differs: torch's loaders wait 5 s for each process and then ask it to end, so 16 busy ones would take minutes.
    """
    ended = [process for process in processes if process.is_alive()]
    with _unwatched():
        for process in ended:
            process.kill()
        for process in ended:
            process.join(JOIN_SECONDS)


@contextmanager
def _unwatched() -> Iterator[None]:
    """Within, the end of a child calls no handler; only a main thread may set one, and only there is one called."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "SIGCHLD"):
        yield
        return
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if before is None else before)
