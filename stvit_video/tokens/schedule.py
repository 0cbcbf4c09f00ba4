"""Which block does what: a plan in words, parsed once into stages."""

import re
from dataclasses import dataclass

from stvit_video.layers.numbers import whole_number

BLOCK_KINDS = ("frame", "joint", "generate", "refine", "recover")
GENERATE_DEPTH = 2  # layer 1 pools and sharpens, layer 2 adds the global centres


@dataclass(frozen=True)
class Stage:
    """A run of equal blocks.

    Args:
        kind: one of BLOCK_KINDS.
        depth: number of blocks.
    """

    kind: str
    depth: int


def parse_schedule(text: str) -> tuple[Stage, ...]:
    """Read a plan such as "frame*4 generate*2 refine*6".

    Args:
        text: stages, separated by spaces, each `kind*depth` (or `kind` for one block).

    Returns:
        The stages in order.

    Raises:
        ValueError: an unknown kind, a bad depth, or an order that makes no sense.
    """
    stages = tuple(_parse_stage(word) for word in text.split())
    if not stages:
        raise ValueError('an empty schedule has no blocks; write for example "frame*4 generate*2 refine*6"')
    _check_order(text, stages)
    return stages


def _parse_stage(word: str) -> Stage:
    match = re.fullmatch(r"([a-z]+)(?:\*(\d+))?", word)
    if not match or match[1] not in BLOCK_KINDS or match[2] == "0":
        raise ValueError(
            f"{word!r} is no stage of a schedule; write kind*depth with kind one of {', '.join(BLOCK_KINDS)} "
            f"and depth at least 1"
        )
    return Stage(match[1], int(match[2] or 1))


def _check_order(text: str, stages: tuple[Stage, ...]) -> None:
    """Walk through the plan with the only state that matters: whether there are semantic tokens, and joint ones."""
    semantic = mixed = False
    for stage in stages:
        if stage.kind == "generate" and stage.depth != GENERATE_DEPTH:
            raise ValueError(f"schedule {text!r}: generate has {stage.depth} blocks; it takes exactly {GENERATE_DEPTH}")
        if semantic != (stage.kind in ("refine", "recover")):
            rule = (
                "only refine or recover may follow generate" if semantic else f"{stage.kind} needs generate before it"
            )
            raise ValueError(f"schedule {text!r} can't run: {rule}; for example frame*4 generate*2 refine*6")
        if stage.kind == "frame" and mixed:
            raise ValueError(
                f"schedule {text!r} can't run: frame blocks come before anything that mixes frames; "
                f"use joint blocks there"
            )
        mixed = mixed or stage.kind != "frame"
        semantic = stage.kind in ("generate", "refine")


def deit_schedule(*, depth: int, base_attention: str, generate_at: int, reducer: str) -> str:
    """The plan of a plain (dense) or semantic DeiT.

    Args:
        depth: blocks in all, the two of generation included.
        base_attention: "frame" or "joint", of the blocks before generation.
        generate_at: number of blocks before generation.
        reducer: "semantic", or "none" for the dense model, whose later blocks are joint.

    Returns:
        A text for `parse_schedule`.

    Raises:
        ValueError: an unknown option, or a depth that leaves no block before or after generation.

    Source: STViT-DeiT: 4 image blocks, 2 generate, 6 refine (DESIGN section 3).
    """
    if base_attention not in ("frame", "joint"):
        raise ValueError(f'base_attention={base_attention!r} is unknown; choose "frame" or "joint"')
    if reducer not in ("semantic", "none"):
        raise ValueError(f'reducer={reducer!r} is unknown; choose "semantic" or "none"')
    depth, generate_at = whole_number("depth", depth), whole_number("generate_at", generate_at)
    if reducer == "none":
        if base_attention == "joint" or depth <= generate_at:
            return f"{base_attention}*{depth}"
        return f"frame*{generate_at} joint*{depth - generate_at}"
    if depth < GENERATE_DEPTH + 2:
        raise ValueError(
            f"depth={depth} is too few blocks for semantic tokens; give at least {GENERATE_DEPTH + 2}: 1 before "
            f"generation, {GENERATE_DEPTH} of generation and 1 after it"
        )
    num_refine = depth - generate_at - GENERATE_DEPTH
    if num_refine < 1:
        raise ValueError(
            f"generate_at={generate_at} does not fit depth={depth}; generation takes {GENERATE_DEPTH} blocks, so "
            f"choose 1 to {depth - GENERATE_DEPTH - 1}"
        )
    return f"{base_attention}*{generate_at} generate*{GENERATE_DEPTH} refine*{num_refine}"
