"""What is kept of a video, and accuracy or mAP with an interval from it."""

import numpy as np
import pytest
import torch

from stvit_video.budgets.halving import Quality
from stvit_video.budgets.video_values import Judge, value_of


def test_one_label_by_hand():
    values = [
        value_of(torch.tensor(row), (label,), multi_label=False)
        for row, label in (([0.5, 0.25, 0.25], 0), ([0.125, 0.25, 0.625], 1), ([0.0, 1.0, 0.0], 1))
    ]
    assert values == [[1, 0.5], [0, 0.25], [1, 1]]
    judge = Judge(multi_label=False, num_classes=3)
    assert judge.quality(values, [(0,), (1,), (1,)]) == Quality(2 / 3, pytest.approx(1.75 / 3))
    assert judge.metric == "top-1"


def test_several_labels_by_hand():
    scores, labels = [[0.9, 0.2], [0.8, 0.7], [0.1, 0.6]], [(0,), (1,), (0, 1)]
    values = [value_of(torch.tensor(row), own, multi_label=True) for row, own in zip(scores, labels, strict=True)]
    assert values == [pytest.approx(row) for row in scores]
    judge = Judge(multi_label=True, num_classes=2)
    first = (1 / 1 + 2 / 3) / 2  # of class 0 the first and the third video
    second = (1 / 1 + 2 / 2) / 2
    assert judge.quality(values, labels).main == pytest.approx((first + second) / 2)
    assert judge.quality(values, [(), (), ()]) == Quality(0.0)
    assert judge.interval(values, [(), (), ()], seed=0) == (0, 1)
    low, high = judge.interval(values, labels, seed=0)
    assert 0 <= low <= judge.quality(values, labels).main <= high <= 1


def test_the_interval_is_that_of_slow_resamples():
    hits = np.arange(40) % 5 > 0  # 80 %
    values = [[float(hit), 0.5] for hit in hits]
    judge = Judge(multi_label=False, num_classes=3)
    low, high = judge.interval(values, [(0,)] * 40, seed=1)
    generator = np.random.default_rng(7)
    slow = [hits[generator.integers(40, size=40)].mean() for _ in range(4000)]
    assert (low, high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.03)
    assert judge.interval(values, [(0,)] * 40, seed=1) == (low, high)
