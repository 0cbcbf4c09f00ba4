"""What uses private names of torch's data loaders, under the rules of `compat`."""

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

__all__ = [
    "forget_processes",
    "half_made_iterator",
    "let_errors_travel",
    "lost_process_error",
    "lost_processes_while_waiting",
]


ENDING_SECONDS = 0.2  # that a killed process may need until the system says so


def forget_processes(loader: Any, iterator: Any) -> list[BaseProcess]:
    """The processes of a data loader, which has nothing to do with them any more: its next iteration starts others.

    Touches: `DataLoader._iterator`, and of what it iterates with `_workers`, `_shutdown` (torch would talk to the
    processes, which are ended by now), `_pin_memory_thread_done_event`, `_worker_pids_set`, and
    `torch._C._remove_worker_pids`: torch watches processes by the iterator's address, which a later one may have. Gone:
    none, so that torch ends them.

    Args:
        loader: the loader.
        iterator: what its `__iter__` gave; None = nothing yet.
    """
    iterators = {id(each): each for each in (iterator, getattr(loader, "_iterator", None)) if each is not None}
    loader._iterator = None
    for each in iterators.values():
        each._shutdown = True
        if hasattr(each, "_pin_memory_thread_done_event"):
            each._pin_memory_thread_done_event.set()
        if getattr(each, "_worker_pids_set", False):
            _forget_pids(each)
    return [process for each in iterators.values() for process in getattr(each, "_workers", ())]


def _forget_pids(iterator: Any) -> None:
    from torch import _C

    remove = getattr(_C, "_remove_worker_pids", None)
    if remove is not None:
        remove(id(iterator))
        iterator._worker_pids_set = False


@contextmanager
def lost_processes_while_waiting(loader: Any) -> Iterator[None]:
    """Let torch tell that a process of a loader was lost only while the loader is asked for a batch.

    By itself torch raises whenever the system says that a process has ended, in whatever code runs just then. A loss at
    any other moment is told within seconds by the loader itself, which sees that its process is gone.

    Touches: `torch.utils.data._utils.signal_handling._set_SIGCHLD_handler`, and `_workers` of what the loader iterates
    with. Gone: torch raises as it does by itself.

    Args:
        loader: a `VideoLoader`.
    """
    from torch.utils.data import _utils

    begin = getattr(getattr(_utils, "signal_handling", None), "_set_SIGCHLD_handler", None)
    if begin is None or not hasattr(signal, "SIGCHLD") or threading.current_thread() is not threading.main_thread():
        yield
        return
    begin()
    before = signal.getsignal(signal.SIGCHLD)
    is_over = False

    def tell(number: int, frame: Any) -> None:
        workers = getattr(loader._batches, "_workers", ())
        is_ours = any(process.exitcode is not None for process in workers)  # not the loss of another loader
        if callable(before) and (is_over or loader.is_waiting or not is_ours):
            before(number, frame)

    signal.signal(signal.SIGCHLD, tell)
    try:
        yield
    finally:
        is_over = True  # for one that came later and calls `tell` still, or brings it back
        if signal.getsignal(signal.SIGCHLD) is tell and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, before)


def lost_process_error(iterator: Any) -> RuntimeError | None:
    """The error by which torch tells that a process of a loader has ended; None = all are there.

    Touches: `_workers` of what a loader iterates with. Gone: None.
    """
    for process in getattr(iterator, "_workers", ()):
        process.join(ENDING_SECONDS)
        if process.exitcode is not None and process.exitcode < 0:
            words = signal.strsignal(-process.exitcode)
            return RuntimeError(f"DataLoader worker (pid {process.pid}) is killed by signal: {words}.")
        if process.exitcode is not None:
            return RuntimeError(f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly")
    return None


def half_made_iterator(error: BaseException) -> Any:
    """What a loader iterates with, where the error came while it was made; None = something else.

    Left alone it prints a traceback of its own, because it would end what it has not made.

    Touches: the name `self` in the constructor of torch's iterator, known by its `_shutdown`. Gone: None.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        one = frame.f_locals.get("self")
        if frame.f_code.co_name == "__init__" and hasattr(one, "_shutdown"):
            return one
    return None


def let_errors_travel() -> None:
    """In a loader's process: errors of a class that can't be pickled, as one made in a function, become RuntimeError.

    Touches: `torch._utils.ExceptionWrapper`, in which they travel. Gone: such an error is never told, and its loader
    waits for ever.
    """
    from torch import _utils

    wrapper = getattr(_utils, "ExceptionWrapper", None)
    if wrapper is not None:
        ForkingPickler.register(wrapper, _reduce_error)


def _reduce_error(wrapped: Any) -> Any:
    try:
        ForkingPickler.dumps(wrapped.exc_type)
    except Exception:  # pickle has several errors for what it can't find by name
        wrapped.exc_type = RuntimeError
    return wrapped.__reduce_ex__(2)
