"""Signals that ask a training to stop: noted when they come, obeyed at the end of a step, by all processes together."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from lightning.pytorch import Callback, LightningModule, Trainer

from stvit_video.utils.child_processes import end_child_processes

PATIENCE_SECONDS = 5.0  # so that Ctrl-C ends a command within 10 s
POLL_SECONDS = 0.2
REQUEUE_SIGNAL = getattr(signal, "SIGUSR1", None)  # what `sbatch --signal=USR1@120` sends before the time is over
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([REQUEUE_SIGNAL] if REQUEUE_SIGNAL else []))
EXIT_STATUS_BASE = 128  # a process that a signal ends has this plus the signal's number as a shell sees it


class TrainingInterruptedError(RuntimeError):
    """The training was asked to stop, and has saved where it is.

    Attributes:
        signal_number: of the signal that asked for it.
    """

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number

    @property
    def exit_status(self) -> int:
        """As shells and schedulers count: 130 after Ctrl-C, 143 after SIGTERM, 138 after SIGUSR1 (on Linux)."""
        return EXIT_STATUS_BASE + self.signal_number


@contextmanager
def signals_given_back() -> Iterator[None]:
    """Afterwards the signals are whose they were before, also where Lightning, which sees to it, fails at its end."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


class StopSignals(Callback):
    """Notes Ctrl-C, SIGTERM and SIGUSR1 while `fit` runs, in place of Lightning's handlers; Ctrl-C twice ends at once.

    A step that waits for its data, as from a dead network drive, may never end: after `patience_seconds` of it, Ctrl-C
    ends at once, too.

    Differs: Lightning saves for SLURM inside the handler, that is in the middle of a step, and tells other processes
        by a message that may cross those of the gradients. Here `LastCheckpoint` asks between steps.

    Args:
        patience_seconds: how long after Ctrl-C a loader may take for a batch.

    Attributes:
        received: the first signal's number; 0 = none so far.
    """

    def __init__(self, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.received = 0
        self.patience_seconds = patience_seconds
        self._trainer: Trainer | None = None
        self._is_over = threading.Event()

    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over from Lightning, which gives the signals back to whom they were when `fit` ends, however it ends."""
        self._trainer = trainer
        if trainer.received_sigterm:  # in the moment before
            self.received = signal.SIGTERM
        for number in STOP_SIGNALS:
            signal.signal(number, self._note)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Likewise: there is no check of the validation where a training goes on."""
        self.on_sanity_check_start(trainer, pl_module)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """The training has stopped, so nothing is waited for."""
        self._is_over.set()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Likewise."""
        self._is_over.set()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received == number == signal.SIGINT:
            end_child_processes()  # for those of a loader Lightning would wait, one after the other
            raise KeyboardInterrupt
        if not self.received and number == signal.SIGINT:
            threading.Thread(target=self._lose_patience, daemon=True, name="Ctrl-C").start()
        self.received = self.received or number

    def _lose_patience(self) -> None:
        """Press Ctrl-C a second time where the training only waits for data; it wakes the main thread, too."""
        pause = self.patience_seconds
        while not self._is_over.wait(pause):
            if self._waits_for_data():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return
            pause = POLL_SECONDS

    def _waits_for_data(self) -> bool:
        given = (getattr(self._trainer, name, None) for name in ("train_dataloader", "val_dataloaders"))
        loaders = [loader for one in given for loader in (one if isinstance(one, list) else [one])]
        return any(getattr(loader, "is_waiting", False) for loader in loaders)


def requeue_slurm_job(environ: Mapping[str, str] = os.environ) -> str:
    """Ask SLURM to run this job again, from its queue.

    Args:
        environ: of a process of the job.

    Returns:
        What came of it, in words; "" outside of SLURM.
    """
    job = environ.get("SLURM_JOB_ID", "")
    if "SLURM_ARRAY_JOB_ID" in environ:
        job = f"{environ['SLURM_ARRAY_JOB_ID']}_{environ['SLURM_ARRAY_TASK_ID']}"
    if not re.fullmatch(r"\d+(_\d+)?", job):
        return ""
    try:
        done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False, env=environ)
    except OSError as error:
        return f"SLURM job {job} could not be re-queued: scontrol does not start ({error.strerror})"
    if done.returncode:
        return f"SLURM job {job} could not be re-queued: {done.stderr.strip() or f'status {done.returncode}'}"
    return f"SLURM job {job} is queued again"
