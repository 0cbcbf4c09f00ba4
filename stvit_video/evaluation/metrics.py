"""Classification metrics of scores against labels."""

from typing import TypedDict

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_stat_scores


class ClassificationMetrics(TypedDict):
    """What `classification_metrics` returns; rates are between 0 and 1."""

    top1: float
    top5: float
    mean_class_accuracy: float
    confusion_matrix: Tensor


def classification_metrics(scores: Tensor, labels: Tensor, *, num_classes: int) -> ClassificationMetrics:
    """Top-1, top-5, mean class accuracy and the confusion matrix.

    Args:
        scores: (N, num_classes), higher = likelier; probabilities or logits.
        labels: (N,) int64 class indices.

    Returns:
        top1, top5 (top-`num_classes` if there are fewer than 5 classes), mean_class_accuracy (the mean of the
        recalls of those classes that occur in `labels`) and confusion_matrix, (num_classes, num_classes)
        int64, rows = true class, columns = predicted class.

    Raises:
        ValueError: no videos, fewer than 2 classes, shapes that don't fit, labels out of range, NaN scores.

    Differs: torchmetrics' macro average also counts a class that never occurs but was once predicted (as 0);
        here only classes that occur count.
    """
    _check(scores, labels, num_classes)
    matrix = multiclass_confusion_matrix(scores, labels, num_classes=num_classes)
    return ClassificationMetrics(
        top1=_top(scores, labels, k=1),
        top5=_top(scores, labels, k=min(5, num_classes)),
        mean_class_accuracy=mean_class_accuracy(matrix),
        confusion_matrix=matrix,
    )


def mean_class_accuracy(matrix: Tensor) -> float:
    """Mean recall over the classes that occur, from a (num_classes, num_classes) matrix with true rows."""
    num_videos = matrix.sum(dim=1)  # (num_classes,)
    occurs = num_videos > 0
    recall = matrix.diagonal()[occurs].double() / num_videos[occurs].double()
    return recall.mean().item()


def _top(scores: Tensor, labels: Tensor, *, k: int) -> float:
    """Share of videos whose label is among the `k` best; from counts, so that 570 of 600 is exactly 0.95."""
    counts = multiclass_stat_scores(scores, labels, num_classes=scores.shape[1], top_k=k, average="micro")
    return int(counts[0]) / len(labels)  # counts: true positives, false positives, ...


def _check(scores: Tensor, labels: Tensor, num_classes: int) -> None:
    if num_classes < 2:
        raise ValueError(f"metrics need at least 2 classes, got num_classes={num_classes}")
    if scores.dim() != 2 or scores.shape[1] != num_classes or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"scores must be (videos, {num_classes}) and labels (videos,), "
            f"got {tuple(scores.shape)} and {tuple(labels.shape)}"
        )
    if len(labels) == 0:
        raise ValueError("metrics need at least one video, got none")
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise ValueError(f"labels must be in 0..{num_classes - 1}, got {int(labels.min())}..{int(labels.max())}")
    if not torch.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity, so they can't be ranked")
