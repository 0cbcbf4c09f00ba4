"""Accuracies from an eval ledger, without model, videos or GPU: any protocol that is a subset of the stored views."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stvit_video.evaluation.bootstrap import (
    bootstrap,
    hit_rates,
    mean_average_precisions,
    mean_class_accuracies,
    percentile_interval,
)
from stvit_video.evaluation.ledger.eval_ledger import Ledger, LedgerError, select_views
from stvit_video.evaluation.metrics import (
    average_precisions,
    class_recalls,
    classification_metrics,
    mean_average_precision,
    top_hits,
)
from stvit_video.evaluation.multiview import MultiViewResult, aggregate_views
from stvit_video.evaluation.tables import Row, describe_equal_views, line_of, metric_word
from stvit_video.evaluation.view_average import describe_protocol


@dataclass(frozen=True)
class ClassResult:
    """One class: how many of the used videos have it, and their accuracy (several labels: average precision).

    `value` is None where no used video has the class.
    """

    name: str
    num_videos: int
    value: float | None


@dataclass(frozen=True, eq=False)
class LedgerEvaluation:
    """What one protocol gives.

    Attributes:
        metrics: "top1", "top5", ... and "mean_class_accuracy"; with several labels a video
            "mean_average_precision". Between 0 and 1.
        intervals: by the same names the bounds of the bootstrap interval; empty if none was asked for.
        per_class: in the order of the classes.
        scores: (N, num_classes) of the used videos, in the order of `result`.
        result: the chosen views; counts used and listed videos and equal views, has the reasons of the missing.
        missing: video id and reason of each listed video without logits.
        protocol: the chosen views and how they were averaged, in words.
    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    per_class: tuple[ClassResult, ...]
    scores: Tensor
    result: MultiViewResult
    missing: tuple[tuple[str, str], ...]
    protocol: str

    @property
    def line(self) -> str:
        """The accuracies, the videos used and listed, and the protocol, as `python -m stvit_video.evaluate` does."""
        words = self.protocol + describe_equal_views(self.result)
        return line_of(self.metrics, result=self.result, protocol=words)

    @property
    def interval_line(self) -> str:
        """The intervals in one line; "" if there are none."""
        return "  ".join(f"{metric_word(name)} {low:.3f}-{high:.3f}" for name, (low, high) in self.intervals.items())

    def class_rows(self, *, value_name: str) -> list[Row]:
        """A row a class with class, num_videos and the value, empty where no video has the class."""
        return [
            {
                "class": one.name,
                "num_videos": str(one.num_videos),
                value_name: "" if one.value is None else f"{one.value:.6f}",
            }
            for one in self.per_class
        ]


def evaluate_ledger(
    ledger: Ledger,
    *,
    clips: Sequence[int] | None = None,
    crops: Sequence[int] | None = None,
    average: str | None = None,
    top_k: Sequence[int] = (1, 5),
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> LedgerEvaluation:
    """Compute what an evaluation by some of the stored views gives.

    With all views and the stored average the metrics are those of the evaluation that wrote the ledger, exactly.

    Args:
        clips: which clips, counted from 0; None = all.
        crops: which crops of each of these clips, counted from 0; None = all.
        average: "prob" = softmax (several labels: sigmoid) of each view, then mean; "logit" = mean of the logits;
            None = as the ledger's protocol.
        top_k: accuracies among so many best classes; a k above the number of classes means all.
        num_resamples: of the videos, for the intervals; 0 = no intervals.
        confidence: of the intervals, between 0 and 1.
        seed: of the resamples, 0 or more.

    Raises:
        LedgerError: views that are not stored, or not one video has logits.
        ValueError: another setting is not possible.
    """
    info = ledger.info
    chosen = info.protocol["average"] if average is None else average
    result = select_views(ledger, clips=clips, crops=crops)
    if result.num_used == 0:
        reasons = "; ".join(reason for _, reason in ledger.missing[:3])
        raise LedgerError(f"not one of {result.num_listed} videos has logits: {reasons}")
    if num_resamples < 0 or not top_k or min(top_k) < 1:
        raise ValueError(f"num_resamples={num_resamples} must be at least 0, top_k={list(top_k)} one or more from 1 on")
    result = replace(result, num_distinct_views=count_distinct_views(result))
    scores = aggregate_views(result.view_logits, average=chosen, multi_label=info.multi_label)  # (N, num_classes)
    if info.multi_label:
        metrics, values, drawn = _several(scores, result.labels, num_resamples, seed)
    else:
        metrics, values, drawn = _single(scores, result.labels, top_k, num_resamples, seed)
    labels = result.labels if info.multi_label else torch.eye(len(info.classes), dtype=torch.bool)[result.labels]
    num_videos = labels.sum(dim=0).tolist()
    return LedgerEvaluation(
        metrics=metrics,
        intervals={name: percentile_interval(column, confidence=confidence) for name, column in drawn.items()},
        per_class=tuple(
            ClassResult(name, count, value if count else None)
            for name, count, value in zip(info.classes, num_videos, values.tolist(), strict=True)
        ),
        scores=scores,
        result=result,
        missing=ledger.missing,
        protocol=_words(ledger, clips, crops, chosen),
    )


def count_distinct_views(result: MultiViewResult) -> dict[int, int]:
    """How many views of a video differ from one another, by manifest position, where some are equal.

    Views are equal that begin at the same time and have the same logits to the last bit: in a video shorter than a
    clip all clips are one and the same, and averaging them changes nothing.
    """
    logits, starts = result.view_logits, result.clip_starts_seconds
    num_videos, num_views = starts.shape
    is_new = torch.ones(num_videos, num_views, dtype=torch.bool)
    for view in range(num_views):
        for earlier in range(view):
            alike = (starts[:, view] == starts[:, earlier]).nonzero()[:, 0]
            same = (logits[alike, view] == logits[alike, earlier]).all(dim=1)
            is_new[alike[same], view] = False
    counts = zip(result.indices.tolist(), is_new.sum(dim=1).tolist(), strict=True)
    return {index: count for index, count in counts if count < num_views}


_Parts = tuple[dict[str, float], Tensor, dict[str, Tensor]]  # metrics, value of each class, resampled metrics


def _single(scores: Tensor, labels: Tensor, top_k: Sequence[int], num_resamples: int, seed: int) -> _Parts:
    """One label a video: top-k and mean class accuracy."""
    num_videos, num_classes = scores.shape
    exact = classification_metrics(scores, labels, num_classes=num_classes)
    best = top_hits(scores, labels, k=1)
    hits = torch.stack([top_hits(scores, labels, k=k) for k in top_k], dim=1)  # (N, len(top_k))
    names = [f"top{k}" for k in top_k]
    metrics = {name: int(count) / num_videos for name, count in zip(names, hits.sum(dim=0), strict=True)}
    metrics["mean_class_accuracy"] = exact["mean_class_accuracy"]
    drawn: dict[str, Tensor] = {}
    if num_resamples:
        rates = bootstrap(hit_rates(hits), num_videos=num_videos, num_resamples=num_resamples, seed=seed)
        by_class = mean_class_accuracies(best, labels, num_classes=num_classes)
        drawn = dict(zip(names, rates.T, strict=True))
        drawn["mean_class_accuracy"] = bootstrap(
            by_class, num_videos=num_videos, num_resamples=num_resamples, seed=seed
        )
    return metrics, class_recalls(exact["confusion_matrix"]), drawn


def _several(scores: Tensor, targets: Tensor, num_resamples: int, seed: int) -> _Parts:
    """Several labels a video: mean average precision."""
    name = "mean_average_precision"
    drawn: dict[str, Tensor] = {}
    metrics = {name: mean_average_precision(scores, targets)}
    if num_resamples:
        statistic = mean_average_precisions(scores, targets)
        drawn[name] = bootstrap(statistic, num_videos=len(scores), num_resamples=num_resamples, seed=seed)
    return metrics, average_precisions(scores, targets), drawn


def _words(ledger: Ledger, clips: Sequence[int] | None, crops: Sequence[int] | None, average: str) -> str:
    """The protocol as `evaluate` prints it, and which of the stored views it takes where it does not take all."""
    info = ledger.info
    words = describe_protocol(
        num_clips=info.num_clips if clips is None else len(clips),
        num_crops=info.num_crops if crops is None else len(crops),
        average=average,
        short_side=info.preprocessing["short_side"],
        multi_label=info.multi_label,
    )
    if "name" in info.protocol:
        words += f", protocol {info.protocol['name']}"
    parts = [("clips", clips, info.num_clips), ("crops", crops, info.num_crops)]
    return words + "".join(
        f", {what} {' '.join(map(str, sorted(numbers)))} of 0..{stored - 1}"
        for what, numbers, stored in parts
        if numbers is not None and len(numbers) < stored
    )
