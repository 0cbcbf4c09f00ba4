"""Losses against loops and against torch's own; mAP over batches and processes against one pass over all videos."""

import math

import pytest
import torch
from torch.nn import functional as F

from stvit_video.data.transforms.mixup import Mix
from stvit_video.evaluation.metrics import mean_average_precision
from stvit_video.training.objective import MeanAveragePrecision, MultiLabel, SingleLabel


def random_case(num_clips=7, num_classes=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(num_clips, num_classes, generator=generator)
    labels = (torch.rand(num_clips, num_classes, generator=generator) < 0.4).float()
    return logits, labels


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_several_labels_have_a_binary_cross_entropy_each(smoothing):
    logits, labels = random_case()
    loss = MultiLabel(5, label_smoothing=smoothing).loss(logits, labels, None)
    if not smoothing:
        torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(logits, labels))
    total = 0.0
    for row, wanted in zip(logits.tolist(), labels.tolist(), strict=True):
        for logit, label in zip(row, wanted, strict=True):
            target = 1 - smoothing / 2 if label else smoothing / 2
            yes = 1 / (1 + math.exp(-logit))
            total -= target * math.log(yes) + (1 - target) * math.log(1 - yes)
    assert loss.item() == pytest.approx(total / 35, rel=1e-5)


def test_mixed_clips_have_mixed_targets():
    logits, labels = random_case()
    loss = MultiLabel(5, label_smoothing=0.1).loss(logits, labels, Mix(0.3))
    targets = (0.3 * labels + 0.7 * labels.flip(0)) * 0.9 + 0.05
    torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(logits, targets))
    single = torch.tensor([0, 1, 2, 3, 4, 0, 1])
    mixed = SingleLabel(5, label_smoothing=0.1).loss(logits, single, Mix(0.3))
    expected = 0.3 * F.cross_entropy(logits, single, label_smoothing=0.1)
    expected = expected + 0.7 * F.cross_entropy(logits, single.flip(0), label_smoothing=0.1)
    torch.testing.assert_close(mixed, expected)


def test_training_metrics_of_one_label_and_none_of_several():
    logits, labels = random_case()
    single, objective = logits.argmax(1), SingleLabel(5, label_smoothing=0.0)
    assert {name: float(value) for name, (_, value) in objective.count(logits, single, None).items()} == {"top1": 1.0}
    mixed = objective.count(logits, single.flip(0), Mix(0.3))
    assert {name: float(value) for name, (_, value) in mixed.items()} == {"top1_mixed": 1.0}
    assert MultiLabel(5, label_smoothing=0.0).count(logits, labels, None) == {}


def test_validation_takes_the_mean_probability_of_the_views():
    generator = torch.Generator().manual_seed(1)
    views = 3 * torch.randn(7, 3, 5, generator=generator)  # (B, V, num_classes)
    _, labels = random_case(seed=2)
    objective = MultiLabel(5, label_smoothing=0.3)  # which is for training alone
    losses = [objective.validate(views[part], labels[part]) for part in (slice(0, 2), slice(2, 7))]
    scores = views.sigmoid().mean(1)
    expected = [F.binary_cross_entropy(scores[part], labels[part]) for part in (slice(0, 2), slice(2, 7))]
    torch.testing.assert_close(losses, expected)
    found = objective.val_metrics["mAP"].compute()
    assert float(found) == pytest.approx(mean_average_precision(scores, labels > 0))
    one = SingleLabel(5, label_smoothing=0.3)
    single = torch.tensor([0, 1, 2, 3, 4, 0, 1])
    loss = one.validate(views, single)
    probabilities = views.softmax(-1).mean(1)
    torch.testing.assert_close(loss, F.nll_loss(probabilities.log(), single))
    assert float(one.val_metrics["top1"].compute()) == pytest.approx(
        (probabilities.argmax(1) == single).float().mean().item()
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_large_logits_have_finite_losses(dtype):
    logits = (1e3 * torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))).to(dtype).float()
    labels = (torch.arange(15).reshape(5, 3) % 2).float()
    objective = MultiLabel(3, label_smoothing=0.1)
    assert objective.validate(logits, labels).isfinite()
    assert objective.loss(logits[:, 0], labels, None).isfinite()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert objective.validate(logits, labels).dtype == torch.float32


def test_each_objective_names_its_monitor_first():
    for objective in (SingleLabel(5, label_smoothing=0.0), MultiLabel(5, label_smoothing=0.0)):
        assert objective.monitor == f"val/{next(iter(objective.val_metrics))}"
        assert not objective.state_dict()  # nothing of it is in a checkpoint


def test_mean_average_precision_begins_anew_and_joins_processes():
    logits, labels = random_case(num_clips=11)
    metric = MeanAveragePrecision()
    metric.update(logits, labels > 0)
    metric.reset()
    parts = (slice(0, 3), slice(3, 11))
    for part in parts:
        metric.update(logits[part], labels[part] > 0)
    whole = mean_average_precision(logits, labels > 0)
    assert float(metric.compute()) == pytest.approx(whole)
    gathered = iter([[logits[parts[0]], logits[parts[1]]], [labels[parts[0]] > 0, labels[parts[1]] > 0]])
    shared = MeanAveragePrecision()
    shared.update(logits[parts[0]], labels[parts[0]] > 0)
    shared.dist_sync_fn, shared.distributed_available_fn = lambda *_, **__: next(gathered), lambda: True
    assert float(shared.compute()) == pytest.approx(whole)


def test_no_label_at_all_is_nan_and_scores_must_be_finite():
    metric = MeanAveragePrecision()
    metric.update(torch.rand(2, 3), torch.zeros(2, 3, dtype=torch.bool))
    assert metric.compute().isnan()
    metric.reset()
    metric.update(torch.full((2, 3), float("nan")), torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="NaN or infinity"):
        metric.compute()


@pytest.mark.parametrize("mix", [None, Mix(0.3)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_of_classes_against_a_loop(mix, smoothing):
    logits, _ = random_case()
    labels, weights = torch.tensor([0, 1, 2, 3, 4, 0, 1]), (0.5, 1.0, 2.0, 3.0, 0.25)
    objective = SingleLabel(5, label_smoothing=smoothing, class_weights=weights)
    total = 0.0
    for row in range(7):
        shares = [0.0] * 5
        shares[labels[row]] += 1.0 if mix is None else 0.3
        shares[labels[6 - row]] += 0.0 if mix is None else 0.7
        log_sum = math.log(sum(math.exp(value) for value in logits[row].tolist()))
        for column, share in enumerate(shares):
            wanted = share * (1 - smoothing) + smoothing / 5
            total -= weights[column] * wanted * (logits[row, column].item() - log_sum) / 7
    assert objective.loss(logits, labels, mix).item() == pytest.approx(total, rel=1e-5)
    assert not objective.state_dict()


def test_a_weighted_batch_in_two_parts_has_the_same_mean_loss():
    logits, _ = random_case(num_clips=6)
    labels = torch.tensor([0, 0, 0, 1, 2, 4])
    objective = SingleLabel(5, label_smoothing=0.1, class_weights=(0.5, 1.0, 2.0, 3.0, 0.25))
    parts = [objective.loss(logits[part], labels[part], None) for part in (slice(0, 3), slice(3, 6))]
    torch.testing.assert_close(sum(parts) / 2, objective.loss(logits, labels, None))


def test_weights_of_labels_are_for_those_that_a_clip_has():
    logits, labels = random_case()
    weights = (0.5, 1.0, 2.0, 3.0, 0.25)
    loss = MultiLabel(5, label_smoothing=0.0, class_weights=weights).loss(logits, labels, None)
    each = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    expected = (each * torch.where(labels > 0, torch.tensor(weights), 1.0)).mean()
    torch.testing.assert_close(loss, expected)
