"""What is kept of a setting and a video, and what it says about the setting: accuracy or mAP, with its interval.

For one label a video that is whether the likeliest label is right, and the probability of the right one; for several
labels the probabilities of all. Both are lists of numbers, as a journal keeps them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stvit_video.budgets.halving import Quality
from stvit_video.evaluation.bootstrap import bootstrap, hit_rates, mean_average_precisions, percentile_interval
from stvit_video.evaluation.metrics import mean_average_precision, top_hits

Value = list[float]
Labels = tuple[int, ...]
DIGITS = 6  # of a probability


def value_of(probabilities: Tensor, labels: Labels, *, multi_label: bool) -> Value:
    """What is kept of the probabilities (num_classes,) of a video."""
    if multi_label:
        return [round(value, DIGITS) for value in probabilities.tolist()]
    (label,) = labels
    hit = top_hits(probabilities[None], torch.tensor([label]), k=1)
    return [float(hit), round(float(probabilities[label]), DIGITS)]


@dataclass(frozen=True)
class Judge:
    """Judges settings by the values of videos.

    Attributes:
        multi_label: True = mAP, False = accuracy.
        num_classes: of the checkpoint.
    """

    multi_label: bool
    num_classes: int

    @property
    def metric(self) -> str:
        """What the quality is."""
        return "mAP" if self.multi_label else "top-1"

    def quality(self, values: Sequence[Value], labels: Sequence[Labels]) -> Quality:
        """How good a setting is; 0 where no video has a label, so that nothing can be told.

        Args:
            values: of videos, one at least.
            labels: of the same videos.
        """
        table = torch.tensor(values, dtype=torch.float64)  # (N, 2) or (N, num_classes)
        if not self.multi_label:
            return Quality(int(table[:, 0].sum()) / len(table), float(table[:, 1].mean()))
        targets = self._targets(labels)
        if not targets.any():
            return Quality(0.0)
        return Quality(mean_average_precision(table, targets), float(table[targets].mean()))

    def interval(self, values: Sequence[Value], labels: Sequence[Labels], *, seed: int) -> tuple[float, float]:
        """The 95 % interval of the quality, by resamples of the videos."""
        table = torch.tensor(values, dtype=torch.float64)
        if self.multi_label and not self._targets(labels).any():
            return 0.0, 1.0
        statistic = (
            mean_average_precisions(table, self._targets(labels)) if self.multi_label else hit_rates(table[:, :1] > 0)
        )
        return percentile_interval(bootstrap(statistic, num_videos=len(table), seed=seed).reshape(-1))

    def _targets(self, labels: Sequence[Labels]) -> Tensor:
        """(N, num_classes) bool, True = the video has the label."""
        targets = torch.zeros(len(labels), self.num_classes, dtype=torch.bool)
        for row, own in enumerate(labels):
            targets[row, list(own)] = True
        return targets
