"""Models by name: a literal dictionary, and the two calls over it."""

import inspect
from difflib import get_close_matches
from functools import partial
from typing import Any

from torch import nn

from stvit_video.models.deit import DeiT
from stvit_video.models.deit_variants import VIDEO_OPTIONS, deit

IMAGE: dict[str, Any] = {"video": False, "num_classes": 1000}
VIDEO: dict[str, Any] = {"video": True, "num_classes": 400}
TINY: dict[str, Any] = {"embed_dim": 192, "num_heads": 3}
SMALL: dict[str, Any] = {"embed_dim": 384, "num_heads": 6}
BASE: dict[str, Any] = {"embed_dim": 768, "num_heads": 12}

MODELS: dict[str, partial[DeiT]] = {
    "deit_tiny": partial(deit, **IMAGE, **TINY),
    "deit_small": partial(deit, **IMAGE, **SMALL),
    "deit_base": partial(deit, **IMAGE, **BASE),
    "stvit_deit_tiny": partial(deit, reducer="semantic", **IMAGE, **TINY),
    "stvit_deit_small": partial(deit, reducer="semantic", **IMAGE, **SMALL),
    "stvit_deit_base": partial(deit, reducer="semantic", **IMAGE, **BASE),
    "video_deit_tiny": partial(deit, **VIDEO, **TINY),
    "video_deit_small": partial(deit, **VIDEO, **SMALL),
    "video_deit_base": partial(deit, **VIDEO, **BASE),
    "stvit_video_deit_tiny": partial(deit, reducer="semantic", **VIDEO, **TINY),
    "stvit_video_deit_small": partial(deit, reducer="semantic", **VIDEO, **SMALL),
    "stvit_video_deit_base": partial(deit, reducer="semantic", **VIDEO, **BASE),
}


def list_models() -> list[str]:
    """Names that `create_model` takes, sorted."""
    return sorted(MODELS)


def model_options(name: str) -> list[str]:
    """Options that `create_model` takes for this model, sorted.

    Raises:
        ValueError: no model of that name.
    """
    builder = _builder(name)
    fixed = ("video",) if builder.keywords["video"] else ("video", *VIDEO_OPTIONS)
    return sorted(set(inspect.signature(builder).parameters) - set(fixed))


def create_model(name: str, **options: Any) -> nn.Module:
    """Build a model by its name, with fresh weights.

    Args:
        name: one of `list_models()`.
        options: the model's settings, see `model_options(name)`; for example num_classes, num_frames, num_tokens,
            image_size, embed_dim, depth, num_heads.

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


def _builder(name: str) -> partial[DeiT]:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no model's name; give a text out of list_models(), such as 'deit_tiny'")
    if name not in MODELS:
        raise ValueError(f"no model is named {name!r}{_suggestion(name, list(MODELS))}; see list_models()")
    return MODELS[name]


def _suggestion(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""
