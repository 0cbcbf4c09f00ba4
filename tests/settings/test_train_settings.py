"""The settings of a training as a whole: defaults, types, ranges, and all faults at once."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import changed, check_settings, faults_of

from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.reading import group_of, setting_names
from stvit_video.settings.train_settings import TrainSettings

FREE = ("trainer.devices",)  # what it may be is told by another check
NAMES = [name for name in setting_names(TrainSettings) if "." in name or group_of(TrainSettings, name) is None]


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x"]), resolve=True)


def test_defaults_are_allowed(defaults):
    assert check_settings(defaults) is None


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FREE])
def test_every_setting_refuses_a_wrong_type(defaults, name):
    with pytest.raises(ValueError, match=rf"^{name}=\{{'a': 1\}} must be "):
        check_settings(changed(defaults, name, {"a": 1}))


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_line_of_help(name):
    group, _, own = name.rpartition(".")
    kind = group_of(TrainSettings, group) if group else TrainSettings
    text = kind.model_fields[own].description
    assert text
    assert not text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.batch_size", "x", "data.batch_size='x' .*whole number at least 1"),
        ("data.batch_size", 0, "data.batch_size=0 .*whole number at least 1"),
        ("data.batch_size", 2.5, "data.batch_size=2.5 .*whole number at least 1"),
        ("data.batch_size", True, "data.batch_size=True .*whole number at least 1"),
        ("data.num_repeats", 0, "data.num_repeats=0 .*whole number at least 1"),
        ("data.multi_scale", [0, 24], r"data.multi_scale=\[0, 24\] .*numbers at least 1"),
        ("data.multi_scale_batch", "growing", "multi_scale_batch='growing' .*constant_pixels, at_least, fixed"),
        ("data.max_skipped_fraction", 1.5, "max_skipped_fraction=1.5 .*at least 0 and at most 1"),
        ("data.short_video", "stop", "short_video='stop' .*repeat_last, loop, error"),
        ("data.target_fps", 0.0, "target_fps=0.0 .*above 0"),
        ("data.cache", "disk", "cache='disk' .*none, memory"),
        ("optim.lr", float("nan"), "optim.lr=nan .*above 0"),
        # the whole sentence, once for its family
        ("optim.betas", [0.9], r"^optim.betas=\[0.9\] must be a list of 2 numbers at least 0 and below 1$"),
        ("optim.optimizer", "lion", "optim.optimizer='lion' .*adamw, sgd"),
        ("optim.schedule", "linear", "optim.schedule='linear' .*cosine, constant, step, poly"),
        ("optim.train", "tail", "optim.train='tail' .*all, head, semantic"),
        ("augment.scale", 0.5, "augment.scale=0.5 .*list of 2 numbers above 0 and at most 1"),
        ("optim.label_smoothing", 2, "optim.label_smoothing=2 .*at least 0 and at most 1"),
        ("trainer.enable_progress_bar", 1, "trainer.enable_progress_bar=1 .*true or false"),
        ("seed", None, "seed=None .*whole number at least 0"),
        ("augment.erase_probability", 2, "augment.erase_probability=2 .*at least 0 and at most 1"),
        ("augment.erase_count", 0, "augment.erase_count=0 .*at least 1"),
        ("augment.colour_jitter", 1.5, "augment.colour_jitter=1.5 .*at most 1"),
        ("augment.hue_jitter", 0.6, "augment.hue_jitter=0.6 .*at most 0.5"),
        ("augment.mixup_alpha", -0.1, "augment.mixup_alpha=-0.1 .*at least 0"),
        ("augment.mix_probability", 1.5, "augment.mix_probability=1.5 .*at most 1"),
        ("augment.flip_probability", 1.5, "augment.flip_probability=1.5 .*at most 1"),
        ("augment.crop", "center", "augment.crop='center' .*random_resized, random, centre"),
        ("augment.rand_augment", 7, "augment.rand_augment=7 .*word"),
        ("data.sampling", "tsn", "data.sampling='tsn' .*dense, segments"),
        ("optim.milestones", [3, -1], r"optim.milestones=\[3, -1\] .*list of numbers above 0"),
        ("optim.class_weights", "rare", "class_weights='rare' .*list of numbers at least 0, or balanced"),
        ("trainer.compile", "fast", "compile='fast' .*true or false, or default or reduce-overhead"),
        ("distill.kind", "warm", "distill.kind='warm' .*soft, hard"),
        ("distill.weight", 1.5, "distill.weight=1.5 .*at most 1"),
        ("distill.temperature", 0.0, "distill.temperature=0.0 .*above 0"),
        ("report_checkpoint", "newest", "report_checkpoint='newest' .*best, last"),
    ],
)
def test_values_out_of_range(defaults, key, value, message):
    with pytest.raises(ValueError, match=message):
        check_settings(changed(defaults, key, value))


@pytest.mark.parametrize("name", ["trainer.gradient_clip_val", "optim.warmup_epochs", "optim.ema_decay"])
def test_optional_settings_may_be_null(defaults, name):
    assert check_settings(changed(defaults, name, None)) is None


def test_all_faults_come_at_once(defaults):
    values = changed(changed(defaults, "optim.lr", -1), "data.num_workers", -2)
    with pytest.raises(ValueError, match=r"data.num_workers=-2 .*at least 0; optim.lr=-1 "):
        check_settings(values)


def test_missing_settings_come_with_the_other_faults(defaults):
    values = changed(changed(changed(defaults, "init_from", "???"), "data.source", "???"), "seed", -1)
    assert faults_of(values) == [  # the whole sentence of what is missing, once for its family
        "init_from is missing; give it, for example init_from=/path",
        "data.source is missing; give it, for example data.source=VALUE",
        "seed=-1 must be a whole number at least 0 and at most 4294967295",
    ]


def test_a_copy_has_other_values():
    settings = TrainSettings()
    assert settings.with_changes(seed=3).seed == 3
    assert settings.seed == 0
