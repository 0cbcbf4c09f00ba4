"""Times of a stream's frames, and which of them the model sees: against slow loops over the whole stream."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.streaming.time_sampling import Chosen, StampClock, TimeSampler, chosen_fps, usual_interval


def seen(times, *, fps, interval, window=1e9):
    """[(place of the frame, time for which it is seen)] as the frames come."""
    sampler = TimeSampler(fps=fps, interval_seconds=interval, window_seconds=window)
    found = []
    for place, seconds in enumerate(times):
        chosen = sampler.take(seconds)
        found += [(place - 1, one) for one in chosen.before] + [(place, one) for one in chosen.now]
    return found


def slowly_seen(times, *, fps, interval, window):
    """The same, wanted time by wanted time: the first frame that stands until then, or the one before if it is late."""
    parts, start = [], 0
    for place in range(1, len(times) + 1):
        if place == len(times) or times[place] - times[place - 1] > window:
            parts.append(range(start, place))
            start = place
    found, margin = [], interval / 4
    for part in parts:
        served = set()
        for number in range(10**6):
            wanted = times[part[0]] + number * (1 / fps)
            standing = [place for place in part if wanted < times[place] + interval - margin]
            if not standing:
                break
            place = standing[0]
            if wanted < times[place] - margin:
                found.append((place - 1, wanted))
            else:
                found.append((place, max(wanted, times[place]) if place in served else times[place]))
                served.add(place)
    return found


@given(
    steps=st.lists(st.floats(0.0, 0.4), min_size=1, max_size=40),
    fps=st.floats(2.0, 70.0),
    interval=st.floats(0.01, 0.2),
    window=st.floats(0.1, 0.5),
)
def test_chosen_as_by_a_loop_over_all_wanted_times(steps, fps, interval, window):
    times = list(np.cumsum(steps))
    assert seen(times, fps=fps, interval=interval, window=window) == slowly_seen(
        times, fps=fps, interval=interval, window=window
    )


@pytest.mark.parametrize("clock_seconds", [1e-9, 1 / 90000, 1e-3])
@pytest.mark.parametrize("rate", [25.0, 30000 / 1001, 50.0, 7.0])
@pytest.mark.parametrize("stride", [1, 3, 4, 8])
def test_every_nth_frame_of_a_constant_rate_however_its_clock_rounds(rate, stride, clock_seconds):
    times = [round(place / rate / clock_seconds) * clock_seconds for place in range(4000)]
    found = seen(times, fps=rate / stride, interval=1 / rate)
    assert found == [(place, times[place]) for place in range(0, 4000, stride)]


def test_jitter_of_a_fifth_of_a_frame_changes_nothing():
    generator = np.random.default_rng(3)
    times = (np.arange(3000) + generator.uniform(-0.2, 0.2, 3000) * (np.arange(3000) > 0)) / 30
    assert [place for place, _ in seen(times.tolist(), fps=7.5, interval=1 / 30)] == list(range(0, 3000, 4))


def test_a_frame_that_stands_long_is_seen_again():
    found = seen([0.0, 0.1, 0.55, 0.6], fps=10, interval=0.1)  # the third is there for 0.6
    assert found[:2] == [(0, 0.0), (1, 0.1)]
    assert [place for place, _ in found] == [0, 1, 1, 1, 1, 1, 2]
    assert [time for _, time in found] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55])


def test_a_slow_source_is_seen_repeatedly_at_once():
    sampler = TimeSampler(fps=10, interval_seconds=0.38, window_seconds=9)
    assert sampler.take(5.0).now == pytest.approx((5.0, 5.1, 5.2))
    assert sampler.take(5.38).now == pytest.approx((5.38, 5.4, 5.5, 5.6))


def test_wanted_times_begin_anew_after_a_gap_and_after_a_restart():
    sampler = TimeSampler(fps=2, interval_seconds=0.1, window_seconds=3.0)
    assert sampler.take(0.0) == Chosen(now=(0.0,))
    assert sampler.take(3.0) == Chosen(before=(0.5, 1.0, 1.5, 2.0, 2.5), now=(3.0,))
    assert sampler.take(6.1) == Chosen(now=(6.1,))
    assert sampler.take(6.3) == Chosen()
    sampler.restart()
    assert sampler.take(6.4) == Chosen(now=(6.4,))


@pytest.mark.parametrize("fps", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_is_none(fps):
    with pytest.raises(ValueError, match="fps"):
        TimeSampler(fps=fps, interval_seconds=0.1, window_seconds=1.0)
    with pytest.raises(ValueError, match="target_fps"):
        chosen_fps(0.04, frame_stride=2, target_fps=fps)


def test_chosen_rate():
    assert chosen_fps(0.04, frame_stride=5, target_fps=None) == pytest.approx(5.0)
    assert chosen_fps(0.04, frame_stride=5, target_fps=7) == 7.0


def test_usual_interval():
    even = [place / 25 for place in range(9)]
    assert usual_interval(even, stated_fps=26.0) == 1 / 26  # it agrees about
    assert usual_interval(even, stated_fps=1000.0) == pytest.approx(0.04)  # as browsers state
    assert usual_interval(even, stated_fps=None) == pytest.approx(0.04)
    assert usual_interval(even[::-1], stated_fps=None) == pytest.approx(0.04)  # as packets are stored
    assert usual_interval([0.0, 0.1, None, 0.2, 5.0], stated_fps=None) == pytest.approx(0.1)
    assert usual_interval([None, None], stated_fps=24.0) == 1 / 24
    assert usual_interval([1.0, 1.0], stated_fps=None) is None
    assert usual_interval([], stated_fps=0.0) is None


def clocked(stamps, *, interval=0.1, arrivals=None, **settings):
    """Seconds of stamps, and by how much the clock was set back."""
    clock = StampClock(**settings)
    clock.begin(interval, is_live=arrivals is not None)
    arrivals = arrivals or [0.0] * len(stamps)
    return [clock.seconds(stamp, arrived=arrived) for stamp, arrived in zip(stamps, arrivals, strict=True)]


def test_seconds_count_from_the_first_frame_or_are_the_sources():
    assert [seconds for seconds, _ in clocked([7.5, 8.0, 9.25])] == [0.0, 0.5, 1.75]
    assert [seconds for seconds, _ in clocked([7.5, 8.0, 9.25], keeps_origin=True)] == [7.5, 8.0, 9.25]
    assert [seconds for seconds, _ in clocked([-7.5, -7.0], keeps_origin=True)] == [-7.5, -7.0]


def test_missing_stamps():
    assert [seconds for seconds, _ in clocked([None, None, None])] == pytest.approx([0.0, 0.1, 0.2])
    assert [seconds for seconds, _ in clocked([3.0, None, 3.2])] == pytest.approx([0.0, 0.1, 0.2])
    assert [seconds for seconds, _ in clocked([None, 9.0, 9.5])] == pytest.approx([0.0, 0.1, 0.6])
    live = clocked([None, None, 9.0, 9.5], arrivals=[100.0, 100.3, 101.0, 101.1])
    assert [seconds for seconds, _ in live] == pytest.approx([0.0, 0.3, 1.0, 1.5])


def test_stamps_that_run_back():
    found = clocked([5.0, 6.0, 5.8, 6.1])  # a little: not at all
    assert [seconds for seconds, _ in found] == pytest.approx([0.0, 1.0, 1.0, 1.1])
    assert not any(back for _, back in found)
    found = clocked([5.0, 9.0, 1.0, 1.5])  # far: a clock that was set anew
    assert [seconds for seconds, _ in found] == pytest.approx([0.0, 4.0, 4.1, 4.6])
    assert [back for _, back in found] == pytest.approx([0, 0, 8.0, 0])
    live = clocked([5.0, 9.0, 1.0], arrivals=[20.0, 24.0, 26.5])
    assert live[2][0] == pytest.approx(6.5)


def test_a_source_that_is_opened_anew_goes_on_by_arrivals():
    clock = StampClock()
    clock.begin(0.1, is_live=True)
    assert clock.seconds(50.0, arrived=1000.0) == (0.0, 0.0)
    assert clock.seconds(52.0, arrived=1002.0) == (2.0, 0.0)
    clock.begin(0.1, is_live=True)
    assert clock.seconds(3.0, arrived=1005.0) == (5.0, 0.0)
    assert clock.seconds(3.5, arrived=1005.6) == (5.5, 0.0)
