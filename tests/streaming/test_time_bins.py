"""Bins of time whose number is bounded: against a dictionary that keeps every step."""

import numpy as np
import pytest

from stvit_video.streaming.time_bins import FIRST_BIN_SECONDS, TimeBins


@pytest.mark.parametrize("count", [1, 5, 7, 500])
def test_peaks_are_those_of_all_steps(count):
    rng = np.random.default_rng(count)
    times = 10.0 + np.sort(rng.uniform(0, 9.0 * count / 100, size=count))
    shares = rng.random((count, 3)).astype(np.float32)
    bins = TimeBins(3, max_bins=16)
    for seconds, row in zip(times, shares, strict=True):
        bins.add(seconds, row)
    middles, peaks = bins.peaks()
    assert len(middles) == len(peaks) <= 16
    assert bins.start_seconds == times[0]
    kept = {}
    for seconds, row in zip(times, shares, strict=True):
        place = int((seconds - times[0]) / bins.bin_seconds)
        kept[place] = np.maximum(kept.get(place, 0.0), row)
    for place, row in enumerate(peaks):
        np.testing.assert_array_equal(row, kept.get(place, np.full(3, np.nan)))
    np.testing.assert_allclose(middles, times[0] + bins.bin_seconds * (np.arange(len(peaks)) + 0.5))


def test_memory_and_width():
    bins = TimeBins(2, max_bins=8)
    assert bins.peaks()[1].shape == (0, 2)
    bins.add(5.0, np.array([0.5, 0.25]))
    assert bins.bin_seconds == FIRST_BIN_SECONDS
    bins.add(4.0, np.array([0.25, 0.75]))  # before the first one
    np.testing.assert_array_equal(bins.peaks()[1], [[0.5, 0.75]])
    bins.add(5.0 + 3600 * 24 * 365, np.array([0.1, 0.2]))
    middles, peaks = bins.peaks()
    assert len(middles) <= 8
    assert np.isnan(peaks[1:-1]).all()
    assert middles[-1] + bins.bin_seconds / 2 >= 5.0 + 3600 * 24 * 365
    with pytest.raises(ValueError, match="max_bins=7 .*even"):
        TimeBins(2, max_bins=7)
