"""Two recordings, worked out by hand."""

import numpy as np
import pytest

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording, median_of, score_recordings

CLASSES = ("fall", "sit", "walk")


def recording(labels, events, segments):
    """A step each second, at the half; `labels` are the likeliest classes."""
    return ScoredRecording(
        seconds=np.arange(len(labels)) + 0.5,
        probabilities=0.8 * np.eye(3)[list(labels)] + 0.1,
        events=[FoundEvent(*one, 0.9) for one in events],
        truth=LabelledTime.of([LabelledSegment(*one) for one in segments]),
    )


# walk 0-6, sit 6-10, unlabelled 10-12
FIRST = recording(
    (2, 2, 2, 2, 1, 1, 1, 1, 1, 2, 0, 0),
    [("walk", 0.0, 4.0, 1.0), ("sit", 4.0, 9.0, 5.0), ("fall", 10.0, 12.0, 11.0)],
    [("walk", 0.0, 6.0), ("sit", 6.0, 10.0)],
)
# walk 0-5, sit 7-9
SECOND = recording(
    (2, 2, 0, 2, 2, 1, 1, 2, 2, 2),
    [("fall", 2.0, 3.0, 2.5), ("walk", 3.0, 5.0, 4.0), ("walk", 7.0, 10.0, 8.0)],
    [("walk", 0.0, 5.0), ("sit", 7.0, 9.0)],
)


def test_scores_by_hand():
    scores = score_recordings([FIRST, SECOND], classes=CLASSES)
    assert (scores.num_steps, scores.num_unlabelled, scores.labelled_seconds) == (17, 5, 17.0)
    assert scores.matrix.tolist() == [[0, 0, 0], [0, 3, 3], [1, 2, 8]]
    assert scores.frame_accuracy == 11 / 17
    assert scores.frame_mean_class_accuracy == (3 / 6 + 8 / 11) / 2
    # walk: IoU 4/6, 2/5, wrong; sit: 3/6, missed; fall: one in labelled time, wrong
    assert scores.f1[0.1] == scores.f1[0.25] == pytest.approx(2 * 3 / (2 * 3 + 2 + 1))
    assert scores.f1[0.5] == pytest.approx(2 * 2 / (2 * 2 + 3 + 2))
    # found: both walks after 1 and 4 s, the first sit at once
    assert (scores.share_found, scores.delay_seconds) == (3 / 4, 1.0)
    assert scores.false_alarms_per_hour == pytest.approx(2 * 3600 / 17)


def test_scores_of_the_classes():
    fall, sit, walk = score_recordings([FIRST, SECOND], classes=CLASSES).per_class
    assert (fall.num_steps, fall.recall, fall.num_segments, fall.num_events, fall.num_false_alarms) == (
        0,
        None,
        0,
        1,
        1,
    )
    assert (sit.num_steps, sit.recall, sit.num_segments, sit.delays_seconds) == (6, 0.5, 2, (0.0,))
    assert (walk.num_events, walk.num_false_alarms, walk.delays_seconds) == (3, 1, (1.0, 4.0))
    assert walk.matches[0.25] == (2, 1, 0)
    assert walk.matches[0.5] == (1, 2, 1)


def test_tolerance():
    scores = score_recordings([FIRST, SECOND], classes=CLASSES, tolerance_seconds=1.0)
    assert (scores.num_steps, scores.num_near_boundary) == (9, 8)
    assert scores.frame_accuracy == (5 + 2) / 9
    assert scores.per_class[2].num_false_alarms == 1


def test_several_labels_have_no_frame_accuracy():
    scores = score_recordings([FIRST, SECOND], classes=CLASSES, multi_label=True)
    assert (scores.matrix, scores.frame_accuracy, scores.frame_mean_class_accuracy) == (None, None, None)
    assert scores.f1 == score_recordings([FIRST, SECOND], classes=CLASSES).f1
    assert [one.num_steps for one in scores.per_class] == [0, 6, 11]


def test_nothing_is_labelled():
    scores = score_recordings([recording((0, 1), [("fall", 0.0, 2.0, 1.0)], [])], classes=CLASSES)
    assert (scores.frame_accuracy, scores.share_found, scores.delay_seconds) == (None, None, None)
    assert (scores.false_alarms_per_hour, set(scores.f1.values())) == (None, {None})


def test_median():
    assert (median_of([]), median_of([3.0, 1.0, 2.0, 9.0])) == (None, 2.5)
