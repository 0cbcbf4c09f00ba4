"""Percentiles in bounded memory: against those of sorted lists."""

import math

import numpy as np
import pytest

from stvit_video.streaming.stage_times import Durations, StageTimes


@pytest.mark.parametrize("percent", [1, 50, 95, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 20, 2001])
def test_percentiles_are_those_of_a_sorted_list(count, percent):
    seconds = np.random.default_rng(count).lognormal(-5, 2, size=count)
    durations = Durations()
    for one in seconds:
        durations.add(float(one))
    expected = np.percentile(seconds, percent, method="inverted_cdf")
    assert durations.percentile(percent) == pytest.approx(expected, rel=0.006)
    assert durations.total_seconds == pytest.approx(seconds.sum())
    assert durations.count == count


def test_what_is_out_of_range_counts_as_its_end():
    durations = Durations()
    assert math.isnan(durations.percentile(50))
    for seconds in (0.0, -1.0, 1e-9, 1e9):
        durations.add(seconds)
    assert durations.percentile(75) == 0.0
    assert durations.percentile(100) == pytest.approx(1e5, rel=0.01)


def test_the_table():
    times = StageTimes(("decode", "queue", "encode"))
    assert times.lines() == []
    assert times.milliseconds() == {}
    for number in range(100):
        times.add({"encode": 0.002 * (1 + (number >= 90)), "decode": 0.0}, latency_seconds=0.5)
    told = times.milliseconds()
    assert list(told) == ["decode", "encode", "latency"]  # a stage that no step has is left out
    assert told["encode"] == {
        "p50": pytest.approx(2, rel=0.006),
        "p95": pytest.approx(4, rel=0.006),
        "mean": pytest.approx(2.2),
    }
    assert told["decode"] == {"p50": 0.0, "p95": 0.0, "mean": 0.0}
    lines = times.lines()
    assert lines[0].split() == ["ms", "a", "step", "p50", "p95"]
    assert [line.split()[0] for line in lines[1:]] == ["decode", "encode", "latency"]
    assert len(set(map(len, lines))) == 1
