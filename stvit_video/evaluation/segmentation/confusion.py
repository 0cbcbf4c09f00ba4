"""The confusion matrix of label maps: how many pixels of each true class were taken for each class."""

from typing import Any

import numpy as np

from stvit_video.utils.plain_arrays import as_array

__all__ = ["IGNORED", "add_to_confusion", "empty_confusion"]

IGNORED = 255  # label of pixels that do not count


def empty_confusion(num_classes: int) -> np.ndarray:
    """A matrix (K, K) int64 of zeros; rows are true classes, columns predicted ones.

    Args:
        num_classes: K.

    Raises:
        ValueError: it is below 1, or above 255, as label 255 means "not counted".
    """
    if not 1 <= num_classes <= IGNORED:
        raise ValueError(
            f"num_classes must be from 1 to {IGNORED}, got {num_classes}; merge classes where there are more"
        )
    return np.zeros((num_classes, num_classes), dtype=np.int64)


def add_to_confusion(matrix: np.ndarray, labels: Any, truth: Any) -> None:
    """Count the pixels of one picture into a matrix, in place.

    Args:
        matrix: (K, K) int64, rows = true class, columns = predicted class.
        labels: predicted, (H, W) whole numbers from 0 to K - 1; an array, or a tensor on any device.
        truth: (H, W) whole numbers from 0 to K - 1, or 255 = the pixel does not count.

    Raises:
        ValueError: the two have other sizes, or a label out of this range.
    """
    found, true = as_array(labels), as_array(truth)
    if found.shape != true.shape:
        raise ValueError(f"the predicted map is {found.shape} and the true one {true.shape}; give maps of one size")
    num_classes = len(matrix)
    counted = true != IGNORED
    rows, columns = true[counted].astype(np.int64), found[counted].astype(np.int64)
    for values, what in ((rows, "true"), (columns, "predicted")):
        if len(values) and not 0 <= values.min() <= values.max() < num_classes:
            wrong = values.min() if values.min() < 0 else values.max()
            raise ValueError(
                f"the {what} map has label {wrong}; labels are 0 to {num_classes - 1}, one for each of {num_classes} "
                f"classes, and in the truth {IGNORED} for pixels that do not count"
            )
    matrix += np.bincount(num_classes * rows + columns, minlength=num_classes**2).reshape(matrix.shape)
