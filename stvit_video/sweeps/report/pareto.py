"""Which of several models are worth their cost: the Pareto front, costs too close to tell apart, spread over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite
from statistics import mean, stdev

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
        runs = "1 run" if self.count == 1 else f"{self.count} runs"
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


def pareto_front(costs: Sequence[float], qualities: Sequence[float]) -> list[bool]:
    """Which points nobody beats: True = no other is as cheap and as good, and cheaper or better.

    Args:
        costs: less is better; where more is (clips a second), give them negative.
        qualities: more is better, in the same order.

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
    best, cost_of_best = float("-inf"), float("nan")
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -qualities[i])):
        tied = qualities[index] == best and costs[index] == cost_of_best
        if qualities[index] > best or tied:
            front[index] = True
            best, cost_of_best = qualities[index], costs[index]
    return front


def close_pairs(costs: Sequence[float], *, tolerance: float = CLOSE) -> list[tuple[int, int]]:
    """Pairs of points whose costs are too close to tell them apart by it.

    Args:
        costs: above 0.
        tolerance: how much the larger cost may exceed the smaller one, as a share of the smaller.

    Returns:
        Positions (i, j) with i < j, in order.
    """
    pairs = combinations(range(len(costs)), 2)
    return [(i, j) for i, j in pairs if max(costs[i], costs[j]) <= (1 + tolerance) * min(costs[i], costs[j])]
