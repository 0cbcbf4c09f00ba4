"""What a video may cost: multiply-adds, time, or how many a second; and the best way to run that costs no more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from stvit_video.utils.ranges import require_rate

BUDGETS = ("gmacs", "clips_per_second", "latency_ms")
MEASURED = ("clips_per_second", "latency_ms")  # what holds on the machine alone where it was measured
UNITS = {"gmacs": "GMACs a video", "clips_per_second": "videos a second", "latency_ms": "ms a video"}


class Costed(Protocol):
    """A way to run, and what it costs."""

    @property
    def gmacs(self) -> float:
        """Giga multiply-adds of a video, all views."""

    @property
    def clips_per_second(self) -> float:
        """Videos a second, all views of each, several at once."""

    @property
    def latency_ms(self) -> float:
        """Milliseconds for a video alone, all its views."""

    @property
    def accuracy(self) -> float:
        """Of the videos that chose; more is better."""


Point = TypeVar("Point", bound=Costed)


@dataclass(frozen=True)
class Budget:
    """What a video may cost.

    Attributes:
        name: one of BUDGETS.
        limit: the most that is allowed; for clips_per_second the least.
    """

    name: str
    limit: float

    def __str__(self) -> str:
        return f"{self.name}={self.limit:g}"

    def met_by(self, point: Costed) -> bool:
        """Whether a way to run is within it."""
        cost: float = getattr(point, self.name)
        return cost >= self.limit if self.name == "clips_per_second" else cost <= self.limit

    def cheapest(self, points: Sequence[Point]) -> Point:
        """The one that is nearest to it, where none is within."""
        best = max if self.name == "clips_per_second" else min
        return best(points, key=lambda point: getattr(point, self.name))


def read_budget(
    *, gmacs: float | None = None, clips_per_second: float | None = None, latency_ms: float | None = None
) -> Budget | None:
    """The budget that is given; None = none is.

    Args:
        gmacs: most multiply-adds of a video in 1e9, all views.
        clips_per_second: least videos a second.
        latency_ms: most milliseconds of a video.

    Raises:
        ValueError: two are given, or one is not above 0.
    """
    pairs = (("gmacs", gmacs), ("clips_per_second", clips_per_second), ("latency_ms", latency_ms))
    given = {name: value for name, value in pairs if value is not None}
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are given, and a budget is one of {', '.join(BUDGETS)}; leave one out")
    for name, value in given.items():
        require_rate(name, value)
    return next((Budget(name, value) for name, value in given.items()), None)


def best_within(points: Sequence[Point], budget: Budget) -> Point:
    """The most accurate way to run within a budget; of equals the cheaper.

    Raises:
        ValueError: none is within; the cheapest is named with its cost.
    """
    within = [point for point in points if budget.met_by(point)]
    if not within:
        cheapest = budget.cheapest(points)
        raise unmet(budget, cheapest, cost=getattr(cheapest, budget.name))
    return max(within, key=lambda point: (point.accuracy, -point.gmacs))


def unmet(budget: Budget, cheapest: object, *, cost: float) -> ValueError:
    """The error where nothing meets a budget.

    Args:
        budget: what is asked for.
        cheapest: the way to run that is nearest to it.
        cost: its own, in the unit of the budget.
    """
    return ValueError(
        f"no setting meets {budget}: the cheapest is {cheapest} with {cost:.4g} {UNITS[budget.name]}; "
        f"give {budget.name}={_reachable(cost, budget)}"
    )


def _reachable(cost: float, budget: Budget) -> str:
    """A budget of three digits that the cost is within."""
    step = 10.0 ** (math.floor(math.log10(cost)) - 2)
    if budget.name == "clips_per_second":
        return f"{math.floor(cost / step) * step:.6g} or less"
    return f"{math.ceil(cost / step) * step:.6g} or more"
