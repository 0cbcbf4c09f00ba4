"""The plan of every named DeiT: from its depth and options to a text for `stvit_video.tokens.plan_text`."""

from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.plan_text import reducer_stage
from stvit_video.tokens.plans import check_reducer, num_after_reducer


def deit_plan(*, depth: int, base_attention: str, generate_at: int, reducer: str, recover: bool = False) -> str:
    """The plan of a plain (dense) or semantic DeiT.

    Args:
        depth: blocks in all, the layers of the reducer and the one of recovery included.
        base_attention: "frame" or "joint", of the blocks before generation.
        generate_at: number of blocks before generation.
        reducer: "none" for the dense model, whose later blocks are joint; else what fills the slot. Refine blocks
            make up for the layers that a reducer lacks.
        recover: whether the last block brings the image tokens back.

    Returns:
        A text for `parse_level`.

    Raises:
        ValueError: an unknown option, or a depth that leaves no block before or after generation.

    Source: STViT-DeiT: 4 image blocks, 2 generate, 6 refine (docs/develop/design.md, "DeiT").
    """
    if base_attention not in ("frame", "joint"):
        raise ValueError(f'base_attention={base_attention!r} is unknown; choose "frame" or "joint"')
    check_reducer(reducer, family="deit", recover=recover)
    depth, generate_at = whole_number("depth", depth), whole_number("generate_at", generate_at)
    if reducer == "none":
        if base_attention == "joint" or depth <= generate_at:
            return f"{base_attention}*{depth}"
        return f"frame*{generate_at} joint*{depth - generate_at}"
    num_refine = num_after_reducer(depth, generate_at, reducer, given=f"depth={depth}", recover=recover)
    return f"{base_attention}*{generate_at} {reducer_stage(reducer)} refine*{num_refine}{' recover' * recover}"
