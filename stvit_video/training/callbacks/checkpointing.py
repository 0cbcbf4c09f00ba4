"""Checkpoint files that are whole or not there, and when they are written: also in the middle of an epoch."""

import os
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from stvit_video.training.callbacks.interruption import StopSignals, TrainingInterruptedError
from stvit_video.training.callbacks.metrics_csv import MetricsCsv
from stvit_video.utils.atomic_files import PART_ENDING, atomically
from stvit_video.utils.compat import is_between_epochs

LAST, PREVIOUS, BEST = "last.ckpt", "previous.ckpt", "best.ckpt"
DUE = 1  # what a process wants at the end of a step: nothing (0), to save, or to stop (the signal's number, above 1)


class CheckpointWriteError(RuntimeError):
    """A checkpoint could not be written; the ones before are as they were."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there; the last.ckpt before it stays as previous.ckpt.

    The content is on the disk before the name is: a power cut leaves the old file or the new one.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write a file that Lightning's `load_checkpoint` and `torch.load` read.

        Raises:
            CheckpointWriteError: the disk is full, or the folder can't be written.
        """
        target = Path(path)
        previous = target.with_name(PREVIOUS) if target.name == LAST else None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with (
                atomically(target, previous=previous) as part,
                part.open("wb") as file,
            ):
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:  # torch's writer makes the latter of the former
            raise CheckpointWriteError(
                f"{target} can't be written ({_cause(error)}); the checkpoints before it are as they were: make room "
                f"or mend the disk, then start the same command again"
            ) from error


def _cause(error: BaseException) -> str:
    """The system's words, which may lie below those of torch."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return str(error).splitlines()[0]


@dataclass(frozen=True)
class Damage:
    """What is wrong with a checkpoint file.

    Attributes:
        words: for a message.
        is_hidden: only a checksum tells of it, `torch.load` does not.
    """

    words: str
    is_hidden: bool = False

    def __str__(self) -> str:
        return self.words


def checkpoint_damage(path: Path) -> Damage | None:
    """What is wrong with the file that torch.save wrote, by the checksums in it; None = it is whole.

    torch.load itself takes a flipped bit in a tensor for a weight. This reads the whole file, about 1 s a gigabyte.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.testzip()
    except Exception as error:  # a parser that is fed with any bytes raises anything
        size = path.stat().st_size if path.is_file() else 0
        return Damage("it is empty" if not size else f"cut short or overwritten: {str(error).rstrip('.')}")
    return Damage(f"a checksum is wrong, in {member}", is_hidden=True) if member else None


def remove_leftovers(run_dir: Path) -> None:
    """Remove half-written checkpoints that killed processes have left in a run's folder.

    Call it before any process trains. Other files are left: at a start, each process writes its config.yaml.
    """
    for part in run_dir.glob(f".*.ckpt*{PART_ENDING}"):
        part.unlink(missing_ok=True)


class LastCheckpoint(Checkpoint):
    """Keeps the state of a training as last.ckpt, after every epoch and within it; stops where a signal asks for it.

    Within an epoch it is written at the end of an optimizer step, where no gradient is half accumulated, and not after
    the last batch: the epoch's end follows, with the validation. All processes act at the same step: the first one's
    clock counts, and any one's signal. The state also says how far metrics.csv is valid, so that a resumed training
    adds no row twice and loses none.

    Args:
        run_dir: the run's folder.
        minutes: between checkpoints within an epoch; None = only after epochs.
        signals: what has been received.
        table: the metrics.csv of the run.

    Attributes:
        train_metrics: the last whole epoch's, by name.
    """

    def __init__(self, run_dir: Path, *, minutes: float | None, signals: StopSignals, table: MetricsCsv) -> None:
        self.path = run_dir / LAST
        self.minutes, self.signals, self.table = minutes, signals, table
        self.train_metrics: dict[str, float] = {}
        self._seconds_before = 0.0
        self._start: float | None = None
        self._saved_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """That the training has taken so far, those before it was resumed included."""
        return self._seconds_before + (0.0 if self._start is None else time.monotonic() - self._start)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let all processes name the same folder; a name made of the time may differ between them."""
        self.path = Path(trainer.strategy.broadcast(str(self.path)))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clocks."""
        self._start = self._saved_at = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save where it is time to, or where a signal came.

        Raises:
            TrainingInterruptedError: a signal came; all is saved.
        """
        if trainer.is_last_batch or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        wish = self._common_wish(trainer)
        if wish:
            self._save(trainer)
        self._stop_if_asked(trainer, wish)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save; Lightning calls this after all that logs metrics, and after best.ckpt.

        Raises:
            TrainingInterruptedError: a signal came; all is saved.
        """
        wish = self._common_wish(trainer)
        self._save(trainer)
        self._stop_if_asked(trainer, wish)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Put the present state into any checkpoint, also those of others."""
        at_end = is_between_epochs(checkpoint)
        if at_end:  # of best.ckpt, too, which is written before our last.ckpt
            self.train_metrics = {
                name: float(value) for name, value in trainer.logged_metrics.items() if name.startswith("train/")
            }
        row = {**self.train_metrics, "epoch": trainer.current_epoch, "step": trainer.global_step - 1} if at_end else {}
        checkpoint["callbacks"][self.state_key] = {
            "seconds": self.seconds,
            "train_metrics": dict(self.train_metrics),
            "num_rows": self.table.sync(),
            "next_row": row,  # Lightning writes it a moment later
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the clock and with metrics.csv."""
        self._seconds_before = state_dict["seconds"]
        self.train_metrics = state_dict["train_metrics"]
        self.table.rewind(state_dict["num_rows"], state_dict["next_row"])

    def _common_wish(self, trainer: Trainer) -> int:
        due = self.minutes is not None and time.monotonic() - self._saved_at >= 60 * self.minutes
        own = self.signals.received or (DUE if due and trainer.is_global_zero else 0)
        wishes = torch.tensor(own, device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(wishes, reduce_op="max"))

    def _save(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.path, weights_only=False)
        self._saved_at = time.monotonic()

    def _stop_if_asked(self, trainer: Trainer, wish: int) -> None:
        if wish > DUE:
            raise TrainingInterruptedError(
                f"at step {trainer.global_step}, in epoch {trainer.current_epoch + 1} of {trainer.max_epochs}; all is "
                f"saved in {self.path}",
                signal_number=wish,
            )
