"""Metrics of an interrupted epoch against those of one in one go, and against sums by hand."""

from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import Callback, LightningModule
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader
from torchmetrics.classification import MulticlassAccuracy

from stvit_video.training.callbacks import carried_metrics
from stvit_video.training.callbacks.carried_metrics import CarriedMetrics

LOSSES = (1.0, 2.5, 4.0, 0.5, 3.0)
HITS = (1, 0, 1, 1, 0)


class StopError(Exception):
    """Ends a training."""


class Model(LightningModule):
    """Logs the losses and hits above, the first three batches before the interruption."""

    def __init__(self, batches):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.top1 = MulticlassAccuracy(num_classes=2, average="micro")
        self.batches = batches

    def training_step(self, batch, index):
        number = self.batches[index]
        self.top1(torch.tensor([HITS[number]]), torch.tensor([1]))
        self.log("train/loss", LOSSES[number] + 10 * self.current_epoch, on_step=False, on_epoch=True, batch_size=2)
        self.log("train/top1", self.top1, on_step=False, on_epoch=True, batch_size=2)
        self.log("bar", 7.0, on_step=True, on_epoch=False, prog_bar=True)
        return self.weight.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class SaveAndStop(Callback):
    """In the first epoch, after the third batch."""

    def __init__(self, path):
        self.path = path

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if batch_idx == 2:
            trainer.save_checkpoint(self.path)
            raise StopError


class Seen(Callback):
    """What every epoch logs in the end."""

    def __init__(self):
        self.epochs = []

    def on_train_epoch_end(self, trainer, pl_module):
        self.epochs.append({name: float(trainer.callback_metrics[name]) for name in ("train/loss", "train/top1")})


def trainer_with(*callbacks, epochs):
    return quiet_trainer(CarriedMetrics(), *callbacks, max_epochs=epochs)


@pytest.mark.filterwarnings("ignore")
def test_the_epoch_is_told_as_a_whole(tmp_path):
    data, path = DataLoader(torch.zeros(5, 1)), tmp_path / "middle.ckpt"
    with pytest.raises(StopError):
        trainer_with(SaveAndStop(path), epochs=2).fit(Model(range(5)), data)
    seen = Seen()
    # this loader begins anew, so that the module is told which batches are left
    trainer_with(seen, epochs=2).fit(Model({3: 3, 4: 4, 0: 0, 1: 1, 2: 2}), data, ckpt_path=path, weights_only=True)
    assert seen.epochs[0] == {"train/loss": pytest.approx(2.2), "train/top1": pytest.approx(0.6)}
    assert seen.epochs[1] == {"train/loss": pytest.approx(12.2), "train/top1": pytest.approx(0.6)}


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_carried_from_one_epoch_to_the_next(tmp_path):
    data, model = DataLoader(torch.zeros(5, 1)), Model(range(5))
    trainer = trainer_with(epochs=1)
    trainer.fit(model, data)
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    state = torch.load(tmp_path / "end.ckpt", weights_only=True)
    assert state["callbacks"]["CarriedMetrics"] == {"parts": [{}]}


def test_another_number_of_processes_takes_nothing():
    callback = CarriedMetrics()
    callback.load_state_dict({"parts": [{"training_step.train/loss": {"value": torch.tensor(3.0)}}] * 2})

    class One:
        world_size, global_rank = 1, 0

        @property
        def fit_loop(self):
            raise AssertionError("nothing is to be added")

    callback.on_train_start(One(), None)
    callback.on_train_batch_end(One(), None, None, None, 0)
    assert callback._waiting == {}


def test_what_still_waits_is_carried_through_a_second_stop(monkeypatch):
    callback, checkpoint = CarriedMetrics(), {"callbacks": {}}
    callback._waiting = {"mixed": {"value": torch.tensor(3.0)}, "loss": {"value": torch.tensor(1.0)}}
    monkeypatch.setattr(carried_metrics, "_states", lambda trainer: {"loss": {"value": torch.tensor(2.0)}})
    progress = {"processed": 0, "started": 1}
    checkpoint["loops"] = {"fit_loop": {"epoch_progress": {"current": progress}}}
    callback.on_save_checkpoint(SimpleNamespace(world_size=1), None, checkpoint)
    (part,) = checkpoint["callbacks"]["CarriedMetrics"]["parts"]
    assert part == {"mixed": {"value": torch.tensor(3.0)}, "loss": {"value": torch.tensor(2.0)}}
