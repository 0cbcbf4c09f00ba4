import copy
import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from stvit_video.config.nodes import COMMANDS, command_node, layout_node, model_node, task_node
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.models import create_model
from stvit_video.models.registry import list_models, model_options
from stvit_video.settings.paths import CONF_DIR


def composed(command, *overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose(command, overrides=list(overrides)), resolve=False)


def choices_of(group):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        loader: ConfigLoader = GlobalHydra.instance().config_loader()
        return loader.get_group_options(group)


def test_every_model_and_layout_can_be_chosen_and_no_other():
    assert choices_of("model") == list_models()
    assert sorted(choices_of("data")) == sorted({*LAYOUTS, "kinetics600", "kinetics700"})
    assert sorted(choices_of("layout")) == sorted(LAYOUTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_every_setting_with_its_default(command):
    given = composed(command)
    node = task_node("classification") if command == "train" else command_node(command)
    for name, value in node.items():
        if name not in ("data", "model"):
            assert given[name] == value
    if command == "train":
        assert given["data"] == node["data"] | layout_node("csv")
        assert given["model"] == model_node("stvit_video_deit_small")


@pytest.mark.parametrize("name", list_models())
def test_the_node_of_a_model_is_the_model(name):
    """Apart from what a training takes from its data, and stochastic depth."""
    node = model_node(name)
    assert node.pop("name") == name
    assert set(node) == set(model_options(name)) - {"num_classes"}
    assert node["image_size"] == "${data.crop_size}"
    assert node.get("num_frames", "${data.num_frames}") == "${data.num_frames}"
    assert node["drop_path_rate"] == 0.1


@pytest.mark.parametrize("name", ["deit_tiny", "stvit_r_video_swin_tiny", "stvit_casvit_s"])
def test_the_defaults_build_the_same_model(name):
    node = model_node(name)
    given = {key: value for key, value in node.items() if key not in ("name", "image_size", "num_frames")}
    assert str(create_model(name, **given)) == str(create_model(name, drop_path_rate=0.1))


def test_options_of_the_family_and_of_the_tokens_are_there():
    model = composed("train", "model=stvit_r_video_swin_tiny", "model.num_tokens=8")["model"]
    assert (model["name"], model["num_tokens"], model["reducer"]) == ("stvit_r_video_swin_tiny", 8, "semantic")
    assert model["depths"] == [2, 2, 6, 2]


def test_a_layout_with_a_file_of_its_own_has_its_options():
    data = composed("train", "data=synthetic")["data"]
    assert (data["num_train"], data["frame_stride"], data["cache"]) == (1440, 1, "memory")
    assert composed("train", "data=kinetics600")["data"]["expected_classes"] == 600


def test_a_model_that_is_none_is_told_with_those_that_are():
    with pytest.raises(ConfigCompositionException, match=re.escape("'model/deit_tinny'")) as error:
        composed("train", "model=deit_tinny")
    assert "stvit_video_deit_small" in str(error.value.__cause__ or error.value)


def test_nodes_are_shared_by_copies_of_the_store_and_not_by_configurations():
    store = ConfigStore.instance()
    assert copy.deepcopy(store).load("model/deit_tiny.yaml").node == model_node("deit_tiny")
    assert copy.deepcopy(store).repo["model"]["deit_tiny.yaml"].node is store.repo["model"]["deit_tiny.yaml"].node
    before = composed("train", "model=deit_tiny")
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        settings = compose("train", overrides=["model=deit_tiny", "data.num_frames=3"])
    settings.model.embed_dim = settings.data.frame_stride = 7
    assert composed("train", "model=deit_tiny") == before
