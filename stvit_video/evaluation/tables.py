"""A multi-view result as tables: one row a video, one row a clip view, and the line that sums it up.

The tables are of videos with one label each; `multi_label_tables` has those of videos with several.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from stvit_video.evaluation.metrics import Metrics, rates_of
from stvit_video.evaluation.multiview import MultiViewResult

METRIC_WORDS = {"mean_class_accuracy": "mean-class", "mean_average_precision": "mAP"}
NUM_UNREAD_SHOWN = 3

Row = dict[str, str]


def top_classes(scores: Tensor, classes: Sequence[str], *, k: int = 5) -> list[tuple[str, float]]:
    """The `k` best classes of one video or view, best first; all of them if there are fewer than `k`.

    Args:
        scores: (num_classes,).
        classes: the class names, in the order of `scores`.
    """
    best = scores.topk(min(k, len(classes)))
    return [(classes[int(i)], float(s)) for s, i in zip(best.values, best.indices, strict=True)]


def video_rows(
    result: MultiViewResult,
    scores: Tensor,
    *,
    video_ids: Sequence[str],
    labels: Sequence[int],
    classes: Sequence[str],
) -> list[Row]:
    """One row a listed video, in the order of the manifest, those that could not be read included.

    Args:
        scores: (N, num_classes), one row a video of `result`, in its order.
        video_ids: of every listed video, by manifest position.
        labels: class indices of every listed video, by manifest position.

    Returns:
        Rows with video, label, prediction, top1_label, top1_score, ..., correct, label_score (of the label), num_views,
        error.
    """
    used = {int(index): n for n, index in enumerate(result.indices)}
    rows: list[Row] = []
    for index, (video, label) in enumerate(zip(video_ids, labels, strict=True)):
        row = {"video": video, "label": classes[label]}
        if index in used:
            top = top_classes(scores[used[index]], classes)
            hit = str(int(top[0][0] == classes[label]))
            views = str(result.view_logits.shape[1])
            row |= {
                "prediction": top[0][0],
                **top_columns(top),
                "correct": hit,
                "label_score": f"{float(scores[used[index], label]):.6f}",
                "num_views": views,
                "error": "",
            }
        else:
            error = result.errors.get(index, "was never evaluated")
            row |= {
                "prediction": "",
                **top_columns([], k=min(5, len(classes))),
                "correct": "",
                "label_score": "",
                "num_views": "0",
            }
            row["error"] = error
        rows.append(row)
    return rows


def clip_rows(
    result: MultiViewResult, *, video_ids: Sequence[str], classes: Sequence[str], num_crops: int
) -> list[Row]:
    """One row a clip view of each video that could be read; scores are the view's softmax probabilities.

    Args:
        video_ids: of every listed video, by manifest position.
        num_crops: crops per clip; views are ordered clip by clip, the crops of a clip together.

    Returns:
        Rows with video, clip_index, clip_start_seconds, crop, label, top1_label, top1_score, ...
    """
    probabilities = result.view_logits.softmax(dim=-1)  # (N, V, num_classes)
    rows: list[Row] = []
    for n, index in enumerate(result.indices.tolist()):
        for v in range(probabilities.shape[1]):
            row = view_columns(result, n, v, video_id=video_ids[index], num_crops=num_crops)
            row["label"] = classes[int(result.labels[n])]
            rows.append(row | top_columns(top_classes(probabilities[n, v], classes)))
    return rows


def clip_accuracy(result: MultiViewResult) -> float:
    """Share of single views whose best class is the video's label."""
    hits = result.view_logits.argmax(dim=-1) == result.labels[:, None]  # (N, V)
    return hits.double().mean().item()


def write_rows(rows: Sequence[Mapping[str, str]], path: Path) -> None:
    """Write rows with equal keys as CSV with a header (commas, quotes and line breaks quoted).

    Raises:
        ValueError: no rows, so there is no header to write.
    """
    if not rows:
        raise ValueError(f"no rows to write to {path}: not one video could be read")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def result_line(metrics: Metrics, *, result: MultiViewResult, protocol: str) -> str:
    """The one line that states an accuracy together with what it was measured on.

    Args:
        metrics: its rates are used: top1, top5 and mean_class_accuracy, or mean_average_precision.
        protocol: from `view_average.describe_protocol`.
    """
    return line_of(rates_of(metrics), result=result, protocol=protocol)


def line_of(values: Mapping[str, float], *, result: MultiViewResult, protocol: str) -> str:
    """The result line of whichever metrics: "mAP 0.512  (7 of 7 videos, 4 clips x 3 crops, ...)".

    Args:
        values: by names such as top1, top10, mean_class_accuracy, mean_average_precision.
        protocol: from `view_average.describe_protocol`.
    """
    metrics = "  ".join(f"{metric_word(name)} {value:.3f}" for name, value in values.items())
    return f"{metrics}  ({result.num_used} of {result.num_listed} videos, {protocol})"


def metric_word(name: str) -> str:
    """What a metric is called in a line: "top-5" for top5, "mAP" for mean_average_precision."""
    return METRIC_WORDS.get(name, f"top-{name.removeprefix('top')}")


def describe_unread(result: MultiViewResult, *, table: Path) -> str:
    """How many videos could not be read, and why the first NUM_UNREAD_SHOWN could not; "" if all could.

    Args:
        result: its reasons name the files.
        table: the file that lists all reasons.
    """
    reasons = [reason for _, reason in sorted(result.errors.items())]
    return unread_words(reasons, num_listed=result.num_listed, where=f"{table} names each, in the column error")


def unread_words(reasons: Sequence[str], *, num_listed: int, where: str) -> str:
    """How many videos could not be read, and why the first NUM_UNREAD_SHOWN could not; "" if all could.

    Args:
        reasons: of each, naming the file.
        num_listed: videos of the list.
        where: the sentence that says where all reasons stand.
    """
    return fault_words(f"{len(reasons)} of {num_listed} videos could not be read:", reasons, where=where)


def fault_words(head: str, reasons: Sequence[str], *, where: str) -> str:
    """A head, the first NUM_UNREAD_SHOWN reasons below it, and how many more there are; "" without reasons.

    Args:
        head: what is wrong.
        reasons: of each.
        where: the sentence that says where all reasons stand.
    """
    if not reasons:
        return ""
    lines = [head, *(f"  {reason}" for reason in reasons[:NUM_UNREAD_SHOWN])]
    if len(reasons) > NUM_UNREAD_SHOWN:
        lines.append(f"  and {len(reasons) - NUM_UNREAD_SHOWN} more")
    return "\n".join([*lines, where])


def describe_equal_views(result: MultiViewResult) -> str:
    """Of how many videos some views are equal, for a result line; "" if all views differ.

    An average over equal views is that of the different ones: a short video gets fewer views than the line states.
    """
    counts = result.num_distinct_views
    if not counts:
        return ""
    num_views = result.view_logits.shape[1]
    videos = "1 video has" if len(counts) == 1 else f"{len(counts)} videos have"
    return f"; {videos} equal views, at least {min(counts.values())} of {num_views} differ"


def view_columns(result: MultiViewResult, row: int, view: int, *, video_id: str, num_crops: int) -> Row:
    """Which view of which video: video, clip_index, clip_start_seconds, crop.

    Args:
        row: of the result's tensors.
        view: of that row's views; they are ordered clip by clip, the crops of a clip together.
        video_id: of that row's video.
        num_crops: crops per clip.
    """
    return {
        "video": video_id,
        "clip_index": str(view // num_crops),
        "clip_start_seconds": f"{float(result.clip_starts_seconds[row, view]):.3f}",
        "crop": str(int(result.crops[row, view])),
    }


def top_columns(top: Sequence[tuple[str, float]], *, k: int | None = None) -> Row:
    """top1_label, top1_score, ...; `k` empty pairs when there is no prediction."""
    columns: Row = {}
    for rank in range(1, (len(top) if k is None else k) + 1):
        name, score = top[rank - 1] if top else ("", None)
        columns[f"top{rank}_label"] = name
        columns[f"top{rank}_score"] = "" if score is None else f"{score:.6f}"
    return columns
