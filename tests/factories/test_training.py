import dataclasses
import re
from pathlib import Path

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import ModelParallelStrategy

from stvit_video.factories import training
from stvit_video.factories.data import build_multi_scale
from stvit_video.factories.training import (
    build_optim,
    build_trainer,
    build_weight_callbacks,
    compile_mode,
    describe_weights,
    scaled_learning_rate,
)
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.optim_settings import OptimSettings
from stvit_video.settings.train_settings import TrainSettings
from stvit_video.settings.trainer_settings import TrainerSettings
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sharding import sharded_strategy

TRAINER = {
    "max_epochs": 3,
    "accelerator": "cpu",
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
    "sync_batchnorm": False,
    "precision": "auto",
    "gradient_clip_val": 0.5,
    "accumulate_grad_batches": 2,
    "check_val_every_n_epoch": 3,
    "log_every_n_steps": 7,
    "checkpoint_minutes": 2.5,
    "enable_progress_bar": False,
}


def test_every_optimizer_setting_arrives():
    optim = {"lr": 0.1, "min_lr": 0.01, "weight_decay": 0.2, "betas": [0.8, 0.9], "warmup_epochs": 1.5}
    optim |= {"warmup_lr": 0.001, "optimizer": "sgd", "momentum": 0.7, "nesterov": True, "schedule": "step"}
    optim |= {"milestones": [3, 5], "milestone_factor": 0.2, "layer_decay": 0.7, "backbone_lr_factor": 1.0}
    settings = TrainSettings(optim=OptimSettings.model_validate(optim | {"label_smoothing": 0.1}))
    plan = build_optim(settings)
    assert {key: getattr(plan, key) for key in optim} == optim | {"betas": (0.8, 0.9), "milestones": (3, 5)}
    faster = build_optim(settings, learning_rate_factor=2.0)
    assert (faster.lr, faster.min_lr, faster.warmup_lr, faster.weight_decay) == (0.2, 0.02, 0.002, 0.2)


def test_the_usual_warm_up_is_a_share_of_the_epochs():
    assert build_optim(TrainSettings(trainer=TrainerSettings(max_epochs=12))).warmup_epochs == 2


def test_probe_and_average_are_made_where_they_are_asked_for():
    assert build_weight_callbacks(TrainSettings()) == []
    probing = OptimSettings(ema_decay=0.9, probe_epochs=3, probe_lr=0.5, lr=0.25)
    settings = TrainSettings(optim=probing, init_from="/x.ckpt", trainer=TrainerSettings(max_epochs=15))
    probe, average = build_weight_callbacks(settings)
    assert (probe.num_epochs, average.decay) == (3, 0.9)
    recipe = build_optim(settings, learning_rate_factor=2)
    assert (recipe.probe_epochs, recipe.probe_lr, recipe.lr, recipe.warmup_epochs) == (3, 1.0, 0.5, 2.0)


def test_without_weights_to_start_from_there_is_no_probe_and_it_is_told():
    settings = TrainSettings(optim=OptimSettings(probe_epochs=3))
    assert build_weight_callbacks(settings) == []
    assert build_optim(settings).probe_epochs == 0
    assert re.search("init_from is not given: all weights are random, .*init_from=/", describe_weights(settings))
    assert not describe_weights(TrainSettings())
    assert not describe_weights(settings.with_changes(init_from="/x.ckpt"))


def test_what_compiling_means():
    assert [compile_mode(setting) for setting in (False, True, "max-autotune")] == [None, "default", "max-autotune"]


@pytest.mark.parametrize(("cuda", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_every_trainer_setting_arrives(tmp_path, monkeypatch, cuda, precision):
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    trainer = build_trainer(TrainerSettings(**TRAINER), run_dir=tmp_path, seed=0, resumed=False, monitor="val/mAP")
    expected = {
        key: value
        for key, value in TRAINER.items()
        if hasattr(trainer, key) and key not in ("strategy", "accelerator", "precision")
    }
    assert {key: getattr(trainer, key) for key in expected} == expected
    assert str(trainer.precision) == precision
    assert "val/mAP" in [getattr(callback, "monitor", None) for callback in trainer.checkpoint_callbacks]
    assert Path(trainer.default_root_dir) == tmp_path


def test_devices_and_sharding_arrive(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "6")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    settings = TRAINER | {"devices": "auto", "num_nodes": 2, "strategy": "fsdp", "sync_batchnorm": True}
    given = {}
    monkeypatch.setattr(training, "sharded_strategy", lambda size: given.update(size=size) or sharded_strategy(size))
    monkeypatch.setattr(training, "Trainer", lambda **more: given.update(more) or Trainer(**more))
    trainer = build_trainer(TrainerSettings(**settings), run_dir=tmp_path, seed=0, resumed=False, monitor="val/mAP")
    assert (trainer.num_devices, trainer.num_nodes) == (3, 2)
    assert isinstance(trainer.strategy, ModelParallelStrategy)
    assert given["size"] == 6
    assert given["sync_batchnorm"] is True


def test_under_slurm_it_is_not_lightning_that_obeys_the_signal(tmp_path, monkeypatch):
    job = {
        "NTASKS": "1",
        "NNODES": "1",
        "JOB_NAME": "run",
        "JOB_ID": "57",
        "PROCID": "0",
        "NODEID": "0",
        "LOCALID": "0",
    }
    for name, value in job.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    settings = TRAINER | {"strategy": "ddp"}  # which has the environment as an attribute
    trainer = build_trainer(TrainerSettings(**settings), run_dir=tmp_path, seed=0, resumed=False, monitor="val/mAP")
    environment = trainer.strategy.cluster_environment
    assert type(environment).__name__ == "SLURMEnvironment"
    assert environment.auto_requeue is False


def start_settings(*, multi_scale=None, **optim):
    data = {"batch_size": 6, "num_repeats": 2, "crop_size": 14, "multi_scale_batch": "constant_pixels"}
    return TrainSettings(
        data=ClipSettings(**data, multi_scale=multi_scale),
        optim=OptimSettings(lr=4e-3, **optim),
        trainer=TrainerSettings(**TRAINER | {"devices": 5}),
    )


def test_learning_rates_are_scaled_and_told(capsys):
    factor = scaled_learning_rate(start_settings(lr_reference_batch=60), None)
    assert capsys.readouterr().out == (
        "effective batch 60 = 3/process x 5 processes x 2 accumulate x 2 repeats (30 videos); lr 2.0e-3 (scaled from "
        "60: 4.0e-3 x 30 / 60, other learning rates along)\n"
    )
    assert factor == 0.5


def test_several_sizes_are_told_and_leave_the_learning_rate(capsys):
    settings = start_settings(multi_scale=(28, 14, 7), lr_reference_batch=60, expected_batch=30)
    factor = scaled_learning_rate(settings, build_multi_scale(settings.data))
    line = capsys.readouterr().out
    assert line.startswith("effective batch 60 = 3/process x 5 processes")
    assert line.endswith(
        "along); multi-scale 7 to 28 pixels: batch 24 to 4/process, the effective batch is that of 14 pixels\n"
    )
    assert factor == 0.5


def test_another_batch_than_the_recipes_is_a_warning():
    with pytest.warns(UserWarning, match="30 videos, .*optim.expected_batch=45: trainer.accumulate_grad_batches=3"):
        assert scaled_learning_rate(start_settings(expected_batch=45), None) == 1.0


def test_no_setting_is_left_behind():
    """A setting is the recipe's, or of one of those that other parts take."""
    elsewhere = {"lr_reference_batch", "expected_batch", "train", "ema_decay", "class_weights", "label_smoothing"}
    elsewhere |= {"sandwich", "sandwich_distill"}
    recipe = {field.name for field in dataclasses.fields(OptimizerRecipe)}
    assert set(OptimSettings.model_fields) == recipe | elsewhere
    elsewhere = {"compile", "gradient_checkpointing", "max_nonfinite_steps"}
    assert set(TrainerSettings.model_fields) == set(TRAINER) | elsewhere
