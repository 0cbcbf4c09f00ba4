"""What every process of a data loader does first."""

import gc
import os
import signal
import sys
import threading
from types import TracebackType

import torch

from stvit_video.utils.compat_loaders import let_errors_travel

__all__ = ["GRACE_SECONDS", "init_worker", "outlive_stop_signals", "stay_quiet_when_left"]

GRACE_SECONDS = 20  # a step of the training, and its last batch


def init_worker(worker: int) -> None:
    """Use one thread, and leave alone what the parent process has left over; a DataLoader's `worker_init_fn`.

    A scheduler's signals reach all processes of a job: this one works on while the training ends its step. Processes
    are the parallelism here; threads inside them would fight over the cores.

    Args:
        worker: its number.
    """
    torch.set_num_threads(1)
    outlive_stop_signals()
    let_errors_travel()
    stay_quiet_when_left()
    gc.freeze()  # a decoder left over by the parent process, freed here, would wait for its threads for ever


def outlive_stop_signals() -> None:
    """Ignore Ctrl-C and SIGUSR1, obey SIGTERM after `GRACE_SECONDS` only, by the system's alarm; for a main thread."""
    if os.name != "posix":
        return  # no such signals
    for number in (signal.SIGINT, signal.SIGUSR1):  # the parent process ends this one
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE_SECONDS))


def stay_quiet_when_left() -> None:
    """Print nothing when the one who takes over tensors hangs up: it ended, and said itself why.

    Tensors are handed over by a thread that Python starts. It prints what it meets as a traceback by `sys.excepthook`,
    in the middle of the sentence that the parent process ends with.
    """
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        in_a_thread = threading.current_thread() is not threading.main_thread()
        if not (in_a_thread and isinstance(error, (ConnectionError, EOFError))):
            before(kind, error, traceback)

    sys.excepthook = hook
