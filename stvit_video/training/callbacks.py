"""Callbacks: training speed, one line an epoch, seeds, and which checkpoints are kept."""

import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

SPEED = "train/clips_per_second"
EPOCH_METRICS = ("train/loss", "train/top1", "train/top1_mixed", "val/loss", "val/top1")


class ClipsPerSecond(Callback):
    """Logs how many clips the training takes in a second, waiting for data included, over all devices."""

    def __init__(self) -> None:
        self._start, self._num_clips, self._seconds = 0.0, 0, 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._start, self._num_clips, self._seconds = time.perf_counter(), 0, 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: dict[str, Any], batch_idx: int
    ) -> None:
        """Show the speed since the epoch's start in the progress bar."""
        self._num_clips += len(batch["label"]) * trainer.world_size
        pl_module.log("clips/s", self._speed(), prog_bar=True, on_step=True, on_epoch=False, logger=False)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the speed of the epoch."""
        pl_module.log(SPEED, self._speed(), rank_zero_only=True)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock: validation runs before the epoch's end."""
        self._seconds = time.perf_counter() - self._start

    def _speed(self) -> float:
        return self._num_clips / (self._seconds or time.perf_counter() - self._start)


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
    """Prints the metrics of every epoch in one line, so that a log file without a progress bar tells the course."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print, on the first process only."""
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        values = "  ".join(f"{name} {float(metrics[name]):.4f}" for name in EPOCH_METRICS if name in metrics)
        speed = f"  {float(metrics[SPEED]):.1f} clips/s" if SPEED in metrics else ""
        trainer.print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {values}{speed}", flush=True)


class ResumeHint(Callback):
    """Says how to go on when a training is interrupted.

    Args:
        run_dir: the run's folder.
    """

    def __init__(self, run_dir: Path) -> None:
        self.last = run_dir / "last.ckpt"

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Print the option, if there is a checkpoint to go on from."""
        if isinstance(exception, KeyboardInterrupt) and self.last.is_file():
            trainer.print(f"interrupted; go on with the same command and ckpt_path={self.last}", flush=True)


def checkpoint_callbacks(run_dir: str) -> list[ModelCheckpoint]:
    """Keep the weights of the best validation accuracy as best.ckpt, and the state after every epoch as last.ckpt.

    Two callbacks: `save_last` of one would write last.ckpt only when best.ckpt is written.
    """
    best = ModelCheckpoint(run_dir, "best", monitor="val/top1", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(run_dir, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    return [best, last]
