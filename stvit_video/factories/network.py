"""Build a network from the `model` settings."""

from typing import Any

import torch

from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model
from stvit_video.settings.train_settings import ModelSettings


def given_options(model: ModelSettings) -> dict[str, Any]:
    """The options of the `model` settings for `create_model`; what is null keeps the named model's own value."""
    return {key: value for key, value in model.options.items() if value is not None}


def meta_model(model: ModelSettings) -> TokenModel:
    """Build the model of the `model` settings on the meta device: at once, without memory, with the default classes.

    Raises:
        ValueError: as `create_model`.
    """
    with torch.device("meta"):
        return create_model(model.name, **given_options(model))
