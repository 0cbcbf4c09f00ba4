"""per_class.csv of an evaluation of videos: what the model knows of each class."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from stvit_video.evaluation.metrics import Metrics, class_recalls
from stvit_video.utils.atomic_files import write_table

__all__ = ["write_class_table"]


def write_class_table(path: Path, metrics: Metrics, *, labels: Tensor, classes: Sequence[str]) -> None:
    """Write the table of classes, one row each, in the order of the labels.

    Args:
        path: the CSV. Columns are class, label, accuracy (the share of its videos that were taken for it), videos and
            predicted (how many were taken for it); of several labels a video class, label, AP and videos. An empty
            field = no video shows the class.
        metrics: of the evaluation.
        labels: of the videos that were read, (N,) int64; of several labels (N, num_classes), 1 = the video has it.
        classes: names, by label.

    Raises:
        OSError: the file can't be written.
    """
    if "confusion_matrix" in metrics:
        matrix = metrics["confusion_matrix"]
        score, scores = "accuracy", class_recalls(matrix)
        counts = {"videos": matrix.sum(dim=1), "predicted": matrix.sum(dim=0)}
    else:
        score, scores = "AP", metrics["average_precisions"]
        counts = {"videos": labels.to(torch.int64).sum(dim=0)}
    header = ["class", "label", score, *counts]
    columns = [map(_six_digits, scores.tolist()), *(numbers.tolist() for numbers in counts.values())]
    rows = [[name, label, *values] for label, (name, *values) in enumerate(zip(classes, *columns, strict=True))]
    write_table(path, header=header, rows=rows)


def _six_digits(rate: float) -> str | None:
    return None if math.isnan(rate) else f"{rate:.6f}"
