"""Callbacks: training speed, one line an epoch, seeds, and which checkpoints are kept."""

import os
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from stvit_video.utils.compat import without_warning
from stvit_video.utils.durations import in_words

SPEED = "train/clips_per_second"
DATA_WAIT = "train/data_wait"
EPOCH_METRICS = (
    *("train/loss", "train/top1", "train/top1_mixed", "val/loss", "val/top1", "val/mAP", "val/AP", "val/AP50"),
    *("val/mIoU", "val/aAcc"),
)


class ClipsPerSecond(Callback):
    """Logs how many clips the training takes in a second, waiting for data included, over all devices.

    Of an epoch that was interrupted: in the part since the training was resumed.
    """

    def __init__(self) -> None:
        self._start, self._num_clips, self._seconds = 0.0, 0, 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock: a resumed epoch does not start anew."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._start, self._num_clips, self._seconds = time.perf_counter(), 0, 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: dict[str, Any], batch_idx: int
    ) -> None:
        """Show the speed since the epoch's start in the progress bar."""
        self._num_clips += len(batch["index"]) * trainer.world_size
        unit = getattr(pl_module, "unit", "clips")
        pl_module.log(f"{unit}/s", self._speed(), prog_bar=True, on_step=True, on_epoch=False, logger=False)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the speed of the epoch."""
        pl_module.log(SPEED, self._speed(), rank_zero_only=True)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock: validation runs before the epoch's end."""
        self._seconds = time.perf_counter() - self._start

    def _speed(self) -> float:
        return self._num_clips / (self._seconds or time.perf_counter() - self._start)


class DataWait(Callback):
    """Logs which share of an epoch the first process waited for data: 0 = never, 1 = all the time.

    Waiting is what lies between the end of a step and the start of the next one: the loader, and the start of the
    copy to the device; at the epoch's begin also the start of its processes. Validation counts for nothing. All this
    is measured on the CPU. A GPU may still be busy with the last step meanwhile (up to the next time that something
    asks for its result, in our module the next loss), so that it idles for this share of time or less. Of an epoch
    that was interrupted, only the part since the training was resumed is measured.
    """

    def __init__(self) -> None:
        self._start = self._mark = self._waited = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock: a resumed epoch does not start anew."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._start = self._mark = time.perf_counter()
        self._waited = 0.0

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """A batch is there."""
        self._waited += time.perf_counter() - self._mark

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """The next batch is awaited."""
        self._mark = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the validation out, where the epoch goes on behind it."""
        now = time.perf_counter()
        self._start += now - self._mark
        self._mark = now

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the share."""
        seconds = self._mark - self._start  # up to the last step, or the validation after it, which is taken out
        pl_module.log(DATA_WAIT, self._waited / seconds if seconds else 0.0, rank_zero_only=True)


class SeedSteps(Callback):
    """Seeds torch at every batch, so that a resumed training draws what it would have drawn anyway.

    Args:
        seed: of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Seed by training, epoch, batch and process."""
        place = (self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        torch.manual_seed(hash(place) % 2**63)


class EpochLine(Callback):
    """Prints the metrics of every epoch in one line, so that a log file without a progress bar tells the course.

    The line ends with the time of the epoch, its validation included, and how long the rest will take at this speed.
    """

    def __init__(self) -> None:
        self._start = self._mark = 0.0
        self._num_epochs = 0  # since the start

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock, and say where the training runs."""
        self._start = self._mark = time.perf_counter()
        self._num_epochs = 0
        where = f"training on {trainer.strategy.root_device}, precision {trainer.precision}"
        trainer.print(f"{where}, {trainer.num_training_batches} batches an epoch", flush=True)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print, on the first process only."""
        now = time.perf_counter()
        metrics = trainer.callback_metrics  # on every process: they may have to ask one another for these
        if not trainer.is_global_zero:
            return
        values = "  ".join(f"{name} {float(metrics[name]):.4f}" for name in EPOCH_METRICS if name in metrics)
        unit = getattr(pl_module, "unit", "clips")
        speed = f"  {float(metrics[SPEED]):.1f} {unit}/s" if SPEED in metrics else ""
        wait = f"  data wait {float(metrics[DATA_WAIT]):.0%}" if DATA_WAIT in metrics else ""
        trainer.print(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {values}{speed}{wait}{self._times(trainer, now)}",
            flush=True,
        )

    def _times(self, trainer: Trainer, now: float) -> str:
        if not self._start:
            return ""  # no training: the callback alone
        self._num_epochs += 1
        seconds, self._mark = now - self._mark, now
        remaining = (trainer.max_epochs or 0) - trainer.current_epoch - 1
        left = (now - self._start) / self._num_epochs * remaining
        return f"  {in_words(seconds)}" + (f", {in_words(left)} left" if remaining > 0 else "")


class ResumeHint(Callback):
    """Says how to go on when a training is ended at once from the keyboard.

    Args:
        run_dir: the run's folder.
    """

    def __init__(self, run_dir: Path) -> None:
        self.last = run_dir / "last.ckpt"

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Print the option, or that there is no checkpoint to go on from."""
        if isinstance(exception, KeyboardInterrupt):
            way = (
                f"go on with the same command and ckpt_path={self.last}" if self.last.is_file() else "nothing is saved"
            )
            trainer.print(f"interrupted; {way}", flush=True)


class BestCheckpoint(ModelCheckpoint):
    """Knows the best one also where the folder of the run has been moved.

    Differs: Lightning's forgets it then, and takes the next validation for the best; and it warns of a folder that is
        not empty, which that of a run never is.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """As Lightning's, without that warning."""
        with without_warning("checkpoint folder"):
            super().setup(trainer, pl_module, stage)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the paths of then in the folder of now."""
        folder = str(self.dirpath)
        kept = {os.path.join(folder, os.path.basename(path)): x for path, x in state_dict["best_k_models"].items()}
        names = ("best_model_path", "kth_best_model_path", "last_model_path")
        paths = {name: state_dict[name] and os.path.join(folder, os.path.basename(state_dict[name])) for name in names}
        super().load_state_dict({**state_dict, **paths, "best_k_models": kept, "dirpath": folder})


def best_checkpoint(run_dir: Path, *, monitor: str = "val/top1") -> ModelCheckpoint:
    """Keeps the state after the epoch of the best validation as best.ckpt; `LastCheckpoint` is for all others.

    Args:
        run_dir: the run's folder.
        monitor: the metric whose largest value is the best.
    """
    return BestCheckpoint(run_dir, "best", monitor=monitor, mode="max", enable_version_counter=False)
