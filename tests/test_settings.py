import copy

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.build import CONF_DIR
from stvit_video.settings import RULES, Rule, check_settings


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x"]), resolve=True)


def changed(settings, key, value):
    settings = copy.deepcopy(settings)
    group, _, name = key.rpartition(".")
    (settings[group] if group else settings)[name] = value
    return settings


def test_defaults_are_allowed(defaults):
    assert check_settings(defaults) is None


@pytest.mark.parametrize("key", RULES)
def test_every_rule_refuses_a_wrong_type(defaults, key):
    with pytest.raises(ValueError, match=rf"^{key}=\{{'a': 1\}} must be "):
        check_settings(changed(defaults, key, {"a": 1}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.batch_size", "x", "data.batch_size='x' must be a whole number at least 1"),
        ("data.batch_size", 0, "data.batch_size=0 must be a whole number at least 1"),
        ("data.batch_size", 2.5, "data.batch_size=2.5 must be"),
        ("data.batch_size", True, "data.batch_size=True must be"),
        ("optim.lr", float("nan"), "optim.lr=nan must be a number above 0"),
        ("optim.betas", [0.9], r"optim.betas=\[0.9\] must be a list of 2 numbers at least 0 and at most 1"),
        ("augment.scale", 0.5, "augment.scale=0.5 must be a list of 2 numbers above 0 and at most 1"),
        ("optim.label_smoothing", 2, "optim.label_smoothing=2 must be a number at least 0 and at most 1"),
        ("trainer.enable_progress_bar", 1, "trainer.enable_progress_bar=1 must be true or false"),
        ("seed", None, "seed=None must be a whole number at least 0"),
        (
            "trainer.check_val_every_n_epoch",
            99,
            "trainer.check_val_every_n_epoch=99 must be at most trainer.max_epochs",
        ),
        ("optim.warmup_epochs", 99, "optim.warmup_epochs=99 must be below trainer.max_epochs=30; shorten the warm-up"),
        ("optim.min_lr", 5.0, "optim.min_lr=5.0 must be at most optim.lr=0.001"),
        ("report_checkpoint", "first", "report_checkpoint='first' is unknown; choose best or last"),
    ],
)
def test_values_out_of_range(defaults, key, value, message):
    with pytest.raises(ValueError, match=message):
        check_settings(changed(defaults, key, value))


def test_all_faults_come_at_once(defaults):
    settings = changed(changed(defaults, "optim.lr", -1), "data.num_workers", -2)
    with pytest.raises(ValueError, match=r"data.num_workers=-2 must be .*; optim.lr=-1 must be"):
        check_settings(settings)


def test_optional_values_may_be_null(defaults):
    assert check_settings(changed(defaults, "trainer.gradient_clip_val", None)) is None
    assert Rule(str).fault("a") is None
