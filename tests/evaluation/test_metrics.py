"""Metrics against slow loops."""

import pytest
import torch
from torchmetrics.functional.classification import multiclass_accuracy, multilabel_average_precision

from stvit_video.evaluation.metrics import (
    average_precisions,
    class_recalls,
    classification_metrics,
    last_of_equals,
    mean_average_precision,
    mean_class_accuracy,
    multi_label_metrics,
    rates_of,
    top_hits,
)


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
    with pytest.raises(ValueError, match="at least 2 .*num_classes=1"):
        classification_metrics(torch.rand(2, 1), torch.tensor([0, 0]), num_classes=1)
    # the whole sentence, once for its family
    message = r"^scores must be \(videos, 4\) and labels \(videos,\), got \(2, 3\) and \(2,\)$"
    with pytest.raises(ValueError, match=message):
        classification_metrics(good, torch.tensor([0, 1]), num_classes=4)
    with pytest.raises(ValueError, match="at least one video"):
        classification_metrics(torch.rand(0, 3), torch.zeros(0, dtype=torch.long), num_classes=3)
    with pytest.raises(ValueError, match=r"labels .*0\.\.2, got 1\.\.3"):
        classification_metrics(good, torch.tensor([1, 3]), num_classes=3)
    with pytest.raises(ValueError, match="NaN or infinity"):
        classification_metrics(good.fill_(float("nan")), torch.tensor([1, 2]), num_classes=3)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_top_hits_equal_torchmetrics_and_a_slow_loop(k: int) -> None:
    generator = torch.Generator().manual_seed(k)
    scores = torch.rand(23, 7, generator=generator)
    labels = torch.randint(7, (23,), generator=generator)
    hits = top_hits(scores, labels, k=k)
    assert hits.double().mean().item() == pytest.approx(slow_top(scores, labels, k))
    expected = multiclass_accuracy(scores, labels, num_classes=7, top_k=k, average="micro")
    assert hits.float().mean().item() == pytest.approx(expected.item())


def test_a_model_that_gives_every_class_the_same_score_hits_only_the_first_classes() -> None:
    labels = torch.arange(5)
    scores = torch.zeros(5, 5)
    assert top_hits(scores, labels, k=1).tolist() == [True, False, False, False, False]
    assert top_hits(scores, labels, k=3).tolist() == [True, True, True, False, False]
    assert torch.equal(top_hits(scores, labels, k=1), scores.argmax(dim=1) == labels)


def test_class_recalls_by_hand() -> None:
    recalls = class_recalls(torch.tensor([[2, 0, 1], [0, 0, 0], [0, 3, 1]]))
    assert recalls[[0, 2]].tolist() == pytest.approx([2 / 3, 1 / 4])
    assert recalls[1].isnan()


def slow_average_precision(scores: list[float], targets: list[bool]) -> float:
    """For each video of the class the share of the class among the videos with at least its score."""
    precisions = []
    for score, target in zip(scores, targets, strict=True):
        if target:
            above = [other for value, other in zip(scores, targets, strict=True) if value >= score]
            precisions.append(sum(above) / len(above))
    return sum(precisions) / len(precisions)


@pytest.mark.filterwarnings("ignore:No positive samples found:UserWarning")  # torchmetrics on the empty class
@pytest.mark.parametrize("levels", [3, 1000])  # 3: many equal scores
def test_average_precisions_equal_torchmetrics_and_a_slow_loop(levels: int) -> None:
    generator = torch.Generator().manual_seed(levels)
    scores = torch.randint(levels, (19, 5), generator=generator) / levels
    targets = torch.rand(19, 5, generator=generator) < 0.3
    targets[0, :4] = True
    targets[:, 4] = False
    each = average_precisions(scores, targets)
    expected = multilabel_average_precision(scores, targets.long(), num_labels=5, average="none", thresholds=None)
    for c in range(4):
        assert each[c].item() == pytest.approx(slow_average_precision(scores[:, c].tolist(), targets[:, c].tolist()))
        assert each[c].item() == pytest.approx(expected[c].item(), abs=1e-6)
    assert each[4].isnan()
    assert mean_average_precision(scores, targets) == pytest.approx(each[:4].mean().item())


def test_average_precision_by_hand() -> None:
    # the class is first, third and fourth of four: (1/1 + 2/3 + 3/4) / 3
    scores, targets = torch.tensor([[4.0], [3.0], [2.0], [1.0]]), torch.tensor([[True], [False], [True], [True]])
    assert average_precisions(scores, targets).item() == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    # a model that gives every video the same score has the share of the class, in whatever order the videos come
    assert average_precisions(torch.zeros(4, 1), targets).item() == pytest.approx(3 / 4)


def test_last_of_equals_by_hand() -> None:
    values = torch.tensor([[9.0, 5.0], [7.0, 5.0], [7.0, 5.0], [4.0, 1.0]])
    assert last_of_equals(values).tolist() == [[0, 2], [2, 2], [2, 2], [3, 3]]


def test_bad_targets() -> None:
    scores = torch.rand(3, 5)
    with pytest.raises(ValueError, match=r"targets .*\(3, 5\) and \(3, 2\) torch.bool"):
        average_precisions(scores, torch.ones(3, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"targets bool.*\(3, 5\) and \(3, 5\) torch.int64"):
        average_precisions(scores, torch.ones(3, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="at least one video"):
        average_precisions(torch.zeros(0, 5), torch.zeros(0, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match="NaN or infinity"):
        average_precisions(scores / 0, torch.ones(3, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match="none of 3 videos has a label"):
        mean_average_precision(scores, torch.zeros(3, 5, dtype=torch.bool))


@pytest.mark.filterwarnings("ignore:No positive samples found:UserWarning")
def test_mean_average_precision_equals_torchmetrics_but_for_classes_without_videos() -> None:
    generator = torch.Generator().manual_seed(2)
    scores = torch.rand(23, 7, generator=generator)
    targets = torch.rand(23, 7, generator=generator) < 0.4
    metrics = multi_label_metrics(scores, targets)
    expected = multilabel_average_precision(scores, targets.long(), num_labels=7, thresholds=None).item()
    assert metrics["mean_average_precision"] == pytest.approx(expected, abs=1e-6)
    columns = range(7)
    slow = [slow_average_precision(scores[:, c].tolist(), targets[:, c].tolist()) for c in columns]
    assert metrics["average_precisions"].tolist() == pytest.approx(slow)
    targets[:, 3] = False
    left = [value for c, value in enumerate(slow) if c != 3]
    assert mean_average_precision(scores, targets) == pytest.approx(sum(left) / 6)
    theirs = multilabel_average_precision(scores, targets.long(), num_labels=7, thresholds=None).item()
    assert theirs == pytest.approx(sum(left) / 7, abs=1e-6)


def test_rates_are_the_numbers_among_the_metrics() -> None:
    scores, labels = torch.eye(3)[[0, 1, 1]], torch.tensor([0, 1, 2])
    rates = rates_of(classification_metrics(scores, labels, num_classes=3))
    assert rates == {"top1": pytest.approx(2 / 3), "top5": 1.0, "mean_class_accuracy": pytest.approx(2 / 3)}
    several = rates_of(multi_label_metrics(scores, torch.eye(3)[labels] > 0))
    assert several == {"mean_average_precision": pytest.approx((1 + 1 / 2 + 1 / 3) / 3)}
