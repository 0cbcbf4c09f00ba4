import re
import time
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import LightningModule
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader, Dataset

from stvit_video.training.callbacks import progress
from stvit_video.training.callbacks.progress import (
    ClipsPerSecond,
    DataWait,
    EpochLine,
    ResumeHint,
    SeedSteps,
    best_checkpoint,
)


def test_clips_per_second_counts_all_devices_and_no_validation(monkeypatch):
    now = iter([1.0, 10.0, 12.0, 14.0, 16.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(now))
    logged = []
    module = SimpleNamespace(log=lambda name, value, **_: logged.append((name, value)))
    trainer = SimpleNamespace(world_size=2)
    meter = ClipsPerSecond()
    meter.on_train_start(trainer, module)  # the only start, where an epoch is resumed
    meter.on_train_epoch_start(trainer, module)
    for _ in range(2):
        meter.on_train_batch_end(trainer, module, None, {"index": torch.zeros(6)}, 0)
    meter.on_validation_start(trainer, module)
    meter.on_train_epoch_end(trainer, module)
    assert logged == [("clips/s", 6.0), ("clips/s", 6.0), ("train/clips_per_second", 4.0)]


def test_epoch_line():
    lines = []
    metrics = {"train/loss": 1.5, "val/top1": 0.25, "train/clips_per_second": 7.0}
    trainer = SimpleNamespace(
        is_global_zero=True,
        callback_metrics={name: torch.tensor(value) for name, value in metrics.items()},
        current_epoch=2,
        max_epochs=5,
        print=lambda text, flush: lines.append(text),
    )
    EpochLine().on_train_epoch_end(trainer, None)
    assert lines == ["epoch 3/5  train/loss 1.5000  val/top1 0.2500  7.0 clips/s"]
    trainer.callback_metrics["train/data_wait"] = torch.tensor(0.126)
    EpochLine().on_train_epoch_end(trainer, None)
    assert lines[1].endswith("  7.0 clips/s  data wait 13%")


def test_the_epoch_line_tells_the_time_and_how_much_is_left(monkeypatch):
    now = iter([100.0, 130.0, 170.0, 470.0])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(now))
    lines = []
    trainer = SimpleNamespace(
        is_global_zero=True,
        callback_metrics={},
        current_epoch=4,  # a training that goes on
        max_epochs=7,
        print=lambda text, flush: lines.append(text),
        strategy=SimpleNamespace(root_device="cpu"),
        precision="32-true",
        num_training_batches=5,
    )
    line = EpochLine()
    line.on_train_start(trainer, None)
    for _ in range(3):
        line.on_train_epoch_end(trainer, None)
        trainer.current_epoch += 1
    assert lines[0] == "training on cpu, precision 32-true, 5 batches an epoch"
    ends = [text.rpartition("  ")[2] for text in lines[1:]]
    assert ends == ["30 s, 1 min 0 s left", "40 s, 35 s left", "5 min 0 s"]


def test_every_process_asks_for_the_metrics_and_one_prints():
    """Metrics may be reduced over processes when they are asked for: who does not ask leaves the others waiting."""
    asked = []

    class Other:
        is_global_zero = False

        @property
        def callback_metrics(self):
            asked.append(1)
            return {}

    EpochLine().on_train_epoch_end(Other(), None)
    assert asked == [1]


@pytest.mark.parametrize("monitor", ["val/top1", "val/mAP"])
def test_best_is_that_of_the_best_validation(tmp_path, monitor, recwarn):
    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch, index):
            return self.weight.square().sum()

        def validation_step(self, batch, index):
            self.log(monitor, -abs(1.0 - self.current_epoch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def fit(folder, *, max_epochs, ckpt_path=None):
        best = best_checkpoint(folder, monitor=monitor)
        trainer = quiet_trainer(best, max_epochs=max_epochs, enable_checkpointing=True)
        trainer.fit(Model(), data, data, ckpt_path=ckpt_path, weights_only=True)
        trainer.save_checkpoint(folder / "last.ckpt")
        return torch.load(folder / "best.ckpt", weights_only=True)["epoch"]

    data = DataLoader(torch.zeros(2, 1))
    assert fit(tmp_path / "then", max_epochs=3) == 1
    assert sorted(path.name for path in (tmp_path / "then").iterdir()) == ["best.ckpt", "last.ckpt"]
    (tmp_path / "then").rename(tmp_path / "now")  # the best one of then is the best one there, too
    assert fit(tmp_path / "now", max_epochs=4, ckpt_path=tmp_path / "now" / "last.ckpt") == 1
    assert not [warning for warning in recwarn if "is not empty" in str(warning.message)]  # that of a run never is


def test_random_numbers_depend_on_seed_epoch_batch_and_process():
    def draw(seed, epoch, batch, rank):
        SeedSteps(seed).on_train_batch_start(SimpleNamespace(current_epoch=epoch, global_rank=rank), None, {}, batch)
        return torch.rand(3).tolist()

    assert draw(0, 1, 2, 0) == draw(0, 1, 2, 0)
    assert (
        len({tuple(draw(*key)) for key in [(0, 1, 2, 0), (1, 1, 2, 0), (0, 2, 2, 0), (0, 1, 3, 0), (0, 1, 2, 1)]}) == 5
    )


def test_interrupted_training_says_how_to_go_on(tmp_path):
    lines = []
    trainer = SimpleNamespace(print=lambda text, flush: lines.append(text))
    hint = ResumeHint(tmp_path)
    hint.on_exception(trainer, None, KeyboardInterrupt())
    (tmp_path / "last.ckpt").touch()
    hint.on_exception(trainer, None, ValueError())
    assert lines == ["interrupted; nothing is saved"]
    hint.on_exception(trainer, None, KeyboardInterrupt())
    assert lines[1:] == [f"interrupted; go on with the same command and ckpt_path={tmp_path}/last.ckpt"]


def test_share_of_waiting_is_exact_on_a_made_up_clock(monkeypatch):
    """Two steps of 3 s after 2 s and 1 s of waiting, 10 s of validation between them: 3 of 9 seconds."""
    clock, logged = [100.0], []
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    module = SimpleNamespace(log=lambda name, value, **_: logged.append((name, value)))
    wait = DataWait()

    def after(seconds, hook, *arguments):
        clock[0] += seconds
        hook(None, module, *arguments)

    wait.on_validation_end(None, module)  # of the check before training
    for _ in range(2):  # a second epoch starts anew
        after(7, wait.on_train_epoch_start)
        after(2, wait.on_train_batch_start, {}, 0)
        after(3, wait.on_train_batch_end, None, {}, 0)
        after(10, wait.on_validation_end)
        after(1, wait.on_train_batch_start, {}, 1)
        after(3, wait.on_train_batch_end, None, {}, 1)
        after(10, wait.on_validation_end)
        after(0, wait.on_train_epoch_end)
    assert logged == [("train/data_wait", pytest.approx(3 / 9))] * 2


class SlowClips(Dataset):
    """Each of 4 clips takes 60 ms to load."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        time.sleep(0.06)
        return {"index": index}


def test_a_resumed_epoch_is_measured_from_there_on(monkeypatch):
    clock, logged = [500.0], []
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    module = SimpleNamespace(log=lambda name, value, **_: logged.append((name, value)))
    trainer = SimpleNamespace(world_size=1)
    meters = ClipsPerSecond(), DataWait()
    for meter in meters:
        meter.on_train_start(trainer, module)
    clock[0] += 1
    meters[1].on_train_batch_start(trainer, module, {}, 5)
    clock[0] += 3
    for meter in meters:
        meter.on_train_batch_end(trainer, module, None, {"index": torch.zeros(6)}, 5)
        meter.on_train_epoch_end(trainer, module)
    assert logged[1:] == [("train/clips_per_second", 1.5), ("train/data_wait", 0.25)]


def test_share_of_waiting_is_what_the_loader_and_the_step_sleep(monkeypatch):
    """60 ms for the loader, 20 ms for the step: 3 / 4, whatever validation takes. The clock is moved by sleep alone."""
    clock = [500.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.append(clock.pop() + seconds))

    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch, index):
            time.sleep(0.02)
            return self.weight.square().sum()

        def validation_step(self, batch, index):
            time.sleep(0.2)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    lines = []
    trainer = quiet_trainer(DataWait(), EpochLine(), max_epochs=1)
    trainer.print = lambda text, **_: lines.append(text)
    trainer.fit(Model(), DataLoader(SlowClips()), DataLoader(torch.zeros(2, 1)))
    assert float(trainer.callback_metrics["train/data_wait"]) == pytest.approx(0.75)
    assert re.fullmatch(r"epoch 1/1 .* data wait 75%  \d+ s", lines[1])
