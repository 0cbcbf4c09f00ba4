"""Build a network from the `model` settings."""

from collections.abc import Mapping
from typing import Any

import torch

from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model

Settings = Mapping[str, Any]


def given_options(model: Settings) -> dict[str, Any]:
    """The options of the `model` settings for `create_model`; what is null keeps the named model's own value."""
    return {key: value for key, value in model.items() if key != "name" and value is not None}


def meta_model(model: Settings) -> TokenModel:
    """Build the model of the `model` settings on the meta device: at once, without memory, with the default classes.

    Raises:
        ValueError: as `create_model`.
    """
    with torch.device("meta"):
        return create_model(model["name"], **given_options(model))
