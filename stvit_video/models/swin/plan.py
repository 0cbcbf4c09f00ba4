"""The plan of every named Swin: from depths and options to a text for `stvit_video.tokens.plan_text`."""

from collections.abc import Sequence

from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.plan_text import reducer_stage
from stvit_video.tokens.plans import REDUCED_STAGE, check_reducer, num_after_reducer, pyramid_depths, reduced_level
from stvit_video.tokens.reducers.reducer_names import REDUCERS

RECOVERY_UNIT = 6  # layers of a unit of STViT-R: window, two of the reducer, local, refine, recover
UNIT_REDUCER_LAYERS = 2  # of them the semantic reducer's; refine blocks where another has fewer


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
    depths = pyramid_depths(depths)
    levels = [" ".join(("window", "shifted")[i % 2] for i in range(depth)) for depth in depths]
    if check_reducer(reducer, family="swin", recover=recover) == "none":
        return " | ".join(levels)
    depth = depths[REDUCED_STAGE]
    if recover:
        unit = _unit(reducer)
        if depth % RECOVERY_UNIT:
            raise ValueError(
                f"depths={tuple(depths)} does not fit STViT-R: its level 3 is made of units of {RECOVERY_UNIT} blocks; "
                f"choose a multiple of {RECOVERY_UNIT}, such as {RECOVERY_UNIT}"
            )
        levels[REDUCED_STAGE] = " ".join([unit] * (depth // RECOVERY_UNIT))
        return " | ".join(levels)
    generate_at = whole_number("generate_at", generate_at)
    num_refine = num_after_reducer(depth, generate_at, reducer, given=reduced_level(depths))
    before = " ".join(("window", "shifted")[i % 2] for i in range(generate_at))
    levels[REDUCED_STAGE] = f"{before} {reducer_stage(reducer)} refine*{num_refine}"
    return " | ".join(levels[: REDUCED_STAGE + 1] + [f"refine*{depth}" for depth in depths[REDUCED_STAGE + 1 :]])


def _unit(reducer: str) -> str:
    """A unit of STViT-R; a reducer of fewer layers has so many more refine blocks behind it.

    Raises:
        ValueError: the reducer has more layers than a unit has room for.
    """
    missing = UNIT_REDUCER_LAYERS - REDUCERS[reducer].num_layers
    if missing < 0:
        fitting = [n for n, kind in REDUCERS.items() if kind.num_layers <= UNIT_REDUCER_LAYERS and kind.can_recover]
        raise ValueError(
            f"reducer={reducer!r} can't be recovered from in a Swin: a unit of it has {UNIT_REDUCER_LAYERS} layers for "
            f"the reducer; use reducer={' or '.join(fitting)} with stvit_r_ models"
        )
    refine = f"refine*{1 + missing}" if missing else "refine"
    return f"window {reducer_stage(reducer)} local {refine} recover"
