"""Matches by hand, and against a loop over moments where all time is labelled."""

import numpy as np
import pytest

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import (
    FoundEvent,
    Matches,
    f1_of,
    match_segments,
    overlap,
    sum_matches,
)


def event(label, start, end):
    return FoundEvent(label, start, end, end, 0.9)


def truth_of(*segments):
    return LabelledTime.of([LabelledSegment(*one) for one in segments])


TRUTH = truth_of(("sit", 0, 10), ("walk", 10, 14), ("sit", 14, 24))


def test_iou_by_hand():
    assert overlap(event("sit", 5, 12), TRUTH.segments[0], TRUTH) == 5 / 12
    assert overlap(event("sit", 0, 10), TRUTH.segments[0], TRUTH) == 1.0
    assert overlap(event("sit", 12, 20), TRUTH.segments[0], TRUTH) == 0.0
    assert overlap(event("sit", 3, 3), TRUTH.segments[0], TRUTH) == 0.0


@pytest.mark.parametrize(("threshold", "expected"), [(0.1, (2, 0, 0)), (0.25, (2, 0, 0)), (0.5, (1, 1, 1))])
def test_the_threshold(threshold, expected):
    found = [event("sit", 5, 12), event("sit", 14, 23)]  # IoU 5/12 and 9/10
    assert match_segments(found, TRUTH, label="sit", iou_threshold=threshold) == expected


def test_a_segment_that_was_taken_is_not_taken_again():
    found = [event("sit", 0, 4), event("sit", 5, 10), event("sit", 14, 24)]
    assert match_segments(found, TRUTH, label="sit", iou_threshold=0.25) == Matches(2, 1, 0)


def test_classes_are_apart():
    found = [event("walk", 0, 10), event("sit", 10, 14)]
    assert match_segments(found, TRUTH, label="sit", iou_threshold=0.1) == Matches(0, 1, 2)
    assert match_segments(found, TRUTH, label="walk", iou_threshold=0.1) == Matches(0, 1, 1)


def test_unlabelled_time_counts_for_nothing():
    truth = truth_of(("sit", 10, 20), ("walk", 30, 40))
    found = [event("sit", 0, 20), event("sit", 22, 28), event("sit", 50, 50)]
    assert overlap(found[0], truth.segments[0], truth) == 1.0
    assert match_segments(found, truth, label="sit", iou_threshold=0.5) == Matches(1, 0, 0)
    assert match_segments([event("sit", 25, 35)], truth, label="sit", iou_threshold=0.1) == Matches(0, 1, 1)


def test_f1_of_sums():
    counts = sum_matches([Matches(3, 1, 0), Matches(1, 2, 3)])
    assert counts == Matches(4, 3, 3)
    assert f1_of(counts) == pytest.approx(2 * (4 / 7) * (4 / 7) / (4 / 7 + 4 / 7))
    assert (f1_of(Matches()), f1_of(Matches(0, 0, 2)), sum_matches([])) == (None, 0.0, Matches())


def slow_matches(predicted, true, threshold):
    """F1@k of label sequences, segment by segment as sets of moments."""
    found, labelled = runs(predicted), runs(true)
    used = set()
    wrong = 0
    for name, moments in found:
        ious = [len(moments & other) / len(moments | other) * (name == label) for label, other in labelled]
        best = int(np.argmax(ious))
        if ious[best] >= threshold and best not in used:
            used.add(best)
        else:
            wrong += 1
    return Matches(len(used), wrong, len(labelled) - len(used))


def runs(labels):
    found = []
    for moment, label in enumerate(labels):
        if moment and labels[moment - 1] == label:
            found[-1][1].add(moment)
        else:
            found.append((label, {moment}))
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.1, 0.25, 0.5])
def test_against_sets_of_moments(seed, threshold):
    generator = np.random.default_rng(seed)
    true = np.repeat(generator.integers(0, 3, size=40), generator.integers(1, 9, size=40))
    predicted = np.roll(true, 2)
    flips = generator.random(len(true)) < 0.1
    predicted[flips] = generator.integers(0, 3, size=flips.sum())
    segments = [LabelledSegment(str(label), min(moments), max(moments) + 1) for label, moments in runs(true.tolist())]
    events = [event(str(label), min(moments), max(moments) + 1) for label, moments in runs(predicted.tolist())]
    found = sum_matches(
        match_segments(events, LabelledTime.of(segments), label=label, iou_threshold=threshold) for label in "012"
    )
    assert found == slow_matches(predicted.tolist(), true.tolist(), threshold)
    assert found.num_right > 3
    assert found.num_wrong > 3
