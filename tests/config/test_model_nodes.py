import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException

from stvit_video.config.model_nodes import model_node
from stvit_video.models.registry import list_models
from stvit_video.settings.paths import CONF_DIR


def test_every_model_and_no_other_can_be_chosen():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        loader: ConfigLoader = GlobalHydra.instance().config_loader()
        options = loader.get_group_options("model")
    assert [option for option in options if not option.startswith("_")] == list_models()


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("deit_tiny", ["_deit", "_self_"]),
        ("stvit_video_deit_small", ["_video_deit", "_tokens", "_self_"]),
        ("stvit_r_casvit_xs", ["_casvit", "_tokens", "_self_"]),
        ("video_swin_base", ["_video_swin", "_self_"]),
    ],
)
def test_nodes_by_hand(name, defaults):
    assert model_node(name) == {"defaults": defaults, "name": name}


def test_options_of_the_family_and_of_the_tokens_are_there():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        model = compose("train", overrides=["model=stvit_r_video_swin_tiny", "model.num_tokens=8"]).model
    assert (model.name, model.num_tokens, model.reducer) == ("stvit_r_video_swin_tiny", 8, "semantic")
    assert "window_size" in model


def test_a_model_that_is_none_is_told_with_those_that_are():
    with (
        initialize_config_dir(CONF_DIR, version_base="1.3"),
        pytest.raises(ConfigCompositionException, match=re.escape("'model/deit_tinny'")) as error,
    ):
        compose("train", overrides=["model=deit_tinny"])
    assert "stvit_video_deit_small" in str(error.value.__cause__ or error.value)
