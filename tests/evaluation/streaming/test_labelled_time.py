"""Labelled time against a fine grid of moments."""

import numpy as np
import pytest

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime

SEGMENTS = (
    LabelledSegment("sit", 5.0, 7.5),
    LabelledSegment("walk", 1.0, 3.0),
    LabelledSegment("fall", 7.0, 8.0),  # overlaps
    LabelledSegment("walk", 3.0, 4.0),  # touches
    LabelledSegment(None, 10.0, 11.0),
)
GRID = np.arange(0, 12, 0.01) + 0.005


def inside(moment):
    return any(one.start_seconds <= moment < one.end_seconds for one in SEGMENTS)


def test_spans_are_the_union_of_the_segments():
    truth = LabelledTime.of(SEGMENTS)
    np.testing.assert_array_equal(truth.spans, [[1, 4], [5, 8], [10, 11]])
    assert truth.seconds == 7.0
    np.testing.assert_array_equal(truth.is_labelled(GRID), [inside(moment) for moment in GRID])
    assert truth.is_labelled(np.array([1.0, 4.0])).tolist() == [True, False]


@pytest.mark.parametrize(("start", "end"), [(0.0, 12.0), (2.5, 6.0), (4.0, 5.0), (7.25, 10.5), (11.0, 12.0)])
def test_seconds_between_two_moments(start, end):
    truth = LabelledTime.of(SEGMENTS)
    expected = 0.01 * sum(inside(moment) and start <= moment < end for moment in GRID)
    assert truth.within(start, end) == pytest.approx(expected)
    assert truth.touches(start, end) == (expected > 0)


def test_a_single_moment_touches_labelled_time_where_it_is_labelled():
    truth = LabelledTime.of(SEGMENTS)
    assert [truth.touches(moment, moment) for moment in (0.5, 1.0, 3.9, 4.0)] == [False, True, True, False]


def test_labels_at_moments():
    found = LabelledTime.of(SEGMENTS).labels_at(np.array([0.0, 1.0, 3.0, 7.2, 7.5, 10.5]), ("fall", "sit", "walk"))
    assert [[int(x) for x in row] for row in found] == [
        *([0, 0, 0], [0, 0, 1], [0, 0, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]),
    ]


def test_near_a_boundary():
    truth = LabelledTime.of(SEGMENTS)
    near = truth.near_boundary(GRID, tolerance_seconds=0.3)
    edges = {1.0, 3.0, 4.0, 5.0, 7.0, 7.5, 8.0, 10.0, 11.0}
    np.testing.assert_array_equal(near, [any(abs(moment - edge) < 0.3 for edge in edges) for moment in GRID])
    assert not truth.near_boundary(GRID, tolerance_seconds=0.0).any()


def test_segments_of_a_label_come_in_order():
    found = LabelledTime.of([SEGMENTS[3], SEGMENTS[1]]).of_label("walk")
    assert [one.start_seconds for one in found] == [1.0, 3.0]


def test_nothing_is_labelled():
    truth = LabelledTime.of([])
    assert (truth.seconds, truth.within(0, 9)) == (0.0, 0.0)
    assert not truth.is_labelled(GRID).any()
    assert not truth.near_boundary(GRID, tolerance_seconds=5.0).any()
    assert truth.labels_at(GRID, ("a", "b")).shape == (len(GRID), 2)


@pytest.mark.parametrize("segment", [("sit", 3.0, 3.0), ("sit", 3.0, float("inf")), ("sit", float("nan"), 3.0)])
def test_a_segment_must_end_after_its_start(segment):
    with pytest.raises(ValueError, match="'sit' .*end after its start"):
        LabelledTime.of([LabelledSegment(*segment)])
