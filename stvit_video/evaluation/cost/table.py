"""The costs of models as a table: Markdown for people, CSV for programs."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from stvit_video.evaluation.cost.published import Published

FORMATS = ("markdown", "csv")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one view costs in one model.

    Args:
        name: of the model.
        input_size: (H, W) pixels or (T, H, W) frames and pixels of the view.
        num_parameters: values in all parameters.
        gmacs: giga multiply-adds.
        tokens: tokens of each stage, in order.
        dense_gmacs: giga multiply-adds of the dense model of the same family, size and input; None for itself.
        published: figures of others for the same model and input.
    """

    name: str
    input_size: tuple[int, ...]
    num_parameters: int
    gmacs: float
    tokens: tuple[int, ...]
    dense_gmacs: float | None = None
    published: Published | None = None


def format_costs(costs: Sequence[Cost], *, table_format: str = "markdown") -> str:
    """All costs as one text, without a line break at its end; Markdown has notes on published figures below.

    Args:
        costs: a row each, in order.
        table_format: one of FORMATS.

    Raises:
        ValueError: an unknown format.
    """
    if table_format not in FORMATS:
        raise ValueError(f"format {table_format!r} is unknown; choose one of {', '.join(FORMATS)}")
    rows = [_cells(cost) for cost in costs]
    header = _HEADERS[table_format]
    if table_format == "csv":
        return _as_csv(header, rows)
    return "\n\n".join([_as_markdown(header, rows), *_notes(costs)])


_HEADERS = {
    "markdown": ("model", "input", "params M", "published", "GMACs", "published", "tokens per stage", "to dense"),
    "csv": (
        "model",
        "input",
        "parameters_millions",
        "published_parameters_millions",
        "gmacs",
        "published_gmacs",
        "tokens_per_stage",
        "relative_to_dense",
    ),
}
_WORDS = ("model", "input", "tokens per stage")  # columns set flush left


def _cells(cost: Cost) -> tuple[str, ...]:
    published = cost.published
    return (
        cost.name,
        "x".join(str(size) for size in cost.input_size),
        f"{cost.num_parameters / 1e6:.2f}",
        "" if published is None or published.parameters_millions is None else f"{published.parameters_millions:g}",
        f"{cost.gmacs:.3f}",
        "" if published is None else f"{published.gmacs:g}",
        " / ".join(str(count) for count in cost.tokens),
        "" if cost.dense_gmacs is None else f"{100 * (cost.gmacs / cost.dense_gmacs - 1):+.0f} %",
    )


def _notes(costs: Sequence[Cost]) -> list[str]:
    """A sentence for every note on published figures, behind the names it is about."""
    names: dict[str, list[str]] = {}
    for cost in costs:
        if cost.published is not None and cost.published.note:
            names.setdefault(cost.published.note, []).append(cost.name)
    return [f"{', '.join(of)}: {note}." for note, of in names.items()]


def _as_markdown(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    left = [name in _WORDS for name in header]
    rule = ["-" * w if is_left else "-" * (w - 1) + ":" for w, is_left in zip(widths, left, strict=True)]
    lines = [_padded(header, widths, left), rule, *(_padded(row, widths, left) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _padded(cells: tuple[str, ...], widths: Sequence[int], left: Sequence[bool]) -> list[str]:
    return [c.ljust(w) if is_left else c.rjust(w) for c, w, is_left in zip(cells, widths, left, strict=True)]


def _as_csv(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().rstrip("\n")
