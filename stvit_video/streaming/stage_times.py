"""Percentiles of how long the stages of a step take, in memory that does not grow with the stream."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["PERCENTILES", "Durations", "StageTimes"]

PERCENTILES = (50, 95)
LEAST_SECONDS, MOST_SECONDS = 1e-6, 1e5
WIDTH = 0.01  # of a bin, as a share of the durations in it: so exact is a percentile


class Durations:
    """Counts of durations in bins of equal ratio: a percentile is exact to a hundredth of itself.

    Attributes:
        count: durations so far.
        total_seconds: their sum.
    """

    def __init__(self) -> None:
        self.count, self.total_seconds = 0, 0.0
        self._ratio = math.log1p(WIDTH)
        num_bins = math.ceil(math.log(MOST_SECONDS / LEAST_SECONDS) / self._ratio) + 1
        self._counts = np.zeros(num_bins, dtype=np.int64)

    def add(self, seconds: float) -> None:
        """Count one; what is shorter than a microsecond or longer than a day counts as that."""
        within = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        self._counts[round(math.log(within / LEAST_SECONDS) / self._ratio)] += 1
        self.count += 1
        self.total_seconds += seconds

    def percentile(self, percent: float) -> float:
        """The least duration that `percent` of all are not longer than, in seconds; NaN = there are none."""
        if self.count == 0:
            return math.nan
        rank = max(math.ceil(self.count * percent / 100), 1)
        place = int(np.searchsorted(self._counts.cumsum(), rank))
        return 0.0 if place == 0 else LEAST_SECONDS * math.exp(place * self._ratio)


class StageTimes:
    """Durations of each stage of the steps of a stream, and from a frame's arrival to its answer ("latency").

    Args:
        stages: their names, in the order in which they are told.
    """

    def __init__(self, stages: Iterable[str]) -> None:
        self._of = {name: Durations() for name in (*stages, "latency")}

    def add(self, stages: Mapping[str, float], *, latency_seconds: float) -> None:
        """Count a step.

        Args:
            stages: seconds of each; one that is missing is not counted.
            latency_seconds: from the arrival of the newest frame to the answer.
        """
        for name, seconds in {**stages, "latency": latency_seconds}.items():
            self._of.setdefault(name, Durations()).add(seconds)

    def milliseconds(self) -> dict[str, dict[str, Any]]:
        """Of each stage that was counted "p50", "p95" and "mean", in milliseconds."""
        told = {}
        for name, one in self._of.items():
            if one.count:
                shown = {f"p{percent}": one.percentile(percent) for percent in PERCENTILES}
                shown["mean"] = one.total_seconds / one.count
                told[name] = {key: float(f"{1000 * seconds:.4g}") for key, seconds in shown.items()}
        return told

    def lines(self) -> list[str]:
        """A table of milliseconds, a line a stage; none before the first step."""
        told = self.milliseconds()
        heads = [f"p{percent}" for percent in PERCENTILES]
        rows = [[name, *(f"{shown[head]:.3g}" for head in heads)] for name, shown in told.items()]
        lines = [["ms a step", *heads], *rows] if rows else []
        return [f"{name:<11}" + "".join(f"{value:>9}" for value in values) for name, *values in lines]
