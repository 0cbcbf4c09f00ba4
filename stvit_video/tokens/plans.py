"""What the plans of all families share: the reducers they may hold, and the blocks that are left behind one."""

from collections.abc import Sequence

from stvit_video.layers.numbers import flag, whole_numbers
from stvit_video.tokens.reducers.reducer_names import REDUCERS

REDUCED_STAGE = 2  # the stage, counted from 0, in which pyramids make few tokens


def check_reducer(reducer: str, *, family: str, recover: bool = False) -> str:
    """`reducer`, once it is known and goes with the family, and with recovery where that is asked for.

    Args:
        reducer: a name of REDUCERS, or "none" for a dense model.
        family: "deit", "swin" or "casvit".
        recover: whether the model brings the image tokens back.

    Raises:
        ValueError: an unknown reducer, one that does not work in the family, or recovery without a reducer or from one
            that can't be recovered from.
    """
    if reducer not in (*REDUCERS, "none"):
        known = ", ".join(f'"{name}"' for name in (*REDUCERS, "none"))
        raise ValueError(f"reducer={reducer!r} is unknown; choose one of {known}")
    recover = flag("recover", recover)
    if reducer == "none":
        if recover:
            raise ValueError(
                'reducer="none" leaves nothing to recover from; use a dense model, without stvit_r_ and recover=True'
            )
        return reducer
    fitting = [name for name, kind in REDUCERS.items() if kind.families is None or family in kind.families]
    if reducer not in fitting:
        raise ValueError(
            f"reducer={reducer!r} does not work in {family} models, only in "
            f"{', '.join(REDUCERS[reducer].families or ())}; choose one of those, or reducer={' or '.join(fitting)}"
        )
    if recover and not REDUCERS[reducer].can_recover:
        fitting = [name for name in fitting if REDUCERS[name].can_recover]
        raise ValueError(
            f"reducer={reducer!r} can't be recovered from; use a stvit_ model, or reducer={' or '.join(fitting)}"
        )
    return reducer


def num_after_reducer(depth: int, generate_at: int, reducer: str, *, given: str, recover: bool = False) -> int:
    """Blocks left between the reducer and the end, or recovery; at least 1.

    Args:
        depth: layers of the model, or of the level of a pyramid that has the reducer.
        generate_at: blocks before the reducer.
        reducer: one of REDUCERS; its layers count in `depth`.
        given: what the user calls `depth`.
        recover: whether a block of recovery counts in `depth`.

    Raises:
        ValueError: no block is left.
    """
    num_layers = REDUCERS[reducer].num_layers
    fixed = num_layers + int(recover)
    taken = {name: number for name, number in (("generation", num_layers), ("recovery", int(recover))) if number}
    if depth < fixed + 2:
        parts = ", ".join(["1 before generation", *(f"{number} of {name}" for name, number in taken.items())])
        raise ValueError(
            f"{given} is too few blocks for semantic tokens; give at least {fixed + 2}: {parts} and 1 after it"
        )
    left = depth - generate_at - fixed
    if left < 1:
        reason = " and ".join(f"{name} takes {number}" for name, number in taken.items())
        raise ValueError(
            f"generate_at={generate_at} does not fit {given}; {reason}{', so ' * bool(reason)}choose 1 to "
            f"{depth - fixed - 1}"
        )
    return left


def pyramid_depths(depths: Sequence[int]) -> list[int]:
    """Blocks of each level of a pyramid, checked.

    Raises:
        ValueError: not one whole number for each level, or fewer than 3 levels.
    """
    checked = list(whole_numbers("depths", depths))
    if len(checked) <= REDUCED_STAGE:
        raise ValueError(
            f"depths={tuple(checked)} has {len(checked)} levels; "
            f"give at least {REDUCED_STAGE + 1}, such as (2, 2, 6, 2)"
        )
    return checked


def reduced_level(depths: Sequence[int]) -> str:
    """The level that makes few tokens, by the option it comes from."""
    return f"level {REDUCED_STAGE + 1} of depths={tuple(depths)}"
