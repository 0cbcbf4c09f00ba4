import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import changed, check_settings

from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.rules import Rule


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x"]), resolve=True)


def test_optional_values_may_be_null(defaults):
    assert check_settings(changed(defaults, "trainer.gradient_clip_val", None)) is None
    assert Rule(str).fault("a") is None
