"""Checkpoint files: whole or not there; and the steps at which they are written."""

import errno
import os
import re
import signal
import time
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from stvit_video.training.callbacks.checkpointing import (
    AtomicCheckpointIO,
    CheckpointWriteError,
    LastCheckpoint,
    checkpoint_damage,
    remove_leftovers,
)
from stvit_video.training.callbacks.interruption import StopSignals, TrainingInterruptedError
from stvit_video.training.callbacks.metrics_csv import MetricsCsv


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_checkpoint_before_the_last_one_is_kept(tmp_path):
    for number in range(3):
        AtomicCheckpointIO().save_checkpoint({"number": number}, tmp_path / "run" / "last.ckpt")
    AtomicCheckpointIO().save_checkpoint({"number": 5}, tmp_path / "run" / "best.ckpt")
    AtomicCheckpointIO().save_checkpoint({"number": 6}, tmp_path / "run" / "best.ckpt")
    found = {path.name: torch.load(path, weights_only=True)["number"] for path in (tmp_path / "run").iterdir()}
    assert found == {"last.ckpt": 2, "previous.ckpt": 1, "best.ckpt": 6}


class FullDisk:
    """A file on a disk that takes no more than a few bytes."""

    def __init__(self, file):
        self.file, self.room = file, 900

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, part):
        self.room -= len(part)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(part)


def test_a_full_disk_is_one_sentence_and_harms_nothing(tmp_path, monkeypatch):
    target = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weight": torch.arange(7)}, target)
    opened = type(target).open
    monkeypatch.setattr(type(target), "open", lambda self, *how: FullDisk(opened(self, *how)))
    with pytest.raises(CheckpointWriteError, match=r"last.ckpt .*written \(No space left on device\)"):
        AtomicCheckpointIO().save_checkpoint({"weight": torch.arange(7000)}, target)
    monkeypatch.undo()
    assert names(tmp_path) == ["last.ckpt"]
    assert torch.equal(torch.load(target, weights_only=True)["weight"], torch.arange(7))


def test_a_place_that_is_no_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointWriteError, match=r"last.ckpt .*written \(File exists\)"):
        AtomicCheckpointIO().save_checkpoint({}, tmp_path / "file" / "last.ckpt")


def flip_a_weight(content):
    place = content.find(torch.arange(3.0, 9.0).numpy().tobytes())
    content[place + 2] ^= 4
    return content


def zero_the_second_half(content):
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    return content


@pytest.mark.parametrize(
    ("change", "words", "is_hidden"),
    [
        (lambda content: content[:-100], "cut short .*not a zip file", False),
        (lambda content: content[:0], "it is empty", False),
        (zero_the_second_half, "cut short .*not a zip file", False),
        (flip_a_weight, "a checksum is wrong, in .*/data/0", True),
    ],
)
def test_damage_is_told(tmp_path, change, words, is_hidden):
    path = tmp_path / "last.ckpt"
    torch.save({"weight": torch.arange(3.0, 9.0)}, path)
    assert checkpoint_damage(path) is None
    path.write_bytes(change(bytearray(path.read_bytes())))
    found = checkpoint_damage(path)
    assert re.fullmatch(words, str(found)), found
    assert found.is_hidden is is_hidden
    if is_hidden:  # which torch takes for a weight
        assert torch.load(path, weights_only=True)["weight"][0] != 3


def test_half_written_files_are_removed_and_nothing_else(tmp_path):
    for name in (".last.ckpt.part", ".best.ckpt.998.part", ".config.yaml.7.part", "last.ckpt"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".config.yaml.7.part", "last.ckpt"]  # another process may be writing it


class Model(LightningModule):
    """Counts its steps; a signal comes in the one that `signal_at` names."""

    def __init__(self, signal_at=None, number=signal.SIGTERM):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.signal_at, self.number = signal_at, number

    def training_step(self, batch, index):
        if (self.current_epoch, index) == self.signal_at:
            os.kill(os.getpid(), self.number)
        loss = (self.weight - 1).square().sum()
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder, model, *, minutes, accumulate=1, epochs=2):
    """Seven batches an epoch; gives the steps at which last.ckpt was written."""
    table, signals = MetricsCsv(folder, resumed=False), StopSignals()
    last = LastCheckpoint(folder, minutes=minutes, signals=signals, table=table)
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=[table],
        accumulate_grad_batches=accumulate,
        plugins=[AtomicCheckpointIO()],
        callbacks=[signals, last],
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=100,
    )
    steps, save = [], trainer.save_checkpoint
    trainer.save_checkpoint = lambda *how, **options: (steps.append(trainer.global_step), save(*how, **options))
    try:
        trainer.fit(model, DataLoader(torch.zeros(7, 1)))
    finally:
        model.last = last
    return steps


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("minutes", "accumulate", "expected"),
    [
        (None, 1, [7, 14]),
        (1e-9, 1, [*range(1, 7), 7, *range(8, 14), 14]),
        (1e-9, 3, [1, 2, 3, 4, 5, 6]),  # after batches 3 and 6, and the epoch with its seventh
        (60.0, 1, [7, 14]),
    ],
)
def test_steps_at_which_it_is_written(tmp_path, minutes, accumulate, expected):
    model = Model()
    assert fit(tmp_path, model, minutes=minutes, accumulate=accumulate) == expected
    assert names(tmp_path) == ["last.ckpt", "metrics.csv", "previous.ckpt"]
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)
    found = state["callbacks"]["LastCheckpoint"]
    assert found["num_rows"] == 1  # of the first epoch; that of the second one follows
    assert found["next_row"] == {**found["train_metrics"], "epoch": 1, "step": expected[-1] - 1}
    assert found["train_metrics"] == pytest.approx(model.last.train_metrics)
    assert 0 < found["seconds"] <= model.last.seconds


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("signal_at", "accumulate", "steps"), [((0, 2), 1, [3]), ((0, 3), 3, [2]), ((0, 6), 1, [7]), ((1, 0), 1, [7, 8])]
)
def test_a_signal_is_obeyed_at_the_end_of_a_step(tmp_path, signal_at, accumulate, steps):
    model, before = Model(signal_at), signal.getsignal(signal.SIGTERM)
    message = rf"step {steps[-1]}, .*epoch {signal_at[0] + 1} of 2; .*last.ckpt$"
    with pytest.raises(TrainingInterruptedError, match=message) as stopped:
        fit(tmp_path, model, minutes=None, accumulate=accumulate)
    assert stopped.value.exit_status == 143
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == steps[-1]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_resumed_run_goes_on_with_clock_and_rows(tmp_path, monkeypatch):
    table = MetricsCsv(tmp_path, resumed=False)
    for step in range(5):
        table.log_metrics({"loss": 1.0}, step)
    last = LastCheckpoint(tmp_path, minutes=None, signals=StopSignals(), table=table)
    last.load_state_dict({"seconds": 40.0, "train_metrics": {"train/x": 2.0}, "num_rows": 3, "next_row": {}})
    assert (last.seconds, last.train_metrics, table.sync()) == (40.0, {"train/x": 2.0}, 3)
    now = [500.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    last.on_train_start(SimpleNamespace(), None)
    now[0] += 2.5
    assert last.seconds == 42.5
