import numpy as np

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.step_accuracy import (
    accuracy_of,
    class_recalls_of,
    counted_steps,
    step_confusion,
)

CLASSES = ("fall", "sit", "walk")
TRUTH = LabelledTime.of(
    [LabelledSegment("walk", 1, 4), LabelledSegment("sit", 4, 9), LabelledSegment("fall", 8, 9)],
)
MOMENTS = np.arange(12) + 0.5  # labelled: walk 1.5 2.5 3.5, sit 4.5 ... 7.5, both 8.5


def test_steps_that_count():
    found = counted_steps(MOMENTS, TRUTH, classes=CLASSES)
    assert found.places.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert found.targets.argmax(axis=1).tolist() == [2, 2, 2, 1, 1, 1, 1]
    assert (found.num_unlabelled, found.num_near_boundary, found.num_ambiguous) == (4, 0, 1)


def test_steps_near_a_boundary_do_not_count():
    found = counted_steps(MOMENTS, TRUTH, classes=CLASSES, tolerance_seconds=0.6)
    assert found.places.tolist() == [2, 5, 6]
    assert (found.num_unlabelled, found.num_near_boundary, found.num_ambiguous) == (4, 5, 0)


def test_with_several_labels_every_labelled_step_counts():
    none = LabelledTime.of([*TRUTH.segments, LabelledSegment(None, 10, 11)])
    found = counted_steps(MOMENTS, none, classes=CLASSES, multi_label=True)
    assert found.places.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert found.targets[-2:].tolist() == [[True, True, False], [False, False, False]]
    assert (found.num_unlabelled, found.num_ambiguous) == (3, 0)


def test_rates_of_a_confusion_matrix():
    generator = np.random.default_rng(5)
    predicted, true = generator.integers(0, 3, size=(2, 50))
    true[true == 1] = 2  # class 1 never occurs
    matrix = step_confusion(predicted, true, num_classes=3)
    assert matrix.tolist() == [[int(((true == i) & (predicted == j)).sum()) for j in range(3)] for i in range(3)]
    assert accuracy_of(matrix) == np.mean(predicted == true)
    expected = [np.mean(predicted[true == 0] == 0), None, np.mean(predicted[true == 2] == 2)]
    assert class_recalls_of(matrix) == expected
    assert accuracy_of(np.zeros((3, 3), dtype=np.int64)) is None
