"""Where in a plan tokens are generated: the places that one set of weights can run at, and its blocks in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stvit_video.layers.numbers import is_list, whole_number
from stvit_video.tokens.plan_text import IMAGE_KINDS
from stvit_video.tokens.reducers.reducer_names import REDUCERS

AMONG_TOKENS = {"mixer": "mixer"}  # how an image block runs behind generation; all others as "refine"


@dataclass(frozen=True)
class Places:
    """Places of generation, each as the number of blocks before it.

    Args:
        chosen: the place to build for and to validate at.
        drawn: those of which training draws one a step; none = it always takes `chosen`.
    """

    chosen: int
    drawn: tuple[int, ...] = ()

    @property
    def deepest(self) -> int:
        """Image blocks that a model of these places needs."""
        return max(self.chosen, *self.drawn) if self.drawn else self.chosen

    @property
    def trained(self) -> tuple[int, ...]:
        """Each place that training runs at, ascending."""
        return tuple(sorted(set(self.drawn or (self.chosen,))))


def read_places(generate_at: Any, elastic_generate_at: Any, *, default: int) -> Places:
    """The places that a user's options ask for.

    Args:
        generate_at: number of blocks before generation; None = the largest of `elastic_generate_at`, else `default`.
        elastic_generate_at: places of which training draws one a step; None = always `generate_at`.
        default: where neither is given.

    Raises:
        ValueError: no whole numbers from 1 on, or a `generate_at` that training never draws.
    """
    if elastic_generate_at is None:
        return Places(whole_number("generate_at", default if generate_at is None else generate_at))
    if not is_list(elastic_generate_at) or not len(elastic_generate_at):
        raise ValueError(
            f"elastic_generate_at={elastic_generate_at!r} is no list of places; give some such as [1, 2, 4]"
        )
    drawn = tuple(whole_number("elastic_generate_at", place) for place in elastic_generate_at)
    chosen = max(drawn) if generate_at is None else whole_number("generate_at", generate_at)
    if chosen not in drawn:
        raise ValueError(
            f"generate_at={chosen} is none of elastic_generate_at={list(drawn)}, so it would never be trained; "
            f"give generate_at={max(drawn)} (a recipe may set another), or add {chosen} to the list"
        )
    return Places(chosen, drawn)


def refuse_elastic_places(elastic_generate_at: Any, *, model: str = "a dense model") -> None:
    """Raise where a list of places is given to a model that has none to choose from.

    Raises:
        ValueError: it is given.
    """
    if elastic_generate_at is not None:
        raise ValueError(f"elastic_generate_at={elastic_generate_at!r} has no meaning for {model}; leave it out")


def reducer_index(kinds: Sequence[str]) -> int | None:
    """The index of the reducer of a run of blocks; None where it can't be moved.

    It can where it is the only one, behind image blocks alone, and in no unit of STViT-R, whose blocks are fixed.
    """
    found = [index for index, kind in enumerate(kinds) if kind in REDUCERS]
    if len(found) != 1 or not found[0] or "local" in kinds:
        return None
    return found[0] if set(kinds[: found[0]]) <= set(IMAGE_KINDS) else None


def run_order(kinds: Sequence[str], place: int | None = None) -> tuple[tuple[int, str], ...]:
    """The blocks of a plan in the order in which they run, with the kind that each runs as.

    Image blocks that the reducer moves before run among the few tokens, behind it, in their old order.

    Args:
        kinds: of `block_kinds`.
        place: blocks before the reducer, at most as many image blocks as there are; None = as planned.

    Returns:
        Index and kind of every block.
    """
    planned = tuple(enumerate(kinds))
    home = reducer_index(kinds)
    if place is None or home is None or place == home:
        return planned
    moved = tuple((index, AMONG_TOKENS.get(kind, "refine")) for index, kind in planned[place:home])
    return (*planned[:place], planned[home], *moved, *planned[home + 1 :])


def moved_index(index: int, *, then: int, now: int) -> int:
    """Where the block of a plan stands in that of another place of generation, its other blocks in the same order.

    Args:
        index: of the block among those of the plan, the reducer included.
        then: index of the reducer in that plan.
        now: index of the reducer in the other.
    """
    if index == then:
        return now
    ordinary = index - (index > then)
    return ordinary + (ordinary >= now)


def check_place(place: Any, *, num_image_blocks: int) -> int:
    """`place`, where generation can follow that many of the image blocks.

    Raises:
        ValueError: no whole number, below 1, or more blocks than there are.
    """
    found = whole_number("generate_at", place)
    if found > num_image_blocks:
        raise ValueError(
            f"generate_at={found} is deeper than the {num_image_blocks} image blocks of this model; choose 1 to "
            f"{num_image_blocks}"
        )
    return found
