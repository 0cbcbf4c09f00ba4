"""Time stamps that a container accepts, from those that a file has: repeated and backward ones moved apart."""

import bisect
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["separated_stamps"]


def separated_stamps(stamps: Sequence[int], *, usual_gap: int) -> list[int]:
    """The times of the frames in the order they are shown, strictly increasing, with as few changes as possible.

    The longest increasing series of stamps stays as it is. Frames that share the stamp before them move into the first
    half of the gap behind it; at the end, where there is no such gap, those before the last move into the half before
    it. So no repeated stamp moves further than half a gap. Where whole ticks do not suffice, later ones give way.

    Args:
        stamps: in ticks, in the order in which the decoder gives the frames.
        usual_gap: ticks between frames where no neighbour tells.

    Returns:
        As many ticks, strictly increasing.

    Raises:
        ValueError: usual_gap is below 1.
    """
    if usual_gap < 1:
        raise ValueError(f"usual_gap={usual_gap} must be at least 1 tick")
    moved, kept = list(stamps), _longest_increasing(stamps)
    if not kept:
        return moved
    for last, following in pairwise(kept):
        gap, count = stamps[following] - stamps[last], following - last - 1
        for step in range(1, count + 1):
            moved[last + step] = stamps[last] + gap * step // (2 * count)
    for step in range(1, kept[0] + 1):  # before the first that is kept
        moved[kept[0] - step] = stamps[kept[0]] - usual_gap * step
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


def _longest_increasing(stamps: Sequence[int]) -> list[int]:
    """Positions of a longest strictly increasing series; of equal stamps, and of two that fit, the first.

    Source: patience sorting (Fredman 1975), from the end: `starts[n]` is minus the highest stamp with which a series of
    n + 1 can start.
    """
    starts: list[int] = []
    places: list[int] = []
    after: dict[int, int | None] = {}
    for position in reversed(range(len(stamps))):
        start = -stamps[position]
        length = bisect.bisect_left(starts, start)
        after[position] = places[length - 1] if length else None
        starts[length : length + 1], places[length : length + 1] = [start], [position]
    series: list[int] = []
    following = places[-1] if places else None
    while following is not None:
        series.append(following)
        following = after[following]
    return series
