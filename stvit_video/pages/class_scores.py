"""The scores of single classes, worst first, of the rows of per_class.csv, whatever the task."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stvit_video.pages.page_table import PageTable
from stvit_video.utils.counts import count_words

__all__ = ["ClassScore", "ClassScores", "class_scores"]

SCORES = ("mask_AP", "box_AP", "IoU", "AP", "accuracy", "recall")  # the first of them that a table has makes the bars
COUNTS = ("videos", "objects", "pixels", "steps")  # likewise, of what a score is computed from
MAX_BARS = 30  # of more classes the worst have bars; the table has all
WORDS = {"label": "class no.", "predicted": "times said", "predicted_pixels": "pixels said"}  # other heads of columns


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
        equal: how many classes without a bar have the score of the last bar, such as "3 more at 0.000"; "" = none.
        empty: how many classes have nothing to be scored by, such as "2 classes have no video"; "" = none.
        table: of all classes, worst first, those without a score last.
    """

    score: str
    bars: Sequence[ClassScore]
    num_scored: int
    equal: str
    empty: str
    table: PageTable


def class_scores(rows: Sequence[Mapping[str, str]], *, unit: str = "videos", num_videos: int = 0) -> ClassScores | None:
    """Bars and table of the classes; None where there is no table, or it has no known score.

    Args:
        rows: of per_class.csv.
        unit: what its videos are called, "videos" or "pictures".
        num_videos: that were evaluated with several labels each; the bars say the share of a class, as that is about
            the AP of scores that know nothing. 0 = they don't.
    """
    score, count = (next((name for name in names if rows and name in rows[0]), None) for names in (SCORES, COUNTS))
    if score is None or count is None:
        return None
    ordered = sorted(rows, key=lambda row: (not row[score], float(row[score] or 0), -int(row[count])))
    scored = [row for row in ordered if row[score]]
    keys = [key for key in rows[0] if key not in ("class", score, count)]
    counted = unit if count == "videos" else count
    heads = {key: WORDS.get(key, key.replace("_", " ")) for key in ("class", score, count, *keys)} | {count: counted}
    shown, rest = ([f"{float(row[score]):.3f}" for row in some] for some in (scored[:MAX_BARS], scored[MAX_BARS:]))
    num_equal = sum(text == shown[-1] for text in rest)
    return ClassScores(
        score=heads[score],
        bars=[
            ClassScore(row["class"], float(row[score]), f"{text} ({_counted(row[count], counted, of=num_videos)})")
            for row, text in zip(scored, shown, strict=False)
        ],
        num_scored=len(scored),
        equal=f"{num_equal} more at {shown[-1]}" if num_equal else "",
        empty=_empty_words(sum(int(row[count]) == 0 for row in rows), counted),
        table=PageTable(
            heads=list(heads.values()),
            rows=[[row["class"], *(_cell(row[key]) for key in (score, count, *keys))] for row in ordered],
            numbers=[head for key, head in heads.items() if key != "class"],
            label="scores of the classes",
        ),
    )


def _counted(number: str, unit: str, *, of: int) -> str:
    share = f", {100 * int(number) / of:.0f} %" if of else ""
    return count_words(int(number), unit.removesuffix("s")) + share


def _empty_words(number: int, unit: str) -> str:
    if not number:
        return ""
    return f"{count_words(number, 'class has', 'classes have')} no {unit.removesuffix('s')}"


def _cell(text: str) -> str:
    """As it stands; rates of six digits get three."""
    whole, dot, digits = text.partition(".")
    return f"{float(text):.3f}" if dot and len(digits) == 6 and whole.isdigit() and digits.isdigit() else text
