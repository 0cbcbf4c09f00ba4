"""Probabilities over time for a picture: a bounded number of bins, whose width doubles while the stream goes on."""

import numpy as np

__all__ = ["TimeBins"]

MAX_BINS = 2048
FIRST_BIN_SECONDS = 1 / 32


class TimeBins:
    """The highest probability of each class in each bin of time.

    Attributes:
        bin_seconds: width of a bin.
        start_seconds: where the first bin begins; the time of the first step.

    Args:
        num_classes: probabilities of a step.
        max_bins: most bins, even: where the time has more, each two become one.
    """

    def __init__(self, num_classes: int, *, max_bins: int = MAX_BINS) -> None:
        if max_bins < 2 or max_bins % 2:
            raise ValueError(f"max_bins={max_bins} must be an even number, at least 2")
        self.bin_seconds, self.start_seconds = FIRST_BIN_SECONDS, 0.0
        self._peaks = np.full((max_bins, num_classes), np.nan, dtype=np.float32)
        self._is_empty = True

    def add(self, seconds: float, probabilities: np.ndarray) -> None:
        """Take a step; one before the first counts as at the first.

        Args:
            seconds: of its newest frame.
            probabilities: (num_classes,).
        """
        if self._is_empty:
            self.start_seconds, self._is_empty = seconds, False
        while (place := int((seconds - self.start_seconds) / self.bin_seconds)) >= len(self._peaks):
            self._halve()
        row = self._peaks[max(place, 0)]
        np.fmax(row, probabilities, out=row)

    def peaks(self) -> tuple[np.ndarray, np.ndarray]:
        """Times of the middles of the bins up to the last that has a step (n,), and their peaks (n, num_classes).

        Peaks of a bin without a step are NaN.
        """
        filled = np.flatnonzero(~np.isnan(self._peaks).all(axis=1))
        count = int(filled[-1]) + 1 if len(filled) else 0
        times = self.start_seconds + self.bin_seconds * (np.arange(count) + 0.5)
        return times, self._peaks[:count].copy()

    def _halve(self) -> None:
        pairs = self._peaks.reshape(len(self._peaks) // 2, 2, -1)
        merged = np.fmax(pairs[:, 0], pairs[:, 1])
        self._peaks[: len(merged)], self._peaks[len(merged) :] = merged, np.nan
        self.bin_seconds *= 2
