"""Which of several models are worth their cost: the Pareto front, costs too close to tell apart, spread over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import mean, stdev

from stvit_video.utils.counts import count_words

CLOSE = 0.05  # share of the smaller cost


@dataclass(frozen=True)
class Spread:
    """Values of runs that differ in chance only.

    Attributes:
        mean: of all.
        std: sample standard deviation; None of a single value.
        low: the smallest.
        high: the largest.
        count: how many.
    """

    mean: float
    std: float | None
    low: float
    high: float
    count: int

    def describe(self) -> str:
        """All of it in words."""
        deviation = "" if self.std is None else f" +- {self.std:.4f}"
        runs = count_words(self.count, "run")
        return f"{self.mean:.4f}{deviation} (min {self.low:.4f}, max {self.high:.4f}, {runs})"


def spread_of(values: Sequence[float]) -> Spread:
    """Mean and spread of values.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no values have no spread; give one at least")
    deviation = stdev(values) if len(values) > 1 else None
    return Spread(mean(values), deviation, min(values), max(values), len(values))


def pareto_front(costs: Sequence[float], qualities: Sequence[float], *, tolerance: float = 0.0) -> list[bool]:
    """Which points nobody beats: True = no other is as cheap and as good, and cheaper or better.

    Args:
        costs: less is better; where more is (clips a second), give them negative.
        qualities: more is better, in the same order.
        tolerance: costs that differ by no more than this share of the smaller one count as equal: from the cheapest on,
            of the points within it of the cheapest that is better than all before, the best is on the front.

    Returns:
        A value for every point; of equal points all are on the front or none.

    Raises:
        ValueError: different numbers of costs and qualities, or a value that is not finite.
    """
    if len(costs) != len(qualities):
        raise ValueError(f"{len(costs)} costs and {len(qualities)} qualities do not make points; give equally many")
    if not all(map(isfinite, [*costs, *qualities])):
        raise ValueError("a cost or a quality is not finite, so it can't be compared; leave this point out")
    front = [False] * len(costs)
    left = sorted(range(len(costs)), key=lambda i: (costs[i], -qualities[i]))
    while left:
        first = costs[left[0]]
        near = [i for i in left if costs[i] - first <= tolerance * min(abs(costs[i]), abs(first))]
        best = max(near, key=lambda i: qualities[i])  # the cheapest of equal ones, as `max` takes the first
        for i in near:
            front[i] = (costs[i], qualities[i]) == (costs[best], qualities[best])
        left = [i for i in left if qualities[i] > qualities[best]]
    return front


def close_groups(costs: Sequence[float], *, tolerance: float = CLOSE) -> list[list[int]]:
    """Groups of points whose costs are too close to tell them apart by it; none lies within another.

    Args:
        costs: above 0.
        tolerance: how much the largest cost may exceed the smallest one, as a share of the smallest.

    Returns:
        Positions by cost, at least two a group, the cheapest group first. A point may be in several.
    """
    order = sorted(range(len(costs)), key=lambda i: costs[i])
    groups: list[list[int]] = []
    for start, first in enumerate(order):
        group = [i for i in order[start:] if costs[i] <= (1 + tolerance) * costs[first]]
        if len(group) > 1 and not (groups and group[-1] == groups[-1][-1]):
            groups.append(group)
    return groups
