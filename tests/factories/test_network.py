import pytest
import torch

from stvit_video.factories.network import meta_model
from stvit_video.settings.train_settings import ModelSettings

MODEL = {"name": "stvit_video_deit_tiny", "embed_dim": 24, "num_heads": 3, "depth": 5, "generate_at": 2}


def test_the_model_of_the_settings_takes_no_memory():
    model = meta_model(ModelSettings(**MODEL, num_tokens=None))
    assert {parameter.device for parameter in model.parameters()} == {torch.device("meta")}
    assert model.head.in_features == 24


def test_what_create_model_refuses_is_refused():
    with pytest.raises(ValueError, match="no option 'num_headz'"):
        meta_model(ModelSettings(**MODEL, num_headz=3))
