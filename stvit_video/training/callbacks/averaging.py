"""Exponential moving average of the weights: what is validated and kept in the checkpoints' `state_dict`."""

from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from stvit_video.utils.compat import copy_all, has_average, move_averages, without_warning


class WeightAverage(WeightAveraging):
    """Lightning's weight averaging with `average = decay * average + (1 - decay) * weights` after every step.

    The first step's weights begin the average. Validation runs on the average; best.ckpt and last.ckpt hold it under
    "state_dict", which is what `evaluate`, `predict` and `init_from` load, and the weights that training goes on from
    under "current_model_state". Running statistics of batch norms are averaged along; whole numbers are taken over.

    Args:
        decay: between 0 and 1.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=self._average)
        self.decay = decay
        self._validating = False

    def _average(self, averages: list[Tensor], weights: list[Tensor], num_averaged: Tensor | int) -> None:
        """Move the averages, all of one type and device, towards the weights; what is equal stays as it is."""
        with torch.no_grad():
            if averages[0].is_floating_point():
                move_averages(averages, weights, share=1 - self.decay)
            else:
                copy_all(averages, weights)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Make the average."""
        with without_warning("configure_model"):  # it shards, and with sharding there is no average
            super().setup(trainer, pl_module, stage)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average in place of the weights."""
        super().on_validation_epoch_start(trainer, pl_module)
        self._validating = has_average(self)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the weights back."""
        super().on_validation_epoch_end(trainer, pl_module)
        self._validating = False

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Both sets of weights, each under its name also where a signal comes in the middle of a validation."""
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
        if self._validating:
            checkpoint["state_dict"], checkpoint["current_model_state"] = (
                checkpoint["current_model_state"],
                checkpoint["state_dict"],
            )
