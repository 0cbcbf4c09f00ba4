import re

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import all_changed, typed

from stvit_video.config.optim_consistency import optim_faults, schedule_faults
from stvit_video.settings.paths import CONF_DIR


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        small = ["model.embed_dim=12", "model.num_heads=2", "model.depth=4", "model.generate_at=1"]
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x", *small]), resolve=True)


def faults_of(values, changes):
    """What a training of a classifier is told."""
    settings = typed(all_changed(values, changes))
    return [*schedule_faults(settings), *optim_faults(settings)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optim.layer_decay": 0.75, "optim.ema_decay": 0.9995, "trainer.compile": True},
        {"optim.optimizer": "sgd", "optim.nesterov": True, "optim.backbone_lr_factor": 0.1},
        {"optim.schedule": "step", "optim.milestones": [11, 14]},
        {"optim.train": "semantic", "init_from": "/some.ckpt"},
        {"model.elastic": [8, 16, 32]},
        {"optim.probe_epochs": 20, "init_from": "/some.ckpt", "optim.layer_decay": 0.75, "optim.probe_lr": 1.0},
        {"optim.probe_epochs": 10**6},  # without init_from there is no probe
    ],
)
def test_settings_that_go_together(defaults, changes):
    assert faults_of(defaults, changes) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optim.warmup_lr": 0.1}, "optim.warmup_lr=0.1 .*at most optim.lr=0.001"),
        (
            {"trainer.precision": "16-true"},
            "optim.optimizer=adamw .*trainer.precision=16-true, .*16-mixed, bf16-true or optim=sgd",
        ),
        (
            {"optim.probe_epochs": 7, "optim.train": "head", "init_from": "/some.ckpt"},
            "optim.probe_epochs=7 .*optim.train=head rules out; .*optim.train=all, or optim.probe_epochs=0",
        ),
        (
            {"optim.probe_epochs": 9, "trainer.max_epochs": 9, "init_from": "/some.ckpt"},
            "optim.probe_epochs=9 must be below trainer.max_epochs=9; .*optim.train=head",
        ),
        ({"optim.probe_lr": 0.1}, "optim.probe_lr=0.1 .*optim.probe_epochs above 0"),
        (
            {"optim.probe_epochs": 5, "trainer.max_epochs": 9, "optim.warmup_epochs": 4.0, "init_from": "/some.ckpt"},
            "optim.warmup_epochs=4.0 must be below 4, .*trainer.max_epochs=9 after the optim.probe_epochs=5",
        ),
        (
            {"optim.layer_decay": 0.75, "optim.backbone_lr_factor": 0.1},
            "optim.layer_decay=0.75 and optim.backbone_lr_factor=0.1 .*one of them",
        ),
        (
            {"optim.milestones": [3]},
            r"optim.milestones=\[3\] .*optim.schedule=step, .*cosine; leave",
        ),
        (
            {"optim.schedule": "step"},
            r"optim.schedule=step needs optim.milestones, such as \[11,14\]",
        ),
        (
            {"optim.schedule": "step", "optim.milestones": [3, 30]},
            r"optim.milestones=\[3, 30\] .*below trainer.max_epochs=30",
        ),
        ({"optim.nesterov": True}, "optim.nesterov=true .*optim.optimizer=sgd and optim.momentum above 0"),
        (
            {"optim.train": "head"},  # the whole sentence, once for its family
            "^optim.train=head freezes the rest of the model, but without init_from that is randomly initialised; set "
            "init_from=/path or optim.train=all$",
        ),
        (
            {"optim.train": "semantic", "init_from": "a.ckpt", "model.reducer": "pool"},
            "optim.train=semantic .*stvit_ .*=semantic or token_learner, .*_deit_small .*model.reducer=pool",
        ),
        (
            {"optim.train": "head", "init_from": "a.ckpt", "optim.layer_decay": 0.5},
            "optim.train=head .*optim.layer_decay and optim.backbone_lr_factor",
        ),
        (
            {"trainer.strategy": "fsdp", "optim.ema_decay": 0.9},
            "optim.ema_decay .*trainer.strategy=fsdp, .*trainer.strategy=ddp, or optim.ema_decay=null",
        ),
        (
            {"trainer.strategy": "fsdp", "trainer.compile": "default"},
            "trainer.compile .*trainer.strategy=fsdp; .*trainer.strategy=ddp, or false",
        ),
    ],
)
def test_each_contradiction_is_one_sentence(defaults, changes, message):
    (fault,) = faults_of(defaults, changes)
    assert re.match(message, fault), fault


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.elastic": [8, 9999999]}, "model=stvit_video_deit_small: num_tokens=9999999"),
        ({"model.embed_dims": 9}, "model=stvit_video_deit_small: .*no option 'embed_dims'"),
        ({"model.generate_at": 9}, "model=stvit_video_deit_small: generate_at=9 .*depth=4"),
    ],
)
def test_models_that_can_not_be_built_are_told_before_any_data_is_read(defaults, changes, message):
    (fault,) = faults_of(defaults, changes)
    assert re.match(message, fault), fault


def test_all_faults_come_at_once(defaults):
    faults = faults_of(defaults, {"optim.nesterov": True, "optim.train": "head", "model.elastic": []})
    assert len(faults) == 3
