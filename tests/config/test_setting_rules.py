import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import changed, check_settings

from stvit_video.config.setting_rules import RULES, type_faults
from stvit_video.settings.paths import CONF_DIR


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x"]), resolve=True)


def test_defaults_are_allowed(defaults):
    assert check_settings(defaults) is None


@pytest.mark.parametrize("key", RULES)
def test_every_rule_refuses_a_wrong_type(defaults, key):
    with pytest.raises(ValueError, match=rf"^{key}=\{{'a': 1\}} must be "):
        check_settings(changed(defaults, key, {"a": 1}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.batch_size", "x", "data.batch_size='x' .*whole number at least 1"),
        ("data.batch_size", 0, "data.batch_size=0 .*whole number at least 1"),
        ("data.batch_size", 2.5, "data.batch_size=2.5 .*whole number at least 1"),
        ("data.batch_size", True, "data.batch_size=True .*whole number at least 1"),
        ("optim.lr", float("nan"), "optim.lr=nan .*above 0"),
        # the whole sentence, once for its family
        ("optim.betas", [0.9], r"^optim.betas=\[0.9\] must be a list of 2 numbers at least 0 and below 1$"),
        ("augment.scale", 0.5, "augment.scale=0.5 .*list of 2 numbers above 0 and at most 1"),
        ("optim.label_smoothing", 2, "optim.label_smoothing=2 .*at least 0 and at most 1"),
        ("trainer.enable_progress_bar", 1, "trainer.enable_progress_bar=1 .*true or false"),
        ("seed", None, "seed=None .*whole number at least 0"),
        ("augment.erase_probability", 2, "augment.erase_probability=2 .*at least 0 and at most 1"),
        ("augment.crop", "center", "augment.crop='center' .*random_resized, random, centre"),
        ("augment.rand_augment", 7, "augment.rand_augment=7 .*word"),
        ("data.sampling", "tsn", "data.sampling='tsn' .*dense, segments"),
        ("optim.milestones", [3, -1], r"optim.milestones=\[3, -1\] .*list of numbers above 0"),
        ("optim.class_weights", "rare", "class_weights='rare' .*list of numbers at least 0, or balanced"),
        ("trainer.compile", "fast", "compile='fast' .*true or false, or default or reduce-overhead"),
    ],
)
def test_values_out_of_range(defaults, key, value, message):
    with pytest.raises(ValueError, match=message):
        check_settings(changed(defaults, key, value))


def test_all_faults_come_at_once(defaults):
    settings = changed(changed(defaults, "optim.lr", -1), "data.num_workers", -2)
    with pytest.raises(ValueError, match=r"data.num_workers=-2 .*; optim.lr=-1 .*above 0"):
        check_settings(settings)


def test_missing_settings_come_with_the_other_faults(defaults):
    settings = changed(changed(changed(defaults, "init_from", "???"), "data.source", "???"), "seed", -1)
    assert type_faults(settings) == {  # the whole sentence of what is missing, once for its family
        "init_from": "init_from is missing; give it, for example init_from=/path",
        "data.source": "data.source is missing; give it, for example data.source=/path",
        "seed": "seed=-1 must be a whole number at least 0 and at most 4294967295",
    }
    with pytest.raises(ValueError, match="^init_from is missing; [^;]*; data.source is missing; [^;]*; seed=-1 "):
        check_settings(settings)
