"""Probabilities that are smoothed over time, at steps that may be irregular."""

import math
from collections import deque
from typing import Protocol

import numpy as np

from stvit_video.utils.choices import Smoothing

SLACK_SECONDS = 1e-6  # times of steps that differ by less are one and the same


class Smoother(Protocol):
    """Takes the probabilities of steps in order of time and gives the smoothed ones."""

    def take(self, seconds: float, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities (K,) of the step at `seconds` -> the smoothed ones (K,) float64 there."""
        ...


class MovingMean:
    """The mean of the steps of the last seconds, the newest one always among them.

    Args:
        smoothing_seconds: a step counts for less than that long; 0 = the newest step alone.
    """

    def __init__(self, smoothing_seconds: float) -> None:
        self._length = smoothing_seconds
        self._steps: deque[tuple[float, np.ndarray]] = deque()

    def take(self, seconds: float, probabilities: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        self._steps.append((seconds, np.asarray(probabilities, dtype=np.float64)))
        while len(self._steps) > 1 and seconds - self._steps[0][0] > self._length - SLACK_SECONDS:
            self._steps.popleft()
        return np.mean([kept for _, kept in self._steps], axis=0)


class MovingAverage:
    """The exponential moving average, in which a step counts by the time since the step before it.

    After t seconds a step has lost the share `1 - exp(-t / smoothing_seconds)` of its weight, however many steps came
    in between.

    Args:
        smoothing_seconds: the time constant; 0 = the newest step alone.

    Source: Eckner, "Algorithms for unevenly spaced time series: moving averages and other rolling operators" (2012),
        the average with "next point" interpolation.
    """

    def __init__(self, smoothing_seconds: float) -> None:
        self._constant = smoothing_seconds
        self._last: tuple[float, np.ndarray] | None = None

    def take(self, seconds: float, probabilities: np.ndarray) -> np.ndarray:
        """See `Smoother`."""
        found = np.array(probabilities, dtype=np.float64)
        if self._last is not None and self._constant > 0:
            kept = math.exp(-(seconds - self._last[0]) / self._constant)
            found = kept * self._last[1] + (1 - kept) * found
        self._last = (seconds, found)
        return found


def make_smoother(smoothing: Smoothing, smoothing_seconds: float) -> Smoother:
    """A new smoother that has seen nothing; see `MovingMean` ("mean") and `MovingAverage` ("ema")."""
    return MovingMean(smoothing_seconds) if smoothing == "mean" else MovingAverage(smoothing_seconds)
