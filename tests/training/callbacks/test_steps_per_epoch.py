"""A training that goes on with another number of steps an epoch, against the schedule computed by hand."""

import re
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback, LightningModule
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader

from stvit_video.training.callbacks.steps_per_epoch import StepsPerEpoch
from stvit_video.training.optim import OptimizerRecipe, learning_rate_factor

EPOCHS = 4


class Model(LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.plan = OptimizerRecipe(lr=lr, min_lr=lr / 100, weight_decay=0.1, betas=(0.9, 0.99), warmup_epochs=1.0)

    def training_step(self, batch, index):
        return self.layer(batch).sum()

    def configure_optimizers(self):
        num_steps = int(self.trainer.estimated_stepping_batches)
        return self.plan.build(self.layer, num_steps=num_steps, max_epochs=EPOCHS)


class Rates(Callback):
    """The learning rates that every step is made with."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append([group["lr"] for group in trainer.optimizers[0].param_groups])


class SaveAndStop(Callback):
    """At the end of the second epoch, where `LastCheckpoint` saves."""

    def __init__(self, path):
        self.path = path

    def on_train_epoch_end(self, trainer, pl_module):
        if trainer.current_epoch == 1:
            trainer.save_checkpoint(self.path)
            trainer.should_stop = True


def rates_of(path, *, lr, num_steps, resumed=False):
    rates = Rates()
    stop = [] if resumed else [SaveAndStop(path)]
    trainer = quiet_trainer(StepsPerEpoch(), rates, *stop, max_epochs=EPOCHS)
    trainer.fit(Model(lr), DataLoader(torch.ones(num_steps, 2)), ckpt_path=path if resumed else None, weights_only=True)
    return rates.seen


def planned(lr, num_steps):
    total = num_steps * EPOCHS
    factor = partial(learning_rate_factor, num_steps=total, num_warmup_steps=num_steps, min_factor=0.01)
    return [[pytest.approx(lr * factor(step))] * 2 for step in range(total)]  # decayed, and not


@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
@pytest.mark.parametrize(("lr", "num_steps"), [(0.05, 3), (0.2, 12), (0.1, 6)])
def test_the_schedule_goes_on_at_the_same_epoch(tmp_path, lr, num_steps, recwarn):
    assert rates_of(tmp_path / "last.ckpt", lr=0.1, num_steps=6) == planned(0.1, 6)[:12]
    recwarn.clear()
    seen = rates_of(tmp_path / "last.ckpt", lr=lr, num_steps=num_steps, resumed=True)
    assert seen == planned(lr, num_steps)[2 * num_steps :]
    words = [str(warning.message) for warning in recwarn if "an epoch had" in str(warning.message)]
    assert len(words) == (num_steps != 6)
    if words:
        assert re.search(f"6 steps .*{num_steps} now, .*processes.* learning rate .*epoch 3 of 4", words[0])
