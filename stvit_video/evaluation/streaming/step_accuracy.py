"""Accuracy over the moments of a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stvit_video.evaluation.streaming.labelled_time import LabelledTime

__all__ = ["CountedSteps", "accuracy_of", "class_recalls_of", "counted_steps", "step_confusion"]


@dataclass(frozen=True, eq=False)
class CountedSteps:
    """The steps of a recording that count, and how many do not.

    Attributes:
        places: (M,) int64, which steps count.
        targets: (M, K) bool, the classes that are seen there; of recordings with one label, one each.
        num_unlabelled: steps in time that nobody labelled.
        num_near_boundary: steps in labelled time that are too near to where a segment starts or ends.
        num_ambiguous: other steps in segments of several classes, where there should be one.
    """

    places: np.ndarray
    targets: np.ndarray
    num_unlabelled: int
    num_near_boundary: int
    num_ambiguous: int


def counted_steps(
    seconds: np.ndarray,
    truth: LabelledTime,
    *,
    classes: Sequence[str],
    multi_label: bool = False,
    tolerance_seconds: float = 0.0,
) -> CountedSteps:
    """Find the steps that can be right or wrong, and what is true there.

    Args:
        seconds: (N,) moments that the steps are for.
        truth: what is labelled.
        classes: names in the order of the scores.
        multi_label: whether several classes, or none, may be seen at once.
        tolerance_seconds: steps nearer than that to where a segment starts or ends don't count.
    """
    labelled = truth.is_labelled(seconds)
    near = labelled & truth.near_boundary(seconds, tolerance_seconds=tolerance_seconds)
    targets = truth.labels_at(seconds, classes)
    odd = labelled & ~near & (targets.sum(axis=1) != 1) & (not multi_label)
    places = np.flatnonzero(labelled & ~near & ~odd)
    return CountedSteps(places, targets[places], int((~labelled).sum()), int(near.sum()), int(odd.sum()))


def step_confusion(predicted: np.ndarray, true: np.ndarray, *, num_classes: int) -> np.ndarray:
    """Classes (M,) int64, predicted and true -> (K, K) int64 counts, rows = true class, columns = predicted class."""
    return np.bincount(num_classes * true + predicted, minlength=num_classes**2).reshape(num_classes, num_classes)


def accuracy_of(matrix: np.ndarray) -> float | None:
    """Share of the counts of a confusion matrix (K, K) that are right; None = there are none."""
    return float(np.trace(matrix) / matrix.sum()) if matrix.sum() else None


def class_recalls_of(matrix: np.ndarray) -> list[float | None]:
    """Share of each class's counts in a confusion matrix (K, K) that are right; None = the class never occurs."""
    occurs = matrix.sum(axis=1)
    return [float(right / all_) if all_ else None for right, all_ in zip(np.diagonal(matrix), occurs, strict=True)]
