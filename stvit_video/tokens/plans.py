"""The plans of the named models: from depths and options to a text for `stvit_video.tokens.plan_text`."""

from collections.abc import Sequence

from stvit_video.layers.numbers import flag, whole_number, whole_numbers
from stvit_video.tokens.plan_text import GENERATE_DEPTH, REDUCERS

RECOVERY_UNIT = 6  # layers of a unit of STViT-R in Swin: window, generate*2, local, refine, recover
RECOVERY_PLAN = "window generate*2 local refine recover"
REDUCED_STAGE = 2  # the stage, counted from 0, in which pyramids generate semantic tokens


def check_reducer(reducer: str, *, recover: bool = False) -> str:
    """`reducer`, once it is known and goes with recovery where that is asked for.

    Raises:
        ValueError: an unknown reducer, or recovery in a dense model.
    """
    if reducer not in REDUCERS:
        known = ", ".join(f'"{name}"' for name in REDUCERS)
        raise ValueError(f"reducer={reducer!r} is unknown; choose one of {known}")
    if flag("recover", recover) and reducer == "none":
        raise ValueError(
            'reducer="none" leaves nothing to recover from; use a dense model, without stvit_r_ and recover=True'
        )
    return reducer


def deit_plan(*, depth: int, base_attention: str, generate_at: int, reducer: str, recover: bool = False) -> str:
    """The plan of a plain (dense) or semantic DeiT.

    Args:
        depth: blocks in all, the two of generation and the one of recovery included.
        base_attention: "frame" or "joint", of the blocks before generation.
        generate_at: number of blocks before generation.
        reducer: "none" for the dense model, whose later blocks are joint; else what fills the slot. Reducers without
            weights ("random", "pool", "tome") have two refine blocks more, in place of the two of generation.
        recover: whether the last block brings the image tokens back.

    Returns:
        A text for `parse_level`.

    Raises:
        ValueError: an unknown option, or a depth that leaves no block before or after generation.

    Source: STViT-DeiT: 4 image blocks, 2 generate, 6 refine (docs/develop/design.md, "DeiT").
    """
    if base_attention not in ("frame", "joint"):
        raise ValueError(f'base_attention={base_attention!r} is unknown; choose "frame" or "joint"')
    check_reducer(reducer, recover=recover)
    depth, generate_at = whole_number("depth", depth), whole_number("generate_at", generate_at)
    if reducer == "none":
        if base_attention == "joint" or depth <= generate_at:
            return f"{base_attention}*{depth}"
        return f"frame*{generate_at} joint*{depth - generate_at}"
    num_refine = _num_after_generation(depth, generate_at, given=f"depth={depth}", recover=recover)
    return f"{base_attention}*{generate_at} {_slot(reducer, num_refine)}{' recover' * recover}"


def swin_plan(*, depths: Sequence[int], generate_at: int, reducer: str, recover: bool = False) -> str:
    """The plan of a Swin of several levels: dense, semantic, or with recovery.

    Args:
        depths: blocks of each level.
        generate_at: blocks of level 3 before generation; without a meaning for the dense model and with recovery.
        reducer: "none" for the dense model; else what fills the slot.
        recover: whether level 3 is made of units that generate and recover, as in STViT-R.

    Returns:
        A text for `parse_plan`.

    Raises:
        ValueError: an unknown option, fewer than 3 levels, or depths that the plan does not fit.

    Source: Liu et al. 2021 (Swin); STViT and STViT-R (arXiv:2303.08685); docs/develop/design.md, "Swin and STViT-R".
    """
    depths = _level_depths(depths)
    levels = [" ".join(("window", "shifted")[i % 2] for i in range(depth)) for depth in depths]
    if check_reducer(reducer, recover=recover) == "none":
        return " | ".join(levels)
    depth = depths[REDUCED_STAGE]
    if recover:
        if reducer != "semantic":
            raise ValueError(
                f'reducer={reducer!r} can\'t be recovered from; use reducer="semantic" with stvit_r_ models'
            )
        if depth % RECOVERY_UNIT:
            raise ValueError(
                f"depths={tuple(depths)} does not fit STViT-R: its level 3 is made of units of {RECOVERY_UNIT} blocks; "
                f"choose a multiple of {RECOVERY_UNIT}, such as {RECOVERY_UNIT}"
            )
        levels[REDUCED_STAGE] = " ".join([RECOVERY_PLAN] * (depth // RECOVERY_UNIT))
        return " | ".join(levels)
    generate_at = whole_number("generate_at", generate_at)
    num_refine = _num_after_generation(depth, generate_at, given=_reduced_level(depths))
    before = " ".join(("window", "shifted")[i % 2] for i in range(generate_at))
    levels[REDUCED_STAGE] = f"{before} {_slot(reducer, num_refine)}"
    return " | ".join(levels[: REDUCED_STAGE + 1] + [f"refine*{depth}" for depth in depths[REDUCED_STAGE + 1 :]])


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
    depths = _level_depths(depths)
    levels = [f"mixer*{depth}" for depth in depths]
    if check_reducer(reducer, recover=recover) == "none":
        return " | ".join(levels)
    generate_at = whole_number("generate_at", generate_at)
    left = _num_after_generation(depths[REDUCED_STAGE], generate_at, given=_reduced_level(depths))
    slot = "generate*2" if reducer == "semantic" else reducer
    num_mixers = left + (0 if reducer == "semantic" else GENERATE_DEPTH)
    parts = [f"mixer*{generate_at}", slot, f"mixer*{num_mixers}", "refine" * joint, "recover" * recover]
    levels[REDUCED_STAGE] = " ".join(filter(None, parts))
    return " | ".join(levels)


def _slot(reducer: str, num_refine: int) -> str:
    """The reducer and the refine blocks behind it; as many layers with weights whichever it is."""
    if reducer == "semantic":
        return f"generate*{GENERATE_DEPTH} refine*{num_refine}"
    return f"{reducer} refine*{num_refine + GENERATE_DEPTH}"


def _level_depths(depths: Sequence[int]) -> list[int]:
    """Blocks of each level, checked."""
    checked = list(whole_numbers("depths", depths))
    if len(checked) <= REDUCED_STAGE:
        raise ValueError(
            f"depths={tuple(checked)} has {len(checked)} levels; "
            f"give at least {REDUCED_STAGE + 1}, such as (2, 2, 6, 2)"
        )
    return checked


def _reduced_level(depths: Sequence[int]) -> str:
    """The level that generates, by the option it comes from."""
    return f"level {REDUCED_STAGE + 1} of depths={tuple(depths)}"


def _num_after_generation(depth: int, generate_at: int, *, given: str, recover: bool = False) -> int:
    """Blocks left between generation and the end, or recovery; at least 1. `given` is what the user calls `depth`."""
    fixed = GENERATE_DEPTH + int(recover)
    if depth < fixed + 2:
        raise ValueError(
            f"{given} is too few blocks for semantic tokens; give at least {fixed + 2}: 1 before "
            f"generation, {GENERATE_DEPTH} of generation{', 1 of recovery' * recover} and 1 after it"
        )
    left = depth - generate_at - fixed
    if left < 1:
        raise ValueError(
            f"generate_at={generate_at} does not fit {given}; generation takes {GENERATE_DEPTH} blocks"
            f"{' and recovery 1' * recover}, so choose 1 to {depth - fixed - 1}"
        )
    return left
