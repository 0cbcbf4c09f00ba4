"""The scores of single classes, worst first, of the rows of per_class.csv, whatever the task."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stvit_video.pages.page_table import PageTable

__all__ = ["ClassScore", "ClassScores", "class_scores"]

SCORES = ("mask_AP", "box_AP", "IoU", "AP", "accuracy", "recall")  # the first of them that a table has makes the bars
COUNTS = ("videos", "objects", "pixels", "steps")  # likewise, of what a score is computed from
MAX_BARS = 30  # of more classes the worst have bars; the table has all


class ClassScore(NamedTuple):
    """The bar of a class.

    Attributes:
        name: of the class.
        share: 0 to 1.
        text: beside it.
    """

    name: str
    share: float
    text: str


class ClassScores(NamedTuple):
    """What the page shows.

    Attributes:
        score: what the bars are of, such as "IoU".
        bars: of the worst classes, worst first.
        num_scored: classes that have a score.
        table: of all classes, worst first, those without a score last.
    """

    score: str
    bars: Sequence[ClassScore]
    num_scored: int
    table: PageTable


def class_scores(rows: Sequence[Mapping[str, str]]) -> ClassScores | None:
    """Bars and table of the classes; None where there is no table, or it has no known score.

    Args:
        rows: of per_class.csv.
    """
    score, count = (next((name for name in names if rows and name in rows[0]), None) for names in (SCORES, COUNTS))
    if score is None or count is None:
        return None
    ordered = sorted(rows, key=lambda row: (not row[score], float(row[score] or 0), -int(row[count])))
    scored = [row for row in ordered if row[score]]
    keys = [key for key in rows[0] if key not in ("class", score, count)]
    heads = {key: key.replace("_", " ") for key in ("class", score, count, *keys)}
    return ClassScores(
        score=heads[score],
        bars=[
            ClassScore(row["class"], float(row[score]), f"{float(row[score]):.3f} ({_counted(row[count], count)})")
            for row in scored[:MAX_BARS]
        ],
        num_scored=len(scored),
        table=PageTable(
            heads=list(heads.values()),
            rows=[[row["class"], *(_cell(row[key]) for key in (score, count, *keys))] for row in ordered],
            numbers=[head for key, head in heads.items() if key != "class"],
            label="scores of the classes",
        ),
    )


def _counted(number: str, unit: str) -> str:
    return f"{int(number):,} {unit if int(number) != 1 else unit.removesuffix('s')}"


def _cell(text: str) -> str:
    """As it stands; rates of six digits get three."""
    whole, dot, digits = text.partition(".")
    return f"{float(text):.3f}" if dot and len(digits) == 6 and whole.isdigit() and digits.isdigit() else text
