"""The speeds of models as tables, one for each precision, backend and batch size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stvit_video.model_benchmark.speed_result import SpeedResult
from stvit_video.model_benchmark.text_table import NO_VALUE, TextTable, digits

NAME, WORDS_LEFT = "model", 2  # the first columns are words


@dataclass(frozen=True)
class Section:
    """A table: rows that can be compared.

    Attributes:
        title: what they have in common.
        rows: in order.
        notes: sentences below it.
    """

    title: str
    rows: tuple[SpeedResult, ...]
    notes: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """A name for a file about it, such as clips_fp32_eager_batch_8."""
        return self.title.lower().replace(",", "").replace(" ", "_")


def sections_of(results: Iterable[SpeedResult]) -> list[Section]:
    """The tables of some results, clips before images, else in the order of the results."""
    groups: dict[tuple[Any, ...], list[SpeedResult]] = {}
    for row in results:
        place = (len(row.input_size) != 3, row.precision, row.backend, row.asked_batch_size)
        groups.setdefault(place, []).append(row)
    return [_section(tuple(rows)) for _, rows in sorted(groups.items(), key=lambda group: group[0][0])]


def header_of(section: Section) -> list[str]:
    """Names of the columns."""
    unit = "clip" if len(section.rows[0].input_size) == 3 else "image"
    latency = ["p50 ms", "p95 ms"] if any(row.latency_p50 is not None for row in section.rows) else []
    times = [f"CPU ms/{unit}", "median CPU ms", "median wall ms"]
    return [NAME, "input", "GMACs", f"{unit}s/s", "to dense", *times, *latency, "peak MB", "libraries MB", "of matmul"]


def cells_of(row: SpeedResult, header: Sequence[str]) -> list[str]:
    """The cells of a row, as many as the header has; a row that failed has none but its name, input and GMACs."""
    has_latency = "p50 ms" in header
    numbers = [
        "failed" if row.failure else digits(row.items_per_second),
        digits(row.ratio, "x"),
        *(digits(value, scale=1e3) for value in (row.cpu_seconds_min, row.cpu_seconds_median)),
        digits(row.wall_seconds_median, scale=1e3),
        *([digits(row.latency_p50, scale=1e3), digits(row.latency_p95, scale=1e3)] if has_latency else []),
        *(NO_VALUE if size is None else f"{size / 1e6:.0f}" for size in (row.peak_bytes, row.bytes_before)),
        NO_VALUE if row.matrix_share is None else f"{100 * row.matrix_share:.0f} %",
    ]
    return [row.label, "x".join(map(str, row.input_size)), digits(row.gmacs), *numbers]


def table_of(section: Section) -> TextTable:
    """The table as it is printed, ours set off from peers."""
    header = header_of(section)
    return TextTable(
        title=section.title,
        header=tuple(header),
        lines=tuple(tuple(cells_of(row, header)) for row in section.rows),
        styles=tuple(map(style_of, section.rows)),
        notes=section.notes,
        num_words=WORDS_LEFT,
    )


def style_of(row: SpeedResult) -> str:
    """How a row looks on a terminal."""
    return "red" if row.failure else "bold green" if row.is_ours else ""


def _section(rows: tuple[SpeedResult, ...]) -> Section:
    first = rows[0]
    kind = "Clips" if len(first.input_size) == 3 else "Images"
    training = "training steps, " if first.is_training else ""
    title = f"{kind}, {training}{first.precision}, {first.backend}, batch {first.asked_batch_size}"
    notes = [f"{row.label}: {row.failure}" for row in rows if row.failure]
    notes += [f"{row.label}: {note}" for row in rows if not row.failure for note in row.notes]
    inputs = {row.input_size for row in rows}
    notes = ["a row with another input has no ratio", *notes] if len(inputs) > 1 else notes
    return Section(title, rows, (*_dense_notes(rows), *notes))


def _dense_notes(rows: Sequence[SpeedResult]) -> list[str]:
    """Which rows "to dense" compares with which."""
    baselines = list(dict.fromkeys(row.baseline for row in rows))
    if len(baselines) == 1:
        return [f'"to dense" is the ratio to {baselines[0]}']
    pairs = [
        f"{', '.join(row.label for row in rows if row.baseline == dense and row.label != dense)} to {dense}"
        for dense in baselines
        if any(row.baseline == dense and row.label != dense for row in rows)
    ]
    return [f'"to dense" is the ratio of {"; ".join(pairs)}'] if pairs else []
