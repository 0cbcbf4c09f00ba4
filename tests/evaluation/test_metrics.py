"""Metrics against slow loops."""

import pytest
import torch

from stvit_video.evaluation.metrics import classification_metrics, mean_class_accuracy


def slow_top(scores: torch.Tensor, labels: torch.Tensor, k: int) -> float:
    hits = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        better = sum(score > row[label] for score in row)
        hits += better < k
    return hits / len(labels)


@pytest.mark.parametrize(("num_videos", "num_classes"), [(41, 3), (97, 11), (5, 7), (1, 2)])
def test_equal_slow_loops(num_videos: int, num_classes: int) -> None:
    generator = torch.Generator().manual_seed(num_videos)
    scores = torch.rand(num_videos, num_classes, generator=generator)
    labels = torch.randint(num_classes, (num_videos,), generator=generator)
    metrics = classification_metrics(scores, labels, num_classes=num_classes)
    assert metrics["top1"] == pytest.approx(slow_top(scores, labels, 1))
    assert metrics["top5"] == pytest.approx(slow_top(scores, labels, min(5, num_classes)))
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for row, label in zip(scores, labels, strict=True):
        matrix[int(label)][int(row.argmax())] += 1
    assert metrics["confusion_matrix"].tolist() == matrix
    recalls = [row[i] / sum(row) for i, row in enumerate(matrix) if sum(row)]
    assert metrics["mean_class_accuracy"] == pytest.approx(sum(recalls) / len(recalls))


def test_a_class_that_never_occurs_does_not_lower_the_mean_class_accuracy() -> None:
    # three videos of class 0 (one taken for class 2, which never occurs), one of class 1
    scores = torch.tensor([[3.0, 0, 0], [3, 0, 0], [0, 0, 3], [0, 3, 0]])
    metrics = classification_metrics(scores, torch.tensor([0, 0, 0, 1]), num_classes=3)
    assert metrics["mean_class_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert metrics["top1"] == pytest.approx(3 / 4)
    assert mean_class_accuracy(torch.tensor([[2, 0, 1], [0, 1, 0], [0, 0, 0]])) == pytest.approx(5 / 6)


def test_rates_are_exact_quotients() -> None:
    labels = torch.zeros(600, dtype=torch.long)
    labels[570:] = 1  # float32 would make it 0.949999988, which is below 0.95
    metrics = classification_metrics(torch.eye(2)[torch.zeros_like(labels)], labels, num_classes=2)
    assert metrics["top1"] == 0.95


def test_top5_is_top_all_below_five_classes() -> None:
    metrics = classification_metrics(torch.tensor([[9.0, 1, 2]]), torch.tensor([1]), num_classes=3)
    assert (metrics["top1"], metrics["top5"]) == (0.0, 1.0)


def test_bad_input() -> None:
    good = torch.rand(2, 3)
    with pytest.raises(ValueError, match="at least 2 classes, got num_classes=1"):
        classification_metrics(torch.rand(2, 1), torch.tensor([0, 0]), num_classes=1)
    with pytest.raises(ValueError, match=r"must be \(videos, 4\) and labels \(videos,\), got \(2, 3\) and \(2,\)"):
        classification_metrics(good, torch.tensor([0, 1]), num_classes=4)
    with pytest.raises(ValueError, match="at least one video, got none"):
        classification_metrics(torch.rand(0, 3), torch.zeros(0, dtype=torch.long), num_classes=3)
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2, got 1\.\.3"):
        classification_metrics(good, torch.tensor([1, 3]), num_classes=3)
    with pytest.raises(ValueError, match="scores hold NaN or infinity"):
        classification_metrics(good.fill_(float("nan")), torch.tensor([1, 2]), num_classes=3)
