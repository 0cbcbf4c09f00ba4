"""A multi-view result of videos with several labels each as tables: one row a video, one row a clip view."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stvit_video.evaluation.metrics import mean_average_precision
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.evaluation.tables import Row, top_classes, top_columns, view_columns

THRESHOLDS = {"prob": 0.5, "logit": 0.0}  # of the scores; a logit of 0 is a probability of 0.5


def multi_label_video_rows(
    result: MultiViewResult,
    scores: Tensor,
    *,
    video_ids: Sequence[str],
    labels: Sequence[Sequence[int]],
    classes: Sequence[str],
    threshold: float,
    separator: str = "|",
) -> list[Row]:
    """One row a listed video, in the order of the manifest, those that could not be read included.

    Args:
        scores: (N, num_classes), one row a video of `result`, in its order.
        video_ids: of every listed video, by manifest position.
        labels: class indices of every listed video, by manifest position.
        threshold: a class with at least this score counts as predicted, see THRESHOLDS.
        separator: stands between the labels of a cell.

    Returns:
        Rows with video, labels, predictions, top1_label, top1_score, ..., label_score (the least of its labels),
        num_views, error; one label or none gives a cell with one name or an empty one.
    """
    used = {int(index): n for n, index in enumerate(result.indices)}
    rows: list[Row] = []
    for index, (video, several) in enumerate(zip(video_ids, labels, strict=True)):
        row = {"video": video, "labels": _joined(several, classes, separator)}
        if index in used:
            own = scores[used[index]]  # (num_classes,)
            row["predictions"] = _joined((own >= threshold).nonzero()[:, 0].tolist(), classes, separator)
            row |= top_columns(top_classes(own, classes))
            row["label_score"] = f"{float(own[list(several)].min()):.6f}" if several else ""
            row |= {"num_views": str(result.view_logits.shape[1]), "error": ""}
        else:
            row |= {"predictions": "", **top_columns([], k=min(5, len(classes))), "label_score": "", "num_views": "0"}
            row["error"] = result.errors.get(index, "was never evaluated")
        rows.append(row)
    return rows


def multi_label_clip_rows(
    result: MultiViewResult, *, video_ids: Sequence[str], classes: Sequence[str], num_crops: int, separator: str = "|"
) -> list[Row]:
    """One row a clip view of each video that could be read; scores are the view's sigmoid probabilities.

    Args:
        video_ids: of every listed video, by manifest position.
        num_crops: crops per clip; views are ordered clip by clip, the crops of a clip together.
        separator: stands between the labels of a cell.

    Returns:
        Rows with video, clip_index, clip_start_seconds, crop, labels, top1_label, top1_score, ...
    """
    probabilities = result.view_logits.sigmoid()  # (N, V, num_classes)
    rows: list[Row] = []
    for n, index in enumerate(result.indices.tolist()):
        names = _joined(result.labels[n].nonzero()[:, 0].tolist(), classes, separator)
        for view in range(probabilities.shape[1]):
            row = view_columns(result, n, view, video_id=video_ids[index], num_crops=num_crops) | {"labels": names}
            rows.append(row | top_columns(top_classes(probabilities[n, view], classes)))
    return rows


def clip_mean_average_precision(result: MultiViewResult) -> float:
    """Mean average precision with every single view as an item of its own, ranked by its logits.

    Raises:
        ValueError: as `mean_average_precision`.
    """
    num_views = result.view_logits.shape[1]
    targets = result.labels.to(torch.bool).repeat_interleave(num_views, dim=0)  # (N * V, num_classes)
    return mean_average_precision(result.view_logits.flatten(0, 1), targets)


def _joined(labels: Sequence[int], classes: Sequence[str], separator: str) -> str:
    return separator.join(classes[label] for label in labels)
