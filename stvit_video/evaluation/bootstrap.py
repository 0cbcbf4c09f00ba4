"""How sure a metric is: intervals from resamples of the videos.

A resample draws as many videos as there are, with replacement; what matters of it is how often each video was
drawn. So a statistic here takes counts (R, N), one row a resample, and gives one value a row; with all counts 1 that
value is the metric itself. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13
(the percentile interval).
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from stvit_video.evaluation.metrics import last_of_equals

MAX_COUNTS = 2_000_000  # counts held at a time; bounds memory, of no influence on the values

Statistic = Callable[[Tensor], Tensor]


def bootstrap(statistic: Statistic, *, num_videos: int, num_resamples: int = 1000, seed: int = 0) -> Tensor:
    """The statistic of `num_resamples` resamples; equal seeds draw equal resamples, whatever the statistic.

    Args:
        statistic: counts (R, N) float64 -> values (R,) or (R, M).
        num_videos: N.
        seed: 0 or more.

    Returns:
        (num_resamples,) or (num_resamples, M) float64.

    Raises:
        ValueError: a count is below 1, or the seed below 0.
    """
    if num_videos < 1 or num_resamples < 1 or seed < 0:
        raise ValueError(
            f"num_videos={num_videos} and num_resamples={num_resamples} must be at least 1, seed={seed} at least 0"
        )
    counts = _draw_counts(num_videos, num_resamples=num_resamples, seed=seed)
    return torch.cat([statistic(part) for part in counts])


def percentile_interval(values: Tensor, *, confidence: float = 0.95) -> tuple[float, float]:
    """The middle `confidence` of the values, those that are NaN left out.

    Args:
        values: (R,) from `bootstrap`.
        confidence: between 0 and 1.

    Raises:
        ValueError: `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must be between 0 and 1, such as 0.95")
    tail = (1 - confidence) / 2
    low, high = values.nanquantile(torch.tensor([tail, 1 - tail], dtype=values.dtype)).tolist()
    return low, high


def hit_rates(hits: Tensor) -> Statistic:
    """Statistic: the share of hits. `hits` is (N, M) bool, the values are (R, M)."""
    return lambda counts: counts @ hits.double() / counts.sum(dim=1, keepdim=True)


def mean_class_accuracies(hits: Tensor, labels: Tensor, *, num_classes: int) -> Statistic:
    """Statistic: the mean, over the classes that the resample holds, of the share of hits in a class.

    Args:
        hits: (N,) bool.
        labels: (N,) int64.

    Returns:
        A statistic with values (R,).
    """

    def statistic(counts: Tensor) -> Tensor:
        drawn = torch.zeros(len(counts), num_classes, dtype=counts.dtype)
        right = torch.zeros_like(drawn)
        drawn.index_add_(1, labels, counts)  # (R, num_classes)
        right.index_add_(1, labels, counts * hits)
        return (right / drawn).nanmean(dim=1)  # a class that was not drawn is 0 / 0

    return statistic


def mean_average_precisions(scores: Tensor, targets: Tensor) -> Statistic:
    """Statistic: mean average precision over the classes that the resample holds; NaN if it holds none.

    Args:
        scores: (N, num_classes).
        targets: (N, num_classes) bool.

    Returns:
        A statistic with values (R,).
    """
    order = scores.argsort(dim=0, descending=True)  # (N, num_classes)
    ends = last_of_equals(scores.gather(0, order))  # (N, num_classes)

    def of_class(counts: Tensor, label: int) -> Tensor:
        sorted_counts = counts[:, order[:, label]]  # (R, N)
        own = sorted_counts * targets[order[:, label], label]
        last = ends[:, label]
        precisions = own.cumsum(dim=1)[:, last] / sorted_counts.cumsum(dim=1)[:, last].clamp(min=1)
        return (own * precisions).sum(dim=1) / own.sum(dim=1)  # (R,)

    classes = targets.any(dim=0).nonzero()[:, 0].tolist()
    return lambda counts: torch.stack([of_class(counts, label) for label in classes], dim=1).nanmean(dim=1)


def _draw_counts(num_videos: int, *, num_resamples: int, seed: int) -> Iterator[Tensor]:
    """Counts (R, N) float64 for part after part of the resamples; each row sums to N."""
    generator = np.random.default_rng(seed)
    step = max(1, MAX_COUNTS // num_videos)
    for start in range(0, num_resamples, step):
        size = min(step, num_resamples - start)
        drawn = generator.integers(num_videos, size=(size, num_videos))
        flat = drawn + num_videos * np.arange(size)[:, None]
        counts = np.bincount(flat.ravel(), minlength=size * num_videos)
        yield torch.from_numpy(counts.reshape(size, num_videos).astype(np.float64))
