"""A module that logs, and a callback that notes what stvit_video.utils.compat says of the loop and its checkpoints."""

import torch
from lightning.pytorch import Callback, LightningModule
from torch import nn
from torchmetrics.classification import MulticlassAccuracy

from stvit_video.utils import compat


class Logging(LightningModule):
    """Logs the batch's number for the epoch, and another value for the bar alone; has a place for sharding."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.metric = MulticlassAccuracy(num_classes=2, average="micro")

    def training_step(self, batch, index):
        self.log("number", float(index), on_step=False, on_epoch=True, batch_size=1)
        self.log("bar", 7.0, on_step=True, on_epoch=False, prog_bar=True)
        self.metric(torch.tensor([index % 2]), torch.tensor([1]))
        self.log("hits", self.metric, on_step=False, on_epoch=True, batch_size=1)
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def configure_model(self):
        """Nothing to shard."""


class Noting(Callback):
    """What is logged after the second batch of the second epoch, and the checkpoints of then and of the end."""

    def __init__(self):
        self.logged, self.checkpoints, self.has_trainer = {}, [], False

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == (1, 1):
            self.logged = {
                key: (logged.is_summed, {k: v.clone() for k, v in logged.metric.metric_state.items()})
                for key, logged in compat.logged_metrics(trainer).items()
            }
            self.has_trainer = compat.has_trainer(pl_module)
            trainer.save_checkpoint("middle")

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.save_checkpoint("end")

    def on_save_checkpoint(self, trainer, pl_module, checkpoint):
        self.checkpoints.append((compat.is_between_epochs(checkpoint), compat.epochs_and_batches(checkpoint)))
