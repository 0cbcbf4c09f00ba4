"""The metrics of an epoch that was interrupted: what its first part added to them goes on in the second."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, distributed

from stvit_video.utils.compat import forget_result, is_between_epochs, logged_metrics

State = dict[str, Any]  # what a metric has summed up so far, by the names that torchmetrics gives


class CarriedMetrics(Callback):
    """Carries the sums behind `train/loss`, `train/top1` and the like through a checkpoint, of each process.

    So the row of an interrupted epoch in metrics.csv tells of the whole epoch. A metric that no batch adds to after the
    training was resumed, such as `train/top1_mixed` where none is mixed any more, is missing in this row.

    Differs: Lightning's checkpoints leave these sums out. They are taken from where `self.log` keeps them, as there is
        no public way to.
    """

    def __init__(self) -> None:
        self._parts: list[dict[str, State]] = []  # of each process
        self._waiting: dict[str, State] = {}  # until the first batch adds to the same metric

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take this process's part."""
        if len(self._parts) == trainer.world_size:  # an interrupted epoch can't be resumed with another number
            self._waiting = self._parts[trainer.global_rank]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add what was carried to the metrics that this batch has begun anew."""
        for key, logged in logged_metrics(trainer).items() if self._waiting else ():
            if key in self._waiting:
                _add(logged.metric, self._waiting.pop(key))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the rest, which is not of the next epoch."""
        self._waiting = {}

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Collect the sums of all processes; nothing at the end of an epoch."""
        own = {} if is_between_epochs(checkpoint) else {**self._waiting, **_states(trainer)}
        parts: list[Any] = [own] * trainer.world_size
        if trainer.world_size > 1:
            distributed.all_gather_object(parts, own)
        checkpoint["callbacks"][self.state_key] = {"parts": parts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Inverse of `on_save_checkpoint`."""
        self._parts = state_dict["parts"]


def _states(trainer: Trainer) -> dict[str, State]:
    return {
        key: {name: _on_cpu(value) for name, value in logged.metric.metric_state.items()}
        for key, logged in logged_metrics(trainer).items()
        if logged.is_summed
    }


def _on_cpu(value: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    return [part.cpu() for part in value] if isinstance(value, list) else value.detach().cpu()


def _add(metric: Any, state: State) -> None:
    """Add a state to a metric whose states are sums, or lists of what it has seen."""
    for name, carried in state.items():
        value = getattr(metric, name)
        if isinstance(value, list):
            setattr(metric, name, [part.to(metric.device) for part in carried] + value)
        else:
            setattr(metric, name, carried.to(value.device) + value)
    forget_result(metric)
