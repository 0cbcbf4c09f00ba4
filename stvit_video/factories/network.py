"""Build a network from the `model` settings."""

import inspect
from functools import cache
from typing import Any

import torch

from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model
from stvit_video.models.registry import MODELS, all_options, model_options, option_defaults
from stvit_video.settings.declare import Group
from stvit_video.settings.reading import read_settings
from stvit_video.settings.signature import settings_of
from stvit_video.settings.train_settings import ModelSettings


@cache
def model_settings(name: str) -> type[Group]:
    """The options of a model with their types, as the signature of its builder declares them.

    Args:
        name: one of `list_models()`.
    """
    builder = MODELS[name].func
    without = set(inspect.signature(builder).parameters) - set(option_defaults(name))
    return settings_of(builder, name=name, without=without)


def option_faults(model: ModelSettings) -> dict[str, str]:
    """The options of a wrong type -> a sentence. Ranges, and names that are no option, `create_model` refuses."""
    if model.name not in MODELS:
        return {}
    kind = model_settings(model.name)
    own = {name: value for name, value in model.options.items() if name in kind.model_fields}
    read = read_settings(kind, all_options(model.name, own))
    faults = {f"model.{name}": f"model.{sentence}" for name, sentence in read.wrong.items()}
    if "num_classes" in model.options:
        faults["model.num_classes"] = "model.num_classes is the number of classes of the data; leave it out"
    return faults


def given_options(model: ModelSettings) -> dict[str, Any]:
    """The options of the `model` settings for `create_model`; null for what the model has no option for is left out."""
    known = model_options(model.name) if model.name in MODELS else []
    return {key: value for key, value in model.options.items() if value is not None or key in known}


def meta_model(model: ModelSettings) -> TokenModel:
    """Build the model of the `model` settings on the meta device: at once, without memory, with the default classes.

    Raises:
        ValueError: as `create_model`.
    """
    with torch.device("meta"):
        return create_model(model.name, **given_options(model))
