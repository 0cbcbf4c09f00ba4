"""Time stamps that a container accepts, from those that a file has: repeated ones moved apart."""

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["separated_stamps"]


def separated_stamps(stamps: Sequence[int], *, usual_gap: int) -> list[int]:
    """The times of the frames, strictly increasing, with as few changes as possible.

    The first of equal stamps stays, the others move into the first half of the gap behind it. At the end there is no
    such gap: the last stays, those before it move into the half before it. So no stamp moves further than half a gap.
    Where whole ticks do not suffice, later ones give way.

    Args:
        stamps: in ticks, ascending.
        usual_gap: ticks between frames where no neighbour tells.

    Returns:
        As many ticks, strictly increasing.

    Raises:
        ValueError: usual_gap is below 1.
    """
    if usual_gap < 1:
        raise ValueError(f"usual_gap={usual_gap} must be at least 1 tick")
    moved = list(stamps)
    kept = [place for place, stamp in enumerate(stamps) if place == 0 or stamp > stamps[place - 1]]
    if not kept:
        return moved
    for last, following in pairwise(kept):
        gap, count = stamps[following] - stamps[last], following - last - 1
        for step in range(1, count + 1):
            moved[last + step] = stamps[last] + gap * step // (2 * count)
    _move_the_end(moved, kept, usual_gap)
    for position in range(1, len(moved)):
        moved[position] = max(moved[position], moved[position - 1] + 1)
    return moved


def _move_the_end(moved: list[int], kept: Sequence[int], usual_gap: int) -> None:
    """Move the frames from the last kept one on: the last frame takes its time, the others the half gap before."""
    last = kept[-1]
    count, end = len(moved) - 1 - last, moved[last]
    if not count:
        return
    if len(kept) == 1:
        for step in range(1, count + 1):
            moved[last + step] = end + usual_gap * step
        return
    gap = end - moved[kept[-2]]
    for step in range(count + 1):
        moved[last + step] = end - gap * (count - step) // (2 * count)
