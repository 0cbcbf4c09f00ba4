"""What a training can do beside its plain loop, by the command's own function on tiny videos."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_training import settings_for

from stvit_video.models import model_from_checkpoint
from stvit_video.train import train
from stvit_video.training import module as module_file
from stvit_video.training.callbacks.progress import EpochLine
from stvit_video.training.compiling import compiled_logits
from stvit_video.training.objective import SingleLabel

pytestmark = pytest.mark.commands


@pytest.fixture
def run(tiny_run, tmp_path):
    """Train with the given overrides in a folder of the given name, and read the last checkpoint."""

    def run(name, *overrides, **more):
        train(settings_for(tiny_run, *overrides) | more, run_dir=tmp_path / name)
        return torch.load(tmp_path / name / "last.ckpt", weights_only=True)

    return run


def differences(first, second):
    """Names of the tensors that are not the same to the last bit."""
    assert list(first) == list(second)
    return [key for key, value in first.items() if not torch.equal(value, second[key])]


def interrupt_third_epoch(self, trainer, pl_module):
    if trainer.current_epoch == 2:
        raise KeyError("as if the power were cut")


def test_with_everything_on_a_resumed_training_ends_with_the_same_weights_and_average(
    run, tiny_run, tmp_path, monkeypatch
):
    everything = ["model.elastic=[2,4]", "model.drop_path_rate=0.5", "trainer.max_epochs=4", "optim.ema_decay=0.7"]
    everything += ["model.depth=6", "model.elastic_generate_at=[1,2,3]", "model.generate_at=2"]
    everything += ["optim.layer_decay=0.75", "optim.class_weights=balanced", "trainer.gradient_checkpointing=true"]
    everything += [f"distill.teacher='{tiny_run.checkpoint}'", "distill.temperature=2", "trainer.max_nonfinite_steps=2"]
    whole = run("whole", *everything)
    with monkeypatch.context() as patch:
        patch.setattr(EpochLine, "on_train_epoch_start", interrupt_third_epoch)
        with pytest.raises(KeyError, match="power"):
            run("part", *everything)
    resumed = run("part", *everything, ckpt_path=str(tmp_path / "part" / "last.ckpt"))
    for kind in ("state_dict", "current_model_state"):
        assert differences(resumed[kind], whole[kind]) == []
    assert "model.head.weight" in differences(whole["state_dict"], whole["current_model_state"])
    assert not any("teacher" in key or "_orig_mod" in key for key in whole["state_dict"])
    model, _ = model_from_checkpoint(tmp_path / "whole" / "last.ckpt")
    assert torch.equal(model.head.weight, whole["state_dict"]["model.head.weight"])
    with (tmp_path / "whole" / "metrics.csv").open() as file:
        assert {"train/teacher_loss", "train/num_nonfinite", "val/top1"} <= set(csv.DictReader(file).fieldnames)


def test_recomputed_and_compiled_trainings_end_with_the_weights_of_a_plain_one(run, monkeypatch):
    def eager(model, *, mode):
        return compiled_logits(model, mode=mode, backend="eager")

    monkeypatch.setattr(module_file, "compiled_logits", eager)
    elastic = ["trainer.max_epochs=2", "model.elastic=[2,4]", "model.depth=5", "model.elastic_generate_at=[1,2]"]
    plain = run("plain", *elastic)["state_dict"]
    assert differences(run("recomputed", *elastic, "trainer.gradient_checkpointing=true")["state_dict"], plain) == []
    compiled = run("compiled", *elastic, "trainer.compile=true")["state_dict"]
    torch.testing.assert_close(compiled, plain)


def test_a_sandwich_goes_on_exactly_and_logs_what_it_teaches(run, tmp_path, monkeypatch):
    sandwich = ["trainer.max_epochs=4", "model.depth=6", "model.elastic_generate_at=[1,2,3]", "model.generate_at=3"]
    sandwich += ["optim.sandwich=true", "optim.sandwich_distill=0.5", "model.elastic=[2,4]"]
    whole = run("whole", *sandwich)
    with monkeypatch.context() as patch:
        patch.setattr(EpochLine, "on_train_epoch_start", interrupt_third_epoch)
        with pytest.raises(KeyError, match="power"):
            run("part", *sandwich)
    resumed = run("part", *sandwich, ckpt_path=str(tmp_path / "part" / "last.ckpt"))
    assert differences(resumed["state_dict"], whole["state_dict"]) == []
    with (tmp_path / "whole" / "metrics.csv").open() as file:
        assert "train/sandwich_loss" in csv.DictReader(file).fieldnames


@pytest.mark.parametrize("part", ["head", "semantic"])
def test_a_frozen_backbone_stays_as_it_was(run, tiny_run, part):
    start = torch.load(tiny_run.checkpoint, weights_only=True)["state_dict"]
    after = run("run", "trainer.max_epochs=2", f"init_from='{tiny_run.checkpoint}'", f"optim.train={part}")
    changed = differences(after["state_dict"], {key: start[key] for key in after["state_dict"]})
    slot = {"model.blocks.1", "model.temporal_pos_embed"} if part == "semantic" else set()
    assert {".".join(key.split(".")[:3]) if "blocks" in key else key for key in changed} - {
        "model.head.weight",
        "model.head.bias",
    } == slot
    optimized = {index for group in after["optimizer_states"][0]["param_groups"] for index in group["params"]}
    assert len(optimized) == len(changed)


def test_a_batch_without_a_finite_loss_is_skipped_and_told(run, tmp_path, monkeypatch):
    losses, plain = iter(range(100)), SingleLabel.loss

    def loss(self, logits, labels, mix):
        return plain(self, logits, labels, mix) * (float("nan") if next(losses) == 1 else 1.0)

    monkeypatch.setattr(SingleLabel, "loss", loss)
    with pytest.warns(UserWarning, match=r"loss is nan .*\S.*mp4.*, at step 1;"):
        after = run("run", "trainer.max_epochs=3", "trainer.max_nonfinite_steps=2")
    assert all(value.isfinite().all() for value in after["state_dict"].values())
    assert after["nonfinite"] == {"in_a_row": 0, "total": 1}
    with (tmp_path / "run" / "metrics.csv").open() as file:
        counted = [row["train/num_nonfinite"] for row in csv.DictReader(file) if row["train/num_nonfinite"]]
    assert counted == ["0.0", "1.0", "1.0"]


def test_two_processes_draw_skip_and_stop_together(tiny_run, tmp_path):
    """The second one's loss is NaN in its second step."""
    paths = [str(tiny_run.videos[number % 3]) for number in range(3)]
    rows = [
        f'"{path}","{label}",{start},{start + 0.5}'
        for path, label in zip(paths, "abc", strict=True)
        for start in (0, 1, 1.5)
    ]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,start_seconds,end_seconds", *rows]) + "\n")
    overrides = ["model.elastic=[2,4]", "trainer=ddp", "data.batch_size=1", "optim.ema_decay=0.5"]
    overrides += ["model.depth=6", "model.elastic_generate_at=[1,2,3]", "model.generate_at=1"]
    overrides += ["trainer.max_epochs=1", "trainer.max_nonfinite_steps=2", "augment=none"]
    settings = settings_for(tiny_run, *overrides, "trainer.accelerator=cpu")
    settings["data"] |= {"train": str(tmp_path / "list.csv"), "val": str(tmp_path / "list.csv")}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    worker = Path(__file__).parent / "helpers" / "machinery_worker.py"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node=2",
            str(worker),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2))
    assert first == second
    assert first["num_losses"] == len(first["counts"][: first["num_losses"]]) == 4
    assert set(first["counts"]) == {2, 4}
    assert len(set(first["places"])) > 1
    assert first["error"].startswith("the loss is nan on the training videos ")
    assert "#t=" in first["error"]
    saved = torch.load(tmp_path / "skipped" / "last.ckpt", weights_only=True)
    assert all(value.isfinite().all() for value in saved["current_model_state"].values())
    assert saved["nonfinite"] == {"in_a_row": 0, "total": 1}


@pytest.mark.parametrize(
    ("precision", "optim", "dtype"),
    [
        ("bf16-true", "adamw", torch.bfloat16),
        ("16-true", "sgd", torch.float16),
        ("64-true", "adamw", torch.float64),
    ],
)
def test_clips_come_in_the_type_of_the_weights(run, tmp_path, precision, optim, dtype):
    settings = [f"trainer.precision={precision}", f"optim={optim}", "trainer.max_epochs=1", "optim.lr=1e-5"]
    state = run("run", *settings)["state_dict"]
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {dtype}
    assert json.loads((tmp_path / "run" / "result.json").read_text())["num_videos_used"] == 3


def test_every_checkpoint_holds_the_metrics_of_its_own_epoch(run, tmp_path):
    run("run", "trainer.max_epochs=3", "optim.lr=1e-2")
    with (tmp_path / "run" / "metrics.csv").open(newline="") as file:
        rows = {row["epoch"]: row for row in csv.DictReader(file) if row["train/loss"]}
    assert len(rows) == 3
    for name in ("best", "last", "previous"):
        content = torch.load(tmp_path / "run" / f"{name}.ckpt", weights_only=True)
        kept = content["callbacks"]["LastCheckpoint"]["train_metrics"]
        assert kept["train/loss"] == pytest.approx(float(rows[str(content["epoch"])]["train/loss"]))


@pytest.mark.filterwarnings("ignore:trainer.max_epochs=1 then, 4 now")
def test_the_result_of_fewer_epochs_is_set_aside_when_more_are_trained(run, tmp_path, monkeypatch):
    """Its numbers are not of the checkpoints that come."""
    run("run", "trainer.max_epochs=1")
    monkeypatch.setattr(EpochLine, "on_train_epoch_start", interrupt_third_epoch)
    with pytest.raises(KeyError, match="power"):
        run("run", "trainer.max_epochs=4")
    assert not (tmp_path / "run" / "result.json").exists()
    assert json.loads((tmp_path / "run" / "result_1_epochs.json").read_text())["training"]["epochs"] == 1
    monkeypatch.undo()
    run("run", "trainer.max_epochs=4")
    assert json.loads((tmp_path / "run" / "result.json").read_text())["training"]["epochs"] == 4
