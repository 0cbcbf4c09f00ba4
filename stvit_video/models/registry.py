"""Models by name: a literal dictionary, and the two calls over it."""

import inspect
from difflib import get_close_matches
from functools import partial
from typing import Any

from stvit_video.models.base import TokenModel
from stvit_video.models.casvit import variants as casvit_variants
from stvit_video.models.casvit.variants import casvit
from stvit_video.models.deit import variants as deit_variants
from stvit_video.models.deit.variants import deit
from stvit_video.models.swin import variants as swin_variants
from stvit_video.models.swin.variants import swin

IMAGE: dict[str, Any] = {"video": False, "num_classes": 1000}
VIDEO: dict[str, Any] = {"video": True, "num_classes": 400}
SEMANTIC: dict[str, Any] = {"reducer": "semantic"}
RECOVERY: dict[str, Any] = {"reducer": "semantic", "recover": True}
SWIN_RECOVERY: dict[str, Any] = {  # as released
    **RECOVERY,
    "conv_stem": True,
    "generate_shortcut": False,
    "global_centers": False,
    "block_layer_scale": 1e-5,
}
DEIT_TINY: dict[str, Any] = {"embed_dim": 192, "num_heads": 3}
DEIT_SMALL: dict[str, Any] = {"embed_dim": 384, "num_heads": 6}
DEIT_BASE: dict[str, Any] = {"embed_dim": 768, "num_heads": 12}
SWIN_TINY: dict[str, Any] = {"embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)}
SWIN_SMALL: dict[str, Any] = {"embed_dim": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)}
SWIN_BASE: dict[str, Any] = {"embed_dim": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)}
CASVIT_XS: dict[str, Any] = {"embed_dims": (48, 56, 112, 220), "depths": (2, 2, 4, 2)}
CASVIT_S: dict[str, Any] = {"embed_dims": (48, 64, 128, 256), "depths": (3, 3, 6, 3)}
CASVIT_M: dict[str, Any] = {"embed_dims": (64, 96, 192, 384), "depths": (3, 3, 6, 3)}
CASVIT_T: dict[str, Any] = {"embed_dims": (96, 128, 256, 512), "depths": (3, 3, 6, 3)}

MODELS: dict[str, partial[Any]] = {
    "deit_tiny": partial(deit, **IMAGE, **DEIT_TINY),
    "deit_small": partial(deit, **IMAGE, **DEIT_SMALL),
    "deit_base": partial(deit, **IMAGE, **DEIT_BASE),
    "video_deit_tiny": partial(deit, **VIDEO, **DEIT_TINY),
    "video_deit_small": partial(deit, **VIDEO, **DEIT_SMALL),
    "video_deit_base": partial(deit, **VIDEO, **DEIT_BASE),
    "stvit_deit_tiny": partial(deit, **SEMANTIC, **IMAGE, **DEIT_TINY),
    "stvit_deit_small": partial(deit, **SEMANTIC, **IMAGE, **DEIT_SMALL),
    "stvit_deit_base": partial(deit, **SEMANTIC, **IMAGE, **DEIT_BASE),
    "stvit_video_deit_tiny": partial(deit, **SEMANTIC, **VIDEO, **DEIT_TINY),
    "stvit_video_deit_small": partial(deit, **SEMANTIC, **VIDEO, **DEIT_SMALL),
    "stvit_video_deit_base": partial(deit, **SEMANTIC, **VIDEO, **DEIT_BASE),
    "stvit_r_deit_tiny": partial(deit, **RECOVERY, **IMAGE, **DEIT_TINY),
    "stvit_r_deit_small": partial(deit, **RECOVERY, **IMAGE, **DEIT_SMALL),
    "stvit_r_deit_base": partial(deit, **RECOVERY, **IMAGE, **DEIT_BASE),
    "stvit_r_video_deit_tiny": partial(deit, **RECOVERY, **VIDEO, **DEIT_TINY),
    "stvit_r_video_deit_small": partial(deit, **RECOVERY, **VIDEO, **DEIT_SMALL),
    "stvit_r_video_deit_base": partial(deit, **RECOVERY, **VIDEO, **DEIT_BASE),
    "swin_tiny": partial(swin, **IMAGE, **SWIN_TINY),
    "swin_small": partial(swin, **IMAGE, **SWIN_SMALL),
    "swin_base": partial(swin, **IMAGE, **SWIN_BASE),
    "video_swin_tiny": partial(swin, **VIDEO, **SWIN_TINY),
    "video_swin_small": partial(swin, **VIDEO, **SWIN_SMALL),
    "video_swin_base": partial(swin, **VIDEO, **SWIN_BASE),
    "stvit_swin_tiny": partial(swin, **SEMANTIC, **IMAGE, **SWIN_TINY),
    "stvit_swin_small": partial(swin, **SEMANTIC, **IMAGE, **SWIN_SMALL),
    "stvit_swin_base": partial(swin, **SEMANTIC, **IMAGE, **SWIN_BASE),
    "stvit_video_swin_tiny": partial(swin, **SEMANTIC, **VIDEO, **SWIN_TINY),
    "stvit_video_swin_small": partial(swin, **SEMANTIC, **VIDEO, **SWIN_SMALL),
    "stvit_video_swin_base": partial(swin, **SEMANTIC, **VIDEO, **SWIN_BASE),
    "stvit_r_swin_tiny": partial(swin, **SWIN_RECOVERY, **IMAGE, **SWIN_TINY),
    "stvit_r_swin_small": partial(swin, **SWIN_RECOVERY, **IMAGE, **SWIN_SMALL),
    "stvit_r_swin_base": partial(swin, **SWIN_RECOVERY, **IMAGE, **SWIN_BASE),
    "stvit_r_video_swin_tiny": partial(swin, **SWIN_RECOVERY, **VIDEO, **SWIN_TINY),
    "stvit_r_video_swin_small": partial(swin, **SWIN_RECOVERY, **VIDEO, **SWIN_SMALL),
    "stvit_r_video_swin_base": partial(swin, **SWIN_RECOVERY, **VIDEO, **SWIN_BASE),
    "casvit_xs": partial(casvit, **IMAGE, **CASVIT_XS),
    "casvit_s": partial(casvit, **IMAGE, **CASVIT_S),
    "casvit_m": partial(casvit, **IMAGE, **CASVIT_M),
    "casvit_t": partial(casvit, **IMAGE, **CASVIT_T),
    "video_casvit_xs": partial(casvit, **VIDEO, **CASVIT_XS),
    "video_casvit_s": partial(casvit, **VIDEO, **CASVIT_S),
    "video_casvit_m": partial(casvit, **VIDEO, **CASVIT_M),
    "video_casvit_t": partial(casvit, **VIDEO, **CASVIT_T),
    "stvit_casvit_xs": partial(casvit, **SEMANTIC, **IMAGE, **CASVIT_XS),
    "stvit_casvit_s": partial(casvit, token_stride=2, **SEMANTIC, **IMAGE, **CASVIT_S),
    "stvit_casvit_m": partial(casvit, token_stride=2, **SEMANTIC, **IMAGE, **CASVIT_M),
    "stvit_casvit_t": partial(casvit, token_stride=2, **SEMANTIC, **IMAGE, **CASVIT_T),
    "stvit_video_casvit_xs": partial(casvit, **SEMANTIC, **VIDEO, **CASVIT_XS),
    "stvit_video_casvit_s": partial(casvit, **SEMANTIC, **VIDEO, **CASVIT_S),
    "stvit_video_casvit_m": partial(casvit, **SEMANTIC, **VIDEO, **CASVIT_M),
    "stvit_video_casvit_t": partial(casvit, **SEMANTIC, **VIDEO, **CASVIT_T),
    "stvit_r_casvit_xs": partial(casvit, **RECOVERY, **IMAGE, **CASVIT_XS),
    "stvit_r_casvit_s": partial(casvit, token_stride=2, **RECOVERY, **IMAGE, **CASVIT_S),
    "stvit_r_casvit_m": partial(casvit, token_stride=2, **RECOVERY, **IMAGE, **CASVIT_M),
    "stvit_r_casvit_t": partial(casvit, token_stride=2, **RECOVERY, **IMAGE, **CASVIT_T),
    "stvit_r_video_casvit_xs": partial(casvit, **RECOVERY, **VIDEO, **CASVIT_XS),
    "stvit_r_video_casvit_s": partial(casvit, **RECOVERY, **VIDEO, **CASVIT_S),
    "stvit_r_video_casvit_m": partial(casvit, **RECOVERY, **VIDEO, **CASVIT_M),
    "stvit_r_video_casvit_t": partial(casvit, **RECOVERY, **VIDEO, **CASVIT_T),
}
ONLY_FOR_CLIPS = {
    deit: deit_variants.VIDEO_OPTIONS,
    swin: swin_variants.VIDEO_OPTIONS,
    casvit: casvit_variants.VIDEO_OPTIONS,
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
    fixed = ("video",) if builder.keywords["video"] else ("video", *ONLY_FOR_CLIPS[builder.func])
    return sorted(set(inspect.signature(builder).parameters) - set(fixed))


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


def _builder(name: str) -> partial[Any]:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no model's name; give a text out of list_models(), such as 'deit_tiny'")
    if name not in MODELS:
        raise ValueError(f"no model is named {name!r}{_suggestion(name, list(MODELS))}; see list_models()")
    return MODELS[name]


def _suggestion(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def option_defaults(name: str) -> dict[str, Any]:
    """Every option of a model with the named model's own default value.

    Raises:
        ValueError: no model of that name.
    """
    builder = _builder(name)
    return {
        key: builder.keywords.get(key, parameter.default)
        for key, parameter in inspect.signature(builder.func).parameters.items()
        if key in model_options(name) and key != "num_classes"
    }
