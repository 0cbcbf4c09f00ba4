"""Models by name: one line a family, and the calls over the names that follow from it."""

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from torch import nn

from stvit_video.models.base import TokenModel
from stvit_video.models.casvit.family import CASVIT
from stvit_video.models.deit.family import DEIT
from stvit_video.models.family import SLOTS, Family, LayerGroups
from stvit_video.models.swin.family import SWIN
from stvit_video.utils.docstrings import argument_help

FAMILIES: dict[str, Family] = {
    "deit": DEIT,
    "swin": SWIN,
    "casvit": CASVIT,
}
FAMILY_OF_NAME = {name: family for family in FAMILIES.values() for name in family.models()}
MODELS: dict[str, partial[TokenModel]] = {
    name: builder for family in FAMILIES.values() for name, builder in family.models().items()
}
NO_DEFAULT = ("num_classes",)  # the data say it


def list_models(pattern: str = "*") -> list[str]:
    """Names that `create_model` takes, sorted.

    Args:
        pattern: which ones, as a shell matches file names: "stvit_video_*".

    Returns:
        The names; none where no name matches.
    """
    return sorted(name for name in MODELS if fnmatchcase(name, pattern))


def dense_name(name: str) -> str:
    """The dense model of the same family, input and size: the name without stvit_ or stvit_r_ in front."""
    slot = max((slot for slot in SLOTS if name.startswith(slot)), key=len)
    return name.removeprefix(slot)


def model_options(name: str) -> list[str]:
    """Options that `create_model` takes for this model, sorted.

    Raises:
        ValueError: no model of that name.
    """
    return sorted(_parameters(name))


def option_defaults(name: str) -> dict[str, Any]:
    """Options that `create_model` takes for this model but num_classes, with the values that it has where left out.

    Args:
        name: one of `list_models()`.

    Returns:
        Option -> value, in the order of the builder's signature.

    Raises:
        ValueError: no model of that name.
    """
    return {option: p.default for option, p in _parameters(name).items() if option not in NO_DEFAULT}


def all_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given options of a model, and the defaults of the others; where no model has the name, the given ones."""
    return {**(option_defaults(name) if name in MODELS else {}), **given}


def option_help(name: str) -> dict[str, str]:
    """What each option of `model_options(name)` is, in a line, out of the docstring of the family's builder.

    Raises:
        ValueError: no model of that name.
    """
    lines = argument_help(_builder(name).func)
    return {option: lines.get(option, "") for option in _parameters(name)}


def build_model(name: str, **options: Any) -> TokenModel:
    """Build a model by its name, with fresh weights; `stvit_video.models.factory.create_model` also takes files.

    Args:
        name: one of `list_models()`.
        options: the model's settings, see `model_options(name)`.

    Returns:
        A module from clips (B, C, T, H, W), or images (B, C, H, W), to logits (B, num_classes).

    Raises:
        ValueError: an unknown name or option (the closest known one is named), a value out of its range, or options
            that do not go together.
    """
    builder = _builder(name)
    allowed = model_options(name)
    for option in options:
        if option not in allowed:
            raise ValueError(
                f"{name} has no option {option!r}{_suggestion(option, allowed)}; it takes {', '.join(allowed)}"
            )
    return builder(**options)


def family_of(model: nn.Module) -> Family | None:
    """The family that a model is of, told by its class; None for other modules."""
    return next((family for family in FAMILIES.values() if isinstance(model, family.model)), None)


def layer_groups(model: nn.Module) -> LayerGroups:
    """Which parameters and blocks of a model play which part; of modules of no family a head and a norm are known."""
    family = family_of(model)
    return LayerGroups() if family is None else family.layers


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    """The options of a model as its builder declares them, those left out that its name fixes or makes pointless."""
    builder = _builder(name)
    fixed = ("video",) if builder.keywords["video"] else ("video", *FAMILY_OF_NAME[name].clip_options)
    return {option: p for option, p in inspect.signature(builder).parameters.items() if option not in fixed}


def _builder(name: str) -> partial[TokenModel]:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no model's name; give a text out of list_models(), such as 'deit_tiny'")
    if name not in MODELS:
        raise ValueError(f"no model is named {name!r}{_suggestion(name, list(MODELS))}; see list_models()")
    return MODELS[name]


def _suggestion(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""
