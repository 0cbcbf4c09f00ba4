"""Multi-scale settings that can't work, told with all other faults before anything is read."""

import re

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import check_settings, typed

from stvit_video.config.multi_scale_consistency import multi_scale_faults
from stvit_video.settings.paths import CONF_DIR

TINY = [
    "data=image_folder",
    "data.root=/x",
    "data.short_side=40",
    "data.crop_size=24",
    "model=deit_tiny",
    "model.patch_size=8",
    "model.embed_dim=8",
    "model.num_heads=2",
    "model.depth=3",
    "data.multi_scale=[16,24,40]",
]
SEMANTIC = ["model=stvit_deit_tiny", "model.generate_at=1", "model.depth=4"]


def settings_for(*overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=[*TINY, *overrides]), resolve=True)


def typed_for(*overrides):
    return typed(settings_for(*overrides))


def test_what_fits_is_allowed():
    assert multi_scale_faults(typed_for()) == []
    assert check_settings(settings_for()) is None
    assert multi_scale_faults(typed_for("data.multi_scale=null", "model.patch_size=6", "data.cache=memory")) == []
    assert check_settings(settings_for(*SEMANTIC, "model.num_tokens=4")) is None
    smaller = [*SEMANTIC, "model.num_tokens=4", "model.elastic=[4,9]", "data.multi_scale=[24,16]"]  # 2 x 2 image tokens
    assert multi_scale_faults(typed_for(*smaller)) == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.multi_scale=[24]"], r"data.multi_scale=\[24\] .*two or more"),
        (
            ["data.multi_scale=[16,24,36,20]"],
            r"data.multi_scale=\[16, 20, 24, 36\] .*model=deit_tiny .*\(20, 36\): .*\(20, 20\) .*patches of \(8, 8\)",
        ),
        (
            [*SEMANTIC, "model.num_tokens=9", "model.reducer=token_learner", "data.multi_scale=[24,16]"],
            r"model=stvit_deit_tiny .*\(16\): .*grid of \(3, 3\) .*pooled.* \(2, 2\)",
        ),
        (
            ["data.cache=memory", "data.multi_scale=[16,48]"],
            "data.multi_scale .*48 pixels .*40 pixels; .*data.cache_short_side=48, or data.cache=none",
        ),
        (
            ["data.cache=memory", "augment.crop=random", "augment.short_side_jitter=[24,36]"],
            "data.multi_scale .*40 pixels .*40 pixels; .*data.cache_short_side=60",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(overrides, message):
    [fault] = multi_scale_faults(typed_for(*overrides))
    assert re.search(message, fault), fault


def test_they_come_with_the_other_faults():
    settings = settings_for("data.multi_scale=[16,20]", "data.num_repeats=3", "optim.warmup_epochs=1000")
    with pytest.raises(ValueError, match=r"optim.warmup_epochs=1000.*data.num_repeats=3.*deit_tiny .*\(20\)"):
        check_settings(settings)
    settings = settings_for("data.multi_scale=[16,a]", "data.multi_scale_batch=more")
    message = r"data.multi_scale=\[16, 'a'\] .*numbers at least 1; data.multi_scale_batch='more' "
    with pytest.raises(ValueError, match=message):
        check_settings(settings)


def test_a_model_that_can_not_be_built_is_told_once():
    settings = settings_for("model.num_heads=3")
    assert multi_scale_faults(typed(settings)) == []
    with pytest.raises(ValueError, match="num_heads"):
        check_settings(settings)
