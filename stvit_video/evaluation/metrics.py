"""Classification metrics of scores against labels: one label a video, or several."""

from typing import TypedDict, final

import torch
from torch import Tensor


@final
class ClassificationMetrics(TypedDict):
    """What `classification_metrics` returns; rates are between 0 and 1."""

    top1: float
    top5: float
    mean_class_accuracy: float
    confusion_matrix: Tensor


@final
class MultiLabelMetrics(TypedDict):
    """What `multi_label_metrics` returns; rates are between 0 and 1."""

    mean_average_precision: float
    average_precisions: Tensor


Metrics = ClassificationMetrics | MultiLabelMetrics


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
    pairs = labels * num_classes + scores.argmax(dim=1)  # (N,)
    matrix = pairs.bincount(minlength=num_classes**2).reshape(num_classes, num_classes)
    return ClassificationMetrics(
        top1=_share(top_hits(scores, labels, k=1)),
        top5=_share(top_hits(scores, labels, k=min(5, num_classes))),
        mean_class_accuracy=mean_class_accuracy(matrix),
        confusion_matrix=matrix,
    )


def multi_label_metrics(scores: Tensor, targets: Tensor) -> MultiLabelMetrics:
    """Average precision of each class, and its mean over the classes that have videos.

    Args:
        scores: (N, num_classes), higher = likelier; probabilities or logits.
        targets: (N, num_classes) bool, True = the video has the label.

    Raises:
        ValueError: as `mean_average_precision`.
    """
    return MultiLabelMetrics(
        mean_average_precision=mean_average_precision(scores, targets),
        average_precisions=average_precisions(scores, targets),
    )


def rates_of(metrics: Metrics) -> dict[str, float]:
    """Those of the metrics that are one number, by name."""
    return {name: value for name, value in metrics.items() if isinstance(value, float)}


def mean_class_accuracy(matrix: Tensor) -> float:
    """Mean recall over the classes that occur, from a (num_classes, num_classes) matrix with true rows."""
    num_videos = matrix.sum(dim=1)  # (num_classes,)
    occurs = num_videos > 0
    recall = matrix.diagonal()[occurs].double() / num_videos[occurs].double()
    return recall.mean().item()


def class_recalls(matrix: Tensor) -> Tensor:
    """Recall of each class, (num_classes,) float64 with NaN for classes that never occur, from a matrix as above."""
    return matrix.diagonal().double() / matrix.sum(dim=1).double()


def top_hits(scores: Tensor, labels: Tensor, *, k: int) -> Tensor:
    """Whether each video's label is among its `k` best classes; of equal scores the first class is the better.

    Args:
        scores: (N, num_classes), higher = likelier.
        labels: (N,) int64 class indices.
        k: 1 or more.

    Returns:
        (N,) bool, True = hit. With k = 1 this is `scores.argmax(dim=1) == labels`; a model that gives every class
        the same score hits only the first k classes.
    """
    own = scores.gather(1, labels[:, None])  # (N, 1)
    earlier = torch.arange(scores.shape[1], device=scores.device)[None] < labels[:, None]  # (N, num_classes)
    before = (scores > own) | ((scores == own) & earlier)
    return before.sum(dim=1) < k


def average_precisions(scores: Tensor, targets: Tensor) -> Tensor:
    """Average precision of each class over the videos: the mean, over the class's videos, of the precision there.

    Precision at a video is the share of the class's videos among those with at least its score, so videos of equal
    score count alike and their order is of no matter.

    Args:
        scores: (N, num_classes), higher = likelier.
        targets: (N, num_classes) bool, True = the video has the label.

    Returns:
        (num_classes,) float64, NaN for a class without videos.

    Raises:
        ValueError: no videos, shapes that don't fit, or NaN scores.
    """
    _check_targets(scores, targets)
    order = scores.argsort(dim=0, descending=True)  # (N, num_classes)
    hits = targets.gather(0, order).long()
    ends = last_of_equals(scores.gather(0, order))  # (N, num_classes)
    precisions = hits.cumsum(dim=0).gather(0, ends).double() / (ends + 1)
    return (hits * precisions).sum(dim=0) / hits.sum(dim=0)


def mean_average_precision(scores: Tensor, targets: Tensor) -> float:
    """Mean of `average_precisions` over the classes that have videos; the others are left out of the mean.

    Differs: torchmetrics' MultilabelAveragePrecision counts a class without videos as 0.

    Raises:
        ValueError: as `average_precisions`, or no video has any label.
    """
    each = average_precisions(scores, targets)
    if bool(each.isnan().all()):
        raise ValueError(f"none of {len(targets)} videos has a label, so there is no average precision")
    return each.nanmean().item()


def last_of_equals(values: Tensor) -> Tensor:
    """For each entry of sorted columns the row of the last entry that equals it: [9, 7, 7, 4] -> [0, 2, 2, 3].

    Args:
        values: (N, M), each column sorted.

    Returns:
        (N, M) int64.
    """
    rows = torch.arange(len(values), device=values.device)[:, None].expand_as(values)
    followed = torch.zeros_like(values, dtype=torch.bool)  # True = the next row holds the same value
    followed[:-1] = values[:-1] == values[1:]
    ends = rows.masked_fill(followed, len(values))
    return ends.flip(0).cummin(dim=0).values.flip(0)


def _share(hits: Tensor) -> float:
    """Share of True; from counts, so that 570 of 600 is exactly 0.95."""
    return int(hits.sum()) / len(hits)


def _check_targets(scores: Tensor, targets: Tensor) -> None:
    if scores.dim() != 2 or scores.shape != targets.shape or targets.dtype != torch.bool:
        raise ValueError(
            f"scores and targets must both be (videos, classes) and targets bool, "
            f"got {tuple(scores.shape)} and {tuple(targets.shape)} {targets.dtype}"
        )
    if len(scores) == 0:
        raise ValueError("metrics need at least one video, got none")
    if not torch.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity, so they can't be ranked")


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
