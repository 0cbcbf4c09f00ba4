import pytest
import torch

from stvit_video.factories.network import given_options, meta_model, model_settings, option_faults
from stvit_video.models.registry import list_models, option_defaults
from stvit_video.settings.train_settings import ModelSettings

MODEL = {"name": "stvit_video_deit_tiny", "embed_dim": 24, "num_heads": 3, "depth": 5, "generate_at": 2}


def test_the_model_of_the_settings_takes_no_memory():
    model = meta_model(ModelSettings(**MODEL, num_tokens=None))
    assert {parameter.device for parameter in model.parameters()} == {torch.device("meta")}
    assert model.head.in_features == 24


def test_what_create_model_refuses_is_refused():
    with pytest.raises(ValueError, match="no option 'num_headz'"):
        meta_model(ModelSettings(**MODEL, num_headz=3))


def test_null_is_passed_on_where_the_model_has_such_an_option():
    small = ModelSettings(**MODEL, layer_scale_init=None, num_tokens=None, window_size=None)
    options = given_options(small)
    assert options["layer_scale_init"] is None
    assert "window_size" not in options
    assert not any("gamma" in name for name, _ in meta_model(small).named_parameters())


def test_options_of_a_wrong_type_are_told():
    wrong = {"qkv_bias": "maybe", "mlp_ratio": None, "depth": 3.5, "elastic": 8, "num_tokens": [2, 3], "num_classes": 3}
    assert option_faults(ModelSettings(name="stvit_deit_tiny", **wrong)) == {
        "model.depth": "model.depth=3.5 must be a whole number",
        "model.mlp_ratio": "model.mlp_ratio=None must be a number",
        "model.qkv_bias": "model.qkv_bias='maybe' must be true or false",
        "model.elastic": "model.elastic=8 must be a list",
        "model.num_classes": "model.num_classes is the number of classes of the data; leave it out",
    }
    assert option_faults(ModelSettings(name="vit", depth="x")) == {}


@pytest.mark.parametrize("name", list_models())
def test_the_defaults_of_every_model_are_of_their_types(name):
    assert option_faults(ModelSettings(name=name, **option_defaults(name))) == {}
    assert list(model_settings(name).model_fields) == list(option_defaults(name))
