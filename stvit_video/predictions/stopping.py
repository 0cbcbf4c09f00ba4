"""SIGTERM, which schedulers and `timeout` send, ends a run as Ctrl-C does: its files are closed and it says so."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from stvit_video.utils.child_processes import end_child_processes

STATUS = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """The process was asked to end by SIGTERM."""

    def __init__(self) -> None:
        super().__init__(STATUS)


@contextmanager
def sigterm_ends() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated` in the main thread, once child processes are ended.

    In a child process that inherits it, the signal ends the process. Where it was ignored, or in another thread than
    the main one, nothing is changed.
    """
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            os._exit(STATUS)
        end_child_processes()
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
