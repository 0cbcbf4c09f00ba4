"""mIoU, mAcc and aAcc of a confusion matrix, and the numbers of each class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ClassMapScores", "MapScores", "map_scores", "occurring_iou"]

NUM_NAMED = 5  # classes in a note


@dataclass(frozen=True)
class ClassMapScores:
    """The scores of one class.

    Attributes:
        name: of the class.
        iou: pixels that are truly and by prediction of the class, to those that are either; None = there are none.
        accuracy: share of its true pixels that are predicted as it; None = there are none.
        num_pixels: true ones.
        num_predicted: pixels that are predicted as it.
    """

    name: str
    iou: float | None
    accuracy: float | None
    num_pixels: int
    num_predicted: int


@dataclass(frozen=True, eq=False)
class MapScores:
    """The scores of a set of label maps.

    Attributes:
        values: mIoU (the mean IoU of the classes that occur or are predicted), mAcc (the mean accuracy of the classes
            that occur), aAcc (share of all pixels that are right); None = no pixel counts.
        per_class: in the order of the labels.
        matrix: (K, K) int64, rows = true class, columns = predicted class.
        note: a sentence where the values need one, else "".
    """

    values: dict[str, float | None]
    per_class: tuple[ClassMapScores, ...]
    matrix: np.ndarray
    note: str


def map_scores(matrix: np.ndarray, *, classes: Sequence[str]) -> MapScores:
    """Score a confusion matrix.

    Args:
        matrix: (K, K) int64 pixels, rows = true class, columns = predicted class.
        classes: K names, by label.

    Raises:
        ValueError: the matrix has another size than `classes`.

    Source:
        mmsegmentation's IoUMetric: a class without true and predicted pixels is in no mean, and one that is predicted
        but does not occur counts in mIoU with 0.
    """
    if matrix.shape != (len(classes), len(classes)):
        raise ValueError(f"the matrix is {matrix.shape} but there are {len(classes)} class names; give one a row")
    right, true, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)  # (K,) each
    per_class = tuple(
        ClassMapScores(
            name=name,
            iou=_share(right[label], true[label] + predicted[label] - right[label]),
            accuracy=_share(right[label], true[label]),
            num_pixels=int(true[label]),
            num_predicted=int(predicted[label]),
        )
        for label, name in enumerate(classes)
    )
    values = {
        "mIoU": _mean([found.iou for found in per_class]),
        "mAcc": _mean([found.accuracy for found in per_class]),
        "aAcc": _share(right.sum(), matrix.sum()),
    }
    return MapScores(values, per_class, matrix, _note(per_class))


def occurring_iou(matrix: np.ndarray) -> float | None:
    """The mean IoU of the classes that have true pixels, which ranks single pictures; None = no pixel counts.

    Args:
        matrix: (K, K) int64 pixels of one picture, rows = true class, columns = predicted class.
    """
    right, true, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    occurs = true > 0
    return float((right[occurs] / (true + predicted - right)[occurs]).mean()) if occurs.any() else None


def _share(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _note(per_class: Sequence[ClassMapScores]) -> str:
    absent = [found.name for found in per_class if found.iou is None]
    if not absent:
        return ""
    if len(absent) == len(per_class):
        return "no pixel counts: every true map is of label 255 alone, so there is no score"
    more = f" and {len(absent) - NUM_NAMED} more" if len(absent) > NUM_NAMED else ""
    return (
        f"{len(absent)} of {len(per_class)} classes have no true and no predicted pixel and are in no mean: "
        f"{', '.join(absent[:NUM_NAMED])}{more}"
    )
