"""Resampled metrics against a loop that draws the videos one by one."""

import numpy as np
import pytest
import torch

from stvit_video.evaluation import bootstrap as module
from stvit_video.evaluation.bootstrap import (
    bootstrap,
    hit_rates,
    mean_average_precisions,
    mean_class_accuracies,
    percentile_interval,
)
from stvit_video.evaluation.metrics import mean_average_precision

N, NUM_CLASSES, R = 11, 5, 13


def draws(seed: int) -> list[list[int]]:
    return np.random.default_rng(seed).integers(N, size=(R, N)).tolist()


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.tensor([0, 0, 1, 4, 4, 4, 2, 1, 0, 2, 4])


@pytest.fixture
def hits() -> torch.Tensor:
    return torch.rand(N, 2, generator=torch.Generator().manual_seed(1)) < 0.6


def test_rates_equal_a_loop(hits):
    rates = bootstrap(hit_rates(hits), num_videos=N, num_resamples=R, seed=7)
    slow = [[sum(bool(hits[i, m]) for i in drawn) / N for m in range(2)] for drawn in draws(7)]
    assert rates.tolist() == pytest.approx(np.array(slow))


def test_mean_class_accuracies_equal_a_loop(hits, labels):
    statistic = mean_class_accuracies(hits[:, 0], labels, num_classes=NUM_CLASSES)
    values = bootstrap(statistic, num_videos=N, num_resamples=R, seed=7)
    for value, drawn in zip(values.tolist(), draws(7), strict=True):
        by_class = [[bool(hits[i, 0]) for i in drawn if labels[i] == c] for c in range(NUM_CLASSES)]
        recalls = [sum(own) / len(own) for own in by_class if own]
        assert value == pytest.approx(sum(recalls) / len(recalls))


@pytest.mark.parametrize("levels", [4, 1000])  # 4: many equal scores
def test_mean_average_precisions_equal_those_of_the_drawn_videos(levels):
    generator = torch.Generator().manual_seed(5)
    scores = torch.randint(levels, (N, NUM_CLASSES), generator=generator) / levels
    targets = torch.rand(N, NUM_CLASSES, generator=generator) < 0.4
    targets[:, 3] = False
    statistic = mean_average_precisions(scores, targets)
    values = bootstrap(statistic, num_videos=N, num_resamples=R, seed=2)
    expected = [mean_average_precision(scores[drawn], targets[drawn]) for drawn in draws(2)]
    assert values.tolist() == pytest.approx(expected)
    assert statistic(torch.ones(1, N, dtype=torch.float64)).item() == pytest.approx(
        mean_average_precision(scores, targets)
    )


def test_a_resample_without_any_label_is_nan_and_left_out():
    targets = torch.tensor([[True, False], [False, False], [False, False]])
    values = bootstrap(mean_average_precisions(torch.rand(3, 2), targets), num_videos=3, num_resamples=50)
    assert 0 < int(values.isnan().sum()) < 50
    low, high = percentile_interval(values)
    assert 0 < low <= high <= 1


def test_memory_bound_and_seed(hits, monkeypatch):
    def rates(seed: int) -> torch.Tensor:
        return bootstrap(hit_rates(hits), num_videos=N, num_resamples=R, seed=seed)

    whole = rates(3)
    assert not torch.equal(rates(4), whole)
    monkeypatch.setattr(module, "MAX_COUNTS", 4 * N)  # parts of 4, 4, 4 and 1 resamples
    assert torch.equal(rates(3), whole)
    monkeypatch.setattr(module, "MAX_COUNTS", 1)
    assert torch.equal(rates(3), whole)


def test_the_interval_is_as_wide_as_theory_says():
    hits = torch.arange(400)[:, None] < 300  # 75 % of 400 videos: standard error sqrt(0.75 * 0.25 / 400) = 0.0217
    rates = bootstrap(hit_rates(hits), num_videos=400, num_resamples=4000, seed=0)
    low, high = percentile_interval(rates[:, 0])
    assert low == pytest.approx(0.75 - 1.96 * 0.02165, abs=0.004)
    assert high == pytest.approx(0.75 + 1.96 * 0.02165, abs=0.004)


def test_percentiles_by_hand():
    values = torch.tensor([float("nan"), *range(101)], dtype=torch.float64)
    assert percentile_interval(values, confidence=0.9) == pytest.approx((5.0, 95.0))
    with pytest.raises(ValueError, match="confidence=95 .*between 0 and 1"):
        percentile_interval(values, confidence=95)


def test_bad_counts():
    with pytest.raises(ValueError, match="num_videos=3 and num_resamples=0 .*at least 1"):
        bootstrap(lambda counts: counts, num_videos=3, num_resamples=0)
    with pytest.raises(ValueError, match="seed=-1 .*at least 0"):
        bootstrap(lambda counts: counts, num_videos=3, seed=-1)
