from types import SimpleNamespace

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from stvit_video.training import callbacks
from stvit_video.training.callbacks import ClipsPerSecond, EpochLine, ResumeHint, SeedSteps, checkpoint_callbacks


def test_clips_per_second_counts_all_devices_and_no_validation(monkeypatch):
    now = iter([10.0, 12.0, 14.0, 16.0])
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(now))
    logged = []
    module = SimpleNamespace(log=lambda name, value, **_: logged.append((name, value)))
    trainer = SimpleNamespace(world_size=2)
    meter = ClipsPerSecond()
    meter.on_train_epoch_start(trainer, module)
    for _ in range(2):
        meter.on_train_batch_end(trainer, module, None, {"label": torch.zeros(6)}, 0)
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
    trainer.is_global_zero = False
    EpochLine().on_train_epoch_end(trainer, None)
    assert len(lines) == 1


def test_last_is_written_after_an_epoch_that_is_not_the_best(tmp_path):
    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch, index):
            return self.weight.square().sum()

        def validation_step(self, batch, index):
            self.log("val/top1", 1.0 - self.current_epoch)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = DataLoader(torch.zeros(2, 1))
    trainer = Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=checkpoint_callbacks(str(tmp_path)),
    )
    trainer.fit(Model(), data, data)
    epochs = {path.name: torch.load(path, weights_only=True)["epoch"] for path in tmp_path.iterdir()}
    assert epochs == {"best.ckpt": 0, "last.ckpt": 2}


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
    assert lines == []
    hint.on_exception(trainer, None, KeyboardInterrupt())
    assert lines == [f"interrupted; go on with the same command and ckpt_path={tmp_path}/last.ckpt"]
