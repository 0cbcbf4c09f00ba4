"""The learning-rate schedule of a training that goes on with another number of steps an epoch."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn

from stvit_video.utils.compat import set_last_rates


class StepsPerEpoch(Callback):
    """Moves the schedule to the same epoch where another number of processes or videos makes other steps of an epoch.

    Without it the schedule would go on at the old step, so end too early or too late; and the learning rates, where
    they are scaled by the effective batch, would stay those of the old one. Within an epoch a training can't go on with
    other steps: `ResumableLoader` refuses that.
    """

    def __init__(self) -> None:
        self._before: int | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Move the schedule where that is needed, with a warning."""
        now = _steps_per_epoch(trainer)
        if self._before in (None, now):
            return
        rank_zero_warn(
            f"an epoch had {self._before} steps and has {now} now, with another number of processes or videos; the "
            f"learning rate goes on as planned for epoch {trainer.current_epoch + 1} of {trainer.max_epochs}, and the "
            f"weights are not going to be those of a training in one go"
        )
        planned: Any = pl_module.configure_optimizers()
        (config,) = trainer.lr_scheduler_configs
        scheduler: Any = config.scheduler
        scheduler.base_lrs = planned["lr_scheduler"]["scheduler"].base_lrs
        scheduler.last_epoch = trainer.current_epoch * now
        for group, peak, factor in zip(
            scheduler.optimizer.param_groups, scheduler.base_lrs, scheduler.lr_lambdas, strict=True
        ):
            group["initial_lr"], group["lr"] = peak, peak * factor(scheduler.last_epoch)
        set_last_rates(scheduler, [group["lr"] for group in scheduler.optimizer.param_groups])

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep the number."""
        checkpoint["callbacks"][self.state_key] = {"steps_per_epoch": _steps_per_epoch(trainer)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Inverse of `on_save_checkpoint`."""
        self._before = state_dict["steps_per_epoch"]


def _steps_per_epoch(trainer: Trainer) -> int:
    return int(trainer.estimated_stepping_batches) // int(trainer.max_epochs or 1)
