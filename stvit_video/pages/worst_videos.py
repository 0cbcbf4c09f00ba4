"""The videos that a model mistakes most surely, of the rows of predictions.csv."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["WorstVideo", "worst_videos"]

Row = Mapping[str, str]


class WorstVideo(NamedTuple):
    """One mistaken video.

    Attributes:
        video: its name in the list.
        true: its label, or its labels with commas between them; "" = it has none.
        true_score: probability (or logit) of the label, of several the least; None = it has none.
        said: what was predicted wrongly; "" = only labels are missing.
        said_score: of that; None = likewise.
    """

    video: str
    true: str
    true_score: float | None
    said: str
    said_score: float | None


def worst_videos(rows: Sequence[Row], *, separator: str = "|", count: int = 20) -> list[WorstVideo]:
    """The wrong videos whose wrong label is the surest; of several labels a video also a missed one counts.

    Args:
        rows: of predictions.csv, with one label a video or several.
        separator: stands between several labels of a cell.
        count: of videos, at most.

    Returns:
        The worst first; of equal ones the first of the list.
    """
    wrong = [found for row in rows if not row["error"] and (found := _mistake(row, separator)) is not None]
    return sorted(wrong, key=_sureness, reverse=True)[:count]


def _mistake(row: Row, separator: str) -> WorstVideo | None:
    """What is wrong with a row; None = nothing."""
    if "labels" not in row:
        said = None if row["correct"] == "1" else (row["prediction"], row["top1_score"])
        true = row["label"]
    else:
        said = None if row["labels"] == row["predictions"] else _best_wrong(row, separator)
        true = ", ".join(row["labels"].split(separator))
    if said is None:
        return None
    name, score = said
    return WorstVideo(row["video"], true, _number(row.get("label_score", "")), name, _number(score))


def _best_wrong(row: Row, separator: str) -> tuple[str, str]:
    """The likeliest predicted label that the video has not, and its score; empty = there is none."""
    true, predicted = (set(row[key].split(separator)) for key in ("labels", "predictions"))
    for rank in range(1, len(row)):
        name = row.get(f"top{rank}_label")
        if name is None:
            break
        if name in predicted - true:
            return name, row[f"top{rank}_score"]
    return "", ""


def _sureness(video: WorstVideo) -> float:
    """How far the wrong label is above what it should be, or the true one below; of one label a video the gap."""
    if video.said_score is None:
        return -(video.true_score or 0.0)
    if video.true_score is None:
        return video.said_score
    return video.said_score - video.true_score


def _number(text: str) -> float | None:
    return float(text) if text else None
