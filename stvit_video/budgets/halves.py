"""Two halves of a list of videos: one chooses settings, the other reports how accurate the chosen ones are.

The functions are pure.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

Labels = tuple[int, ...]


def split_in_halves(labels: Sequence[Labels], *, seed: int) -> tuple[list[int], list[int]]:
    """Positions of the videos of each half; every prefix of a half holds the classes as evenly as it can.

    The videos with the same labels are dealt to both halves in turn, so no half lacks a class of two videos or more.

    Args:
        labels: of each video.
        seed: 0 or more; equal seeds give equal halves.

    Raises:
        ValueError: fewer than 2 videos.
    """
    if len(labels) < 2:
        raise ValueError(f"a search needs 2 videos at least, {len(labels)} came: one half chooses, the other reports")
    generator = np.random.default_rng(seed)
    groups: dict[Labels, list[int]] = defaultdict(list)
    for position in generator.permutation(len(labels)).tolist():
        groups[tuple(labels[position])].append(position)
    halves: tuple[list[list[int]], list[list[int]]] = ([], [])
    turn = 0
    for key in sorted(groups):
        dealt: tuple[list[int], list[int]] = ([], [])
        for position in groups[key]:
            dealt[turn].append(position)
            turn = 1 - turn
        for half, mine in zip(halves, dealt, strict=True):
            half.append(mine)
    searching, reporting = (_in_turns(half) for half in halves)
    return searching, reporting


def draw_videos(labels: Sequence[Labels], *, count: int, seed: int) -> list[int]:
    """Positions of `count` videos, ascending, the classes as evenly as they are in the list; all if there are fewer.

    Args:
        labels: of each video.
        count: 1 or more.
        seed: 0 or more.
    """
    if count >= len(labels):
        return list(range(len(labels)))
    groups: dict[Labels, list[int]] = defaultdict(list)
    for position in np.random.default_rng(seed).permutation(len(labels)).tolist():
        groups[tuple(labels[position])].append(position)
    shares = [(rank / len(mine), position) for mine in groups.values() for rank, position in enumerate(mine)]
    return sorted(position for _, position in sorted(shares)[:count])


def _in_turns(groups: Sequence[Sequence[int]]) -> list[int]:
    """The first of every group, then the second of every group that has one, and so on."""
    longest = max(map(len, groups), default=0)
    return [mine[rank] for rank in range(longest) for mine in groups if rank < len(mine)]
