"""The videos that a model mistakes most surely, of the rows of predictions.csv."""

import itertools
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
        missed: of several labels those that were not predicted, and the score of each; None = it is not known.
    """

    video: str
    true: str
    true_score: float | None
    said: str
    said_score: float | None
    missed: tuple[tuple[str, float | None], ...] = ()


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
    true_score = _number(row.get("label_score", ""))
    if "labels" not in row:
        if row["correct"] == "1":
            return None
        return WorstVideo(row["video"], row["label"], true_score, row["prediction"], _number(row["top1_score"]))
    if row["labels"] == row["predictions"]:
        return None
    true, predicted = (row[key].split(separator) if row[key] else [] for key in ("labels", "predictions"))
    scores = _top_scores(row)
    said = next((name for name in scores if name in predicted and name not in true), "")
    missed = [name for name in true if name not in predicted]
    if sum(name not in scores for name in missed) == 1:  # below all others, so its score is the least of the labels
        scores |= {name: true_score for name in missed if name not in scores}
    pairs = tuple((name, scores.get(name)) for name in missed)
    return WorstVideo(row["video"], ", ".join(true), true_score, said, scores.get(said), pairs)


def _top_scores(row: Row) -> dict[str, float | None]:
    """Scores by label of the columns top1_label, top1_score, ..., the highest first."""
    ranks = itertools.takewhile(lambda rank: row.get(f"top{rank}_label"), itertools.count(1))
    return {row[f"top{rank}_label"]: _number(row[f"top{rank}_score"]) for rank in ranks}


def _sureness(video: WorstVideo) -> float:
    """How far the wrong label is above what it should be, or the true one below; of one label a video the gap."""
    if video.said_score is None:
        return -(video.true_score or 0.0)
    if video.true_score is None:
        return video.said_score
    return video.said_score - video.true_score


def _number(text: str) -> float | None:
    return float(text) if text else None
