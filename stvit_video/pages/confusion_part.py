"""Which classes are taken for which: a table of few classes, a picture of many, the pairs that are mistaken most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from stvit_video.evaluation.plots import most_confused, pooled_shares
from stvit_video.pages.charts import chart_svg
from stvit_video.pages.page_table import PageTable, table_of
from stvit_video.pages.render import isolated
from stvit_video.utils.figures import new_figure

__all__ = ["Confusion", "ConfusionPart", "GridCell", "confusion_part"]

MAX_CLASSES_AS_TABLE = 25
MAX_LETTERS = 60  # of all names above the columns, side by side
MAX_CELLS = 500  # a side of the picture
NUM_PAIRS = 60
COLOUR = (10, 95, 180)  # as in run.html; the smaller a share the more transparent, on light and dark pages


@dataclass(frozen=True, eq=False, kw_only=True)
class Confusion:
    """Counts of an evaluation.

    Attributes:
        matrix: (num_classes, num_classes) counts, rows = true class, columns = predicted class.
        classes: names in the order of the rows.
        unit: what was counted, such as "videos", "steps" or "pixels". Pixels are shown as percents of the true class.
    """

    matrix: Tensor
    classes: Sequence[str]
    unit: str = "videos"


class GridCell(NamedTuple):
    """A cell of the table.

    Attributes:
        text: the count or percent; "" = none.
        share: of the true class, 0 to 1.
        tip: what it says by hover.
    """

    text: str
    share: float
    tip: str


@dataclass(frozen=True, kw_only=True)
class ConfusionPart:
    """What the page shows; a table or a chart, not both.

    Attributes:
        names: of the classes of the table.
        grid: its rows.
        is_upright: whether the names above the columns stand upright, as they are too long side by side.
        chart: SVG of many classes; "" = the table shows them.
        pool: classes a side that a cell of the chart is for.
        unit: see `Confusion`.
        pairs: true class, predicted class, count, share of the true class; most first.
        num_pairs: that are mistaken, of which `pairs` has the first.
    """

    names: Sequence[str]
    grid: Sequence[Sequence[GridCell]]
    is_upright: bool
    chart: str
    pool: int
    unit: str
    pairs: PageTable
    num_pairs: int


def confusion_part(confusion: Confusion) -> ConfusionPart:
    """Make it ready for the page.

    Raises:
        ValueError: the matrix is not square or has another size than the classes.
    """
    matrix, num_classes = confusion.matrix, len(confusion.classes)
    if tuple(matrix.shape) != (num_classes, num_classes):
        raise ValueError(f"the matrix is {tuple(matrix.shape)} but there are {num_classes} class names")
    is_small = num_classes <= MAX_CLASSES_AS_TABLE
    return ConfusionPart(
        names=list(confusion.classes) if is_small else [],
        grid=_grid(confusion) if is_small else [],
        is_upright=sum(map(len, confusion.classes)) > MAX_LETTERS,
        chart="" if is_small else _chart(matrix),
        pool=-(-num_classes // MAX_CELLS),
        unit=confusion.unit,
        pairs=_pairs(confusion, has_numbers=not is_small),
        num_pairs=int(matrix.count_nonzero() - matrix.diagonal().count_nonzero()),
    )


def _grid(confusion: Confusion) -> list[list[GridCell]]:
    shares = pooled_shares(confusion.matrix, max_cells=len(confusion.classes)).tolist()
    counts, names = confusion.matrix.tolist(), [isolated(name) for name in confusion.classes]
    sums = confusion.matrix.sum(dim=1).tolist()
    return [
        [
            GridCell(
                _count(count, share, confusion.unit) if count else "",
                share,
                f"{names[true]} taken for {names[predicted]}: {_part(count, sums[true], confusion.unit)}",
            )
            for predicted, (count, share) in enumerate(zip(counts[true], shares[true], strict=True))
        ]
        for true in range(len(names))
    ]


def _chart(matrix: Tensor) -> str:
    """Cells of the colour's share, those of the diagonal as all others."""
    shares = pooled_shares(matrix, max_cells=MAX_CELLS).numpy()  # (n, n)
    cells = np.empty((*shares.shape, 4), dtype=np.uint8)
    cells[..., :3] = COLOUR
    cells[..., 3] = np.ceil(255 * np.where(shares > 0, 0.3 + 0.7 * shares, 0))  # the smallest share is seen, too
    end = len(matrix) - 0.5
    figure = new_figure(7.5, 7.5, dpi=100, layout="constrained")
    axes: Any = figure.subplots()
    axes.imshow(cells, interpolation="none", extent=(-0.5, end, end, -0.5))
    axes.set(xlabel="said (class no., as in the table of all classes)", ylabel="true (class no.)")
    axes.grid(alpha=0.15)
    return chart_svg(figure, {}, label="confusion matrix")


def _pairs(confusion: Confusion, *, has_numbers: bool) -> PageTable:
    """The table; with the numbers of the classes where the chart has no names."""
    names, matrix = confusion.classes, confusion.matrix
    found = most_confused(matrix, count=NUM_PAIRS)
    sums = {true: int(matrix[true].sum()) for true, _, _ in found}
    rows = [
        {
            "true": names[true],
            **({"true_no.": true} if has_numbers else {}),
            "said": names[predicted],
            **({"said_no.": predicted} if has_numbers else {}),
            confusion.unit: count,
            "of_the_true_class": f"{100 * count / sums[true]:.1f} %",
        }
        for true, predicted, count in found
    ]
    return table_of(rows, texts=("true", "said"), label="pairs of classes that are mistaken most often")


def _count(count: int, share: float, unit: str) -> str:
    if unit != "pixels":
        return str(count)
    return f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"


def _part(count: int, whole: int, unit: str) -> str:
    percent = f" ({100 * count / whole:.1f} %)" if whole else ""
    return f"{count:,} of {whole:,} {unit}{percent}"
