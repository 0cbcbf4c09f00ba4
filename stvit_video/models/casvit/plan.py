"""The plan of every named CAS-ViT: from depths and options to a text for `stvit_video.tokens.plan_text`."""

from collections.abc import Sequence

from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.plan_text import reducer_stage
from stvit_video.tokens.plans import REDUCED_STAGE, check_reducer, num_after_reducer, pyramid_depths, reduced_level


def casvit_plan(*, depths: Sequence[int], generate_at: int, reducer: str, joint: bool, recover: bool = False) -> str:
    """The plan of a CAS-ViT of several levels: dense, semantic, or with recovery.

    Args:
        depths: blocks of each level.
        generate_at: blocks of level 3 before generation.
        reducer: "none" for the dense model; else what fills the slot.
        joint: whether level 3 has one block more, attention among all tokens, which mixes the time steps of a clip.
        recover: whether level 3 has one block more at its end, that brings the image tokens back.

    Returns:
        A text for `parse_plan`.

    Raises:
        ValueError: an unknown option, fewer than 3 levels, or depths that the plan does not fit.

    Source: Zhang et al. 2024 (CAS-ViT); docs/develop/design.md, "CAS-ViT".
    """
    depths = pyramid_depths(depths)
    levels = [f"mixer*{depth}" for depth in depths]
    if check_reducer(reducer, family="casvit", recover=recover) == "none":
        return " | ".join(levels)
    generate_at = whole_number("generate_at", generate_at)
    num_mixers = num_after_reducer(depths[REDUCED_STAGE], generate_at, reducer, given=reduced_level(depths))
    after = [f"mixer*{num_mixers}", "refine" * joint, "recover" * recover]
    parts = [f"mixer*{generate_at}", reducer_stage(reducer), *after]
    levels[REDUCED_STAGE] = " ".join(filter(None, parts))
    return " | ".join(levels)
