"""Successive halving for a whole front: which settings are worth their cost, found with few looks at the poor ones.

Settings are told apart by their number. A look at a setting is dear, so all of them see a few videos first. Half of
them, the ones that lie farthest under the front, go before each doubling of the videos; a setting that no cheaper one
beats never goes. The functions are pure.

Source: Jamieson and Talwalkar 2016 (arXiv:1502.07943), successive halving.
Differs: there is no single best arm. A setting is ranked by how much more accurate another one is that costs no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stvit_video.sweeps.report.pareto import pareto_front


class Quality(NamedTuple):
    """How good a setting is on the videos it has seen.

    Attributes:
        main: accuracy, or mAP; more is better.
        tie: tells settings of equal accuracy apart: mean probability of the labels.
    """

    main: float
    tie: float = 0.0


@dataclass(frozen=True)
class Round:
    """One round of a search.

    Attributes:
        num_videos: that every setting of the round has seen.
        settings: their numbers.
        qualities: theirs, in the same order.
    """

    num_videos: int
    settings: tuple[int, ...]
    qualities: tuple[Quality, ...]


Look = Callable[[Sequence[int], int], Sequence[Quality | None]]  # None = the setting can't be run


def round_sizes(num_videos: int, *, first: int) -> list[int]:
    """Videos of each round: `first`, then twice as many each time, at last all.

    Raises:
        ValueError: a number is below 1.
    """
    if num_videos < 1 or first < 1:
        raise ValueError(f"num_videos={num_videos} and first={first} must be at least 1")
    sizes = []
    while first < num_videos:
        sizes.append(first)
        first *= 2
    return [*sizes, num_videos]


def search_front(costs: Sequence[float], look: Look, *, num_videos: int, first: int) -> list[Round]:
    """Search the front; the last round holds it, see `front_of`.

    Args:
        costs: of every setting, more is worse.
        look: numbers of settings and a number of videos -> qualities on the first so many videos, or None.
        num_videos: that there are to look at.
        first: videos of the first round.

    Raises:
        ValueError: there are no settings, or not one of them can be run.
    """
    if not costs:
        raise ValueError("there are no settings to search among; give one at least")
    rounds: list[Round] = []
    remaining = list(range(len(costs)))
    for size in round_sizes(num_videos, first=first):
        found = dict(zip(remaining, look(remaining, size), strict=True))
        qualities = {number: quality for number, quality in found.items() if quality is not None}
        if not qualities:
            raise ValueError(f"not one of {len(remaining)} settings could be run; give smaller ones")
        rounds.append(Round(size, tuple(qualities), tuple(qualities.values())))
        remaining = keep_half(costs, qualities)
    return rounds


def keep_half(costs: Sequence[float], qualities: "dict[int, Quality]") -> list[int]:
    """The settings that go on: all that none of the same or lower cost beats, and others up to half of all, the nearest
    to the front first.

    Args:
        costs: of every setting.
        qualities: of those that remain, by number.

    Returns:
        Their numbers, ascending.
    """
    numbers = list(qualities)
    gaps = gaps_to_front([costs[n] for n in numbers], [qualities[n] for n in numbers])
    order = sorted(range(len(numbers)), key=lambda i: (gaps[i], costs[numbers[i]], numbers[i]))
    on_front = sum(gap == Quality(0.0, 0.0) for gap in gaps)
    return sorted(numbers[i] for i in order[: max(on_front, (len(numbers) + 1) // 2)])


def gaps_to_front(costs: Sequence[float], qualities: Sequence[Quality]) -> list[Quality]:
    """How much better the best setting is that costs no more, for each; 0 = none is better.

    `tie` counts among settings of equal `main` alone.
    """
    gaps = [Quality(0.0)] * len(costs)
    best = Quality(float("-inf"))
    order = sorted(range(len(costs)), key=lambda i: (costs[i], tuple(-value for value in qualities[i])))
    for i in order:
        best = max(best, qualities[i])
        main, tie = (there - here for there, here in zip(best, qualities[i], strict=True))
        gaps[i] = Quality(main, tie if main == 0 else 0.0)
    return gaps


def front_of(costs: Sequence[float], last: Round) -> list[int]:
    """The settings of a round that nobody beats in accuracy against cost, cheapest first; of equals the first.

    Args:
        costs: of every setting.
        last: the last round of `search_front`.
    """
    mine = [costs[number] for number in last.settings]
    front = pareto_front(mine, [quality.main for quality in last.qualities])
    best: dict[float, tuple[float, int]] = {}
    for number, cost, quality, is_front in zip(last.settings, mine, last.qualities, front, strict=True):
        if is_front and (cost not in best or quality.tie > best[cost][0]):
            best[cost] = (quality.tie, number)
    return [best[cost][1] for cost in sorted(best)]
