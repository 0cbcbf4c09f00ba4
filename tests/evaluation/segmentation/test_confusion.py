"""The confusion matrix against a loop over pixels, and against torchmetrics."""

import numpy as np
import pytest
import torch

from stvit_video.evaluation.segmentation.confusion import add_to_confusion, empty_confusion


def slow_matrix(pairs, num_classes):
    """Count pixel by pixel."""
    counts = [[0] * num_classes for _ in range(num_classes)]
    for labels, truth in pairs:
        for found_row, true_row in zip(labels.tolist(), truth.tolist(), strict=True):
            for found, true in zip(found_row, true_row, strict=True):
                if true != 255:
                    counts[true][found] += 1
    return counts


def random_maps(num_classes, *sizes, seed=0):
    draw = np.random.default_rng(seed)
    for size in sizes:
        truth = draw.integers(0, num_classes, size, dtype=np.uint8)
        truth[draw.random(size) < 0.2] = 255
        yield draw.integers(0, num_classes, size, dtype=np.uint8), truth


@pytest.mark.parametrize("num_classes", [1, 2, 11, 150, 255])
def test_it_is_that_of_a_loop_over_pixels(num_classes):
    pairs = list(random_maps(num_classes, (13, 7), (5, 31)))
    matrix = empty_confusion(num_classes)
    for labels, truth in pairs:
        add_to_confusion(matrix, labels, truth)
    assert matrix.tolist() == slow_matrix(pairs, num_classes)
    assert matrix.dtype == np.int64


def test_it_is_that_of_torchmetrics():
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    ((labels, truth),) = random_maps(7, (40, 33))
    matrix = empty_confusion(7)
    add_to_confusion(matrix, torch.from_numpy(labels), torch.from_numpy(truth))
    given = (torch.from_numpy(labels).long(), torch.from_numpy(truth).long())
    assert matrix.tolist() == multiclass_confusion_matrix(*given, num_classes=7, ignore_index=255).tolist()


def test_a_map_that_does_not_count_adds_nothing():
    matrix = empty_confusion(3)
    add_to_confusion(matrix, np.zeros((4, 5), dtype=np.uint8), np.full((4, 5), 255, dtype=np.uint8))
    assert not matrix.any()


@pytest.mark.parametrize(
    ("labels", "truth", "message"),
    [
        ([[0, 3]], [[0, 1]], "predicted map has label 3; labels are 0 to 2"),
        ([[0, 1]], [[0, 254]], "true map has label 254; .* 3 classes, and in the truth 255"),
        ([[0, 255]], [[0, 1]], "predicted map has label 255"),
        ([[0, 1]], [[-1, 1]], "true map has label -1"),
        ([[0, 1]], [[0], [1]], r"predicted map is \(1, 2\) and the true one \(2, 1\)"),
    ],
)
def test_labels_out_of_range_and_other_sizes_are_refused(labels, truth, message):
    matrix = empty_confusion(3)
    with pytest.raises(ValueError, match=message):
        add_to_confusion(matrix, np.array(labels), np.array(truth))
    assert not matrix.any()


@pytest.mark.parametrize("num_classes", [0, 256])
def test_as_many_classes_as_labels_can_tell(num_classes):
    with pytest.raises(ValueError, match=f"num_classes must be from 1 to 255, got {num_classes}"):
        empty_confusion(num_classes)
