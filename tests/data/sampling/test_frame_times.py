"""Seconds of frames against their time stamps, by slow loops and by hand."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.sampling.frame_indices import segment_frame_range
from stvit_video.data.sampling.frame_times import FrameTimes, frame_times

MS, FINE = {"time_base_seconds": 1e-3}, {"time_base_seconds": 1 / 16000}
# a screen recording: a frame every 5 s, then 60 a second; in 1 / 1000 s
SCREEN = [*range(0, 50_000, 5_000), *(50_000 + round(number * 1000 / 60) for number in range(600))]


@pytest.mark.parametrize("stated", [8.7, 60.0, 1000.0, None])
def test_a_variable_rate_goes_by_its_time_stamps(stated):
    times = frame_times(SCREEN, **MS, stated_fps=stated)
    assert (times.seconds * 1000).tolist() == pytest.approx(SCREEN)
    assert not times.is_constant
    assert times.fps == pytest.approx(609 / 59.983)
    assert times.intervals_seconds == pytest.approx((0.016, 59.983 / 609, 5.0))
    assert [segment_frame_range(times, *span) for span in ((10, 20), (50, 60), (0, 50), (11, 14), (11, 16))] == [
        (2, 4),
        (10, 610),
        (0, 10),
        (2, 3),
        (3, 4),
    ]


@pytest.mark.parametrize("rate", [10, 23.976, 24, 25, 30000 / 1001, 30, 50, 60])
@pytest.mark.parametrize(("ticks", "rounding"), [(1000, round), (1000, math.floor), (90_000, round), (600, round)])
@pytest.mark.parametrize("first", [0, 77])
def test_a_constant_rate_keeps_the_stated_rate_whatever_the_clock(rate, ticks, rounding, first):
    pts = [rounding((number + 0.3) / rate * ticks) + first for number in range(400)]
    times = frame_times(pts, time_base_seconds=1 / ticks, stated_fps=rate)
    assert (times.fps, times.is_constant) == (rate, True)
    assert times.duration_seconds == pytest.approx(400 / rate, abs=1 / ticks)
    for start, stop in ((0, 7), (3, 399), (10, 11)):
        assert segment_frame_range(times, round(start / rate, 5), round(stop / rate, 5)) == (start, stop)


@pytest.mark.parametrize("stated", [1000.0, 90_000.0, 12.0, 24.9, math.inf, -1.0, 0.0, None])
def test_a_stated_rate_that_the_time_stamps_contradict_does_not_count(stated):
    times = frame_times([40 * number for number in range(300)], **MS, stated_fps=stated)
    assert (times.fps, times.is_constant) == (pytest.approx(25), True)
    assert times.duration_seconds == pytest.approx(12)


def test_milliseconds_in_a_finer_clock_are_a_constant_rate():
    """A WebM that was copied into an MP4: 33, 33 and 34 ms, in 1 / 16000 s."""
    times = frame_times([round(number / 30 * 1000) * 16 for number in range(300)], **FINE, stated_fps=29.99906)
    assert (times.fps, times.is_constant) == (29.99906, True)


def test_nearly_the_stated_rate_is_the_measured_one():
    """A container that says 30 of a video at 29.97: an hour later that is 3.6 s."""
    pts = [round(number * 1001 / 30000 * 90_000) for number in range(30 * 3600)]
    times = frame_times(pts, time_base_seconds=1 / 90_000, stated_fps=30.0)
    assert (times.fps, times.is_constant) == (pytest.approx(30000 / 1001), True)


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=40),
    st.integers(0, 9000),
    st.integers(0, 4000),
    st.integers(0, 9),
)
def test_segments_are_the_frames_whose_own_time_stamps_lie_in_them(steps, first, start, length):
    pts = (first + np.cumsum([0, *steps, 777])).tolist()  # the last step keeps any of them from a constant rate
    times = frame_times(pts, **MS, stated_fps=25.0)
    end = start + 1 + length * 100
    if start / 1000 >= times.end_seconds - 1e-3 / times.fps:
        with pytest.raises(ValueError, match=r"segment begins at .* the video ends at"):
            segment_frame_range(times, start / 1000, end / 1000)
        return
    found = list(range(*segment_frame_range(times, start / 1000, end / 1000)))
    inside = [number for number, stamp in enumerate(pts) if start <= stamp - first < end]
    on_screen = [number for number, stamp in enumerate(pts) if stamp - first < end][-1]
    assert found == (inside or [on_screen])


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.lists(st.integers(-50, 9000), max_size=9))
def test_the_frame_shown_is_the_last_whose_time_stamp_is_not_later(steps, wanted):
    pts = np.cumsum([5, *steps, 1]).tolist()
    expected = []
    for time in wanted:
        not_later = [number for number, stamp in enumerate(pts) if stamp - 5 <= time]
        expected.append(not_later[-1] if not_later else 0)
    assert frame_times(pts, **MS, stated_fps=None).shown_at(np.array(wanted) / 1000) == expected


def test_a_segment_counts_from_its_own_first_frame():
    times = frame_times(SCREEN, **MS, stated_fps=None)
    part = times.segment(2, 4)
    assert (part.num_frames, part.duration_seconds, part.is_constant) == (2, 10.0, False)
    assert part.fps == pytest.approx(0.2)
    assert part.shown_at([0, 4.9, 5, 99]) == [0, 0, 1, 1]
    constant = FrameTimes.constant(9, 10.0).segment(4, 7)
    assert (constant.fps, constant.duration_seconds, constant.is_constant) == (10.0, pytest.approx(0.3), True)


@pytest.mark.parametrize(
    ("pts", "expected"),
    [
        ([0, 40, 40, 120, 160], [0, 40, 40, 120, 160]),  # one repeated
        ([0, 80, 40, 120], [0, 80, 80, 120]),  # a little back
        ([50_000, 50_040, 50_080, 0, 40], [0, 40, 80, 120, 160]),  # the clock was set anew
    ],
)
def test_times_never_run_back(pts, expected):
    assert (frame_times(pts, **MS, stated_fps=25.0).seconds * 1000).tolist() == pytest.approx(expected)


def test_one_frame_and_stamps_that_stand_still_have_the_stated_rate():
    assert frame_times([3], **MS, stated_fps=20.0).duration_seconds == 0.05
    still = frame_times([3, 3, 3], **MS, stated_fps=20.0)
    assert (still.fps, still.seconds.tolist()) == (20.0, [0.0, 0.05, 0.1])
    with pytest.raises(ValueError, match="fps=nan must be a finite number above 0"):
        frame_times([3], **MS, stated_fps=None)


def test_jitter_of_a_phone_is_no_constant_rate():
    random.seed(0)
    pts = [number * 3000 + random.randrange(-900, 900) for number in range(100)]  # 30 a second, 10 ms to and fro
    assert not frame_times(sorted(pts), time_base_seconds=1 / 90_000, stated_fps=30.0).is_constant


@pytest.mark.parametrize(("rate", "ticks"), [(240, 1000), (30, 100), (12, 1000), (23.976, 1000), (59.94, 1000)])
def test_constant_rates_are_index_arithmetic_on_coarse_clocks(rate, ticks):
    times = frame_times(
        [round(number / rate * ticks) for number in range(500)], time_base_seconds=1 / ticks, stated_fps=rate
    )
    exact = FrameTimes.constant(500, rate)
    assert times.is_constant
    for start in range(0, 400):
        span = round(start / rate, 3), round((start + 9) / rate, 3)
        assert segment_frame_range(times, *span) == segment_frame_range(exact, *span)


@pytest.mark.parametrize(
    ("pts", "duration", "end"),
    [
        ([0, 300, 900, 1500], 20_000, 21.5),
        ([0, 300, 900, 1500], 0, 2.0),
        ([0, 300, 900, 1500], 1, 2.0),
        ([0, 40, 80, 120], 20_000, 20.12),
        ([0, 40, 80, 120], 40, 0.16),
        ([0, 40, 80, 120], 45, 0.16),
    ],
)
def test_a_last_frame_that_stands_long(pts, duration, end):
    times = frame_times(pts, **MS, stated_fps=25.0, last_duration=duration)
    assert times.end_seconds == pytest.approx(end)
    if end > 10:
        assert segment_frame_range(times, 10, 15) == (3, 4)
