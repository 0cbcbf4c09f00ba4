"""Which block does what: a plan in words, parsed once into stages of blocks."""

import re
from dataclasses import dataclass

from stvit_video.tokens.reducers.reducer_names import REDUCERS

IMAGE_KINDS = ("frame", "joint", "window", "shifted", "mixer")  # among image tokens
TOKEN_KINDS = ("refine", "local", "mixer")  # among the few tokens
SLOT_KINDS = ("refine", "local", "recover")  # with a reducer, what a dense model has no block of


@dataclass(frozen=True)
class Stage:
    """A run of equal blocks, or a reducer: image tokens in, few tokens out.

    Args:
        kind: the name of a reducer, or one of IMAGE_KINDS, TOKEN_KINDS and SLOT_KINDS.
        depth: number of blocks; of a reducer its layers with weights, or 1 where it has none.
    """

    kind: str
    depth: int


def parse_plan(text: str) -> tuple[tuple[Stage, ...], ...]:
    """Read the plan of a pyramid such as "window shifted | window semantic*2 refine | refine*2".

    Args:
        text: for each level a plan, see `parse_level`; the levels are separated by "|".

    Returns:
        The stages of each level. Few tokens that one level leaves are those that the next begins with.

    Raises:
        ValueError: as `parse_level`, or a local or recover block in a level without a reducer before it.
    """
    levels = tuple(tuple(_parse_stage(word) for word in level.split()) for level in text.split("|"))
    if not all(levels):
        raise ValueError(f'plan {text!r} has a part without blocks; write for example "frame*4 semantic*2 refine*6"')
    _check_order(text, tuple(stage for level in levels for stage in level))
    _check_levels(text, levels)
    return levels


def parse_level(text: str) -> tuple[Stage, ...]:
    """Read a plan such as "frame*4 semantic*2 refine*6".

    Args:
        text: stages, separated by spaces, each `kind*depth` (or `kind` for one block).

    Returns:
        The stages in order.

    Raises:
        ValueError: an unknown kind, a bad depth, or an order that makes no sense.
    """
    if not text.split():
        raise ValueError('an empty plan has no blocks; write for example "frame*4 semantic*2 refine*6"')
    levels = parse_plan(text)
    if len(levels) > 1:
        raise ValueError(f"plan {text!r} has {len(levels)} levels; write one, without '|'")
    return levels[0]


def block_kinds(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """The kind of every module of a plan; a reducer is one module, of however many layers."""
    return tuple(s.kind for s in stages for _ in range(1 if s.kind in REDUCERS else s.depth))


def num_layers(stages: tuple[Stage, ...]) -> int:
    """Layers with weights of a plan, each of which has a stochastic-depth rate of its own."""
    return sum(REDUCERS[s.kind].num_layers if s.kind in REDUCERS else s.depth for s in stages)


def reducer_stage(reducer: str) -> str:
    """A reducer as a stage of a plan, with its layers: "semantic*2", or "pool" where it has none."""
    num_layers = REDUCERS[reducer].num_layers
    return f"{reducer}*{num_layers}" if num_layers else reducer


def is_slot_kind(kind: str) -> bool:
    """Whether a dense model has no block of that kind, which takes the place of one of its blocks."""
    return kind in REDUCERS or kind in SLOT_KINDS


def _parse_stage(word: str) -> Stage:
    kinds = (*IMAGE_KINDS, *REDUCERS, *SLOT_KINDS)
    match = re.fullmatch(r"([a-z_]+)(?:\*(\d+))?", word)
    if not match or match[1] not in kinds or match[2] == "0":
        raise ValueError(
            f"{word!r} is no stage of a plan; write kind*depth with kind one of {', '.join(kinds)} and depth at least 1"
        )
    return Stage(match[1], int(match[2] or 1))


def _check_order(text: str, stages: tuple[Stage, ...]) -> None:
    """Walk through the plan with the only state that matters: whether there are semantic tokens, and joint ones."""
    semantic = mixed = False
    for stage in stages:
        _check_depth(text, stage)
        if stage.kind not in ((*TOKEN_KINDS, "recover") if semantic else (*IMAGE_KINDS, *REDUCERS)):
            raise ValueError(
                f"plan {text!r} can't run: {_broken_rule(stage, semantic=semantic)}; "
                f"for example frame*4 semantic*2 refine*6"
            )
        if stage.kind == "frame" and mixed:
            raise ValueError(
                f"plan {text!r} can't run: frame blocks come before anything that mixes frames; use joint blocks there"
            )
        mixed = mixed or stage.kind not in ("frame", "mixer")
        semantic = stage.kind in REDUCERS or (semantic and stage.kind != "recover")


def _broken_rule(stage: Stage, *, semantic: bool) -> str:
    if semantic:
        return f"{stage.kind} can't follow few tokens, only {', '.join(TOKEN_KINDS)} or recover may"
    return f"{stage.kind} needs one of {', '.join(REDUCERS)} before it"


def _check_levels(text: str, levels: tuple[tuple[Stage, ...], ...]) -> None:
    """Windows and image tokens of a reducer are known in its own level alone."""
    for level in levels:
        reduced = False
        for stage in level:
            if stage.kind in ("local", "recover") and not reduced:
                raise ValueError(
                    f"plan {text!r} can't run: {stage.kind} needs one of {', '.join(REDUCERS)} before it "
                    f"in the same level"
                )
            reduced = reduced or stage.kind in REDUCERS


def _check_depth(text: str, stage: Stage) -> None:
    wanted = max(REDUCERS[stage.kind].num_layers, 1) if stage.kind in REDUCERS else stage.depth
    if stage.depth != wanted:
        raise ValueError(f"plan {text!r}: {stage.kind} has {stage.depth} blocks; it takes exactly {wanted}")
