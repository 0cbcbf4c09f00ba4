"""The picture of a table: items a second against multiply-adds, our models set off."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stvit_video.model_benchmark.speed_result import SpeedResult
from stvit_video.model_benchmark.speed_table import Section
from stvit_video.utils.figures import new_figure, save_figure

OURS, DENSE, OTHERS = "#c2410c", "#1d4ed8", "#6b7280"
LABEL_STEP = 0.03  # of the height of the picture, between two labels that would lie on one another
POINT_STEP = 0.02  # between a label and a point that it would cover
LETTER_WIDTH = 0.008  # of the width of the picture
EDGE = 0.82  # of its width; labels of points behind it stand on their left


def draw_speeds(section: Section, path: Path) -> bool:
    """Draw the rows of a table that have a speed and a cost; with fewer than two of them there is no picture.

    Args:
        section: the table.
        path: the PNG file to write.

    Returns:
        Whether it was written.

    Raises:
        OSError: it can't be written.
    """
    rows = [row for row in section.rows if row.items_per_second and row.gmacs]
    if len(rows) < 2:
        return False
    figure = new_figure(9.5, 6.5, dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", title=section.title)
    unit = "clip" if len(rows[0].input_size) == 3 else "image"
    clock = "CPU time" if rows[0].items_per_second == _by_cpu(rows[0]) else "wall time"
    axes.set(xlabel=f"GMACs of a forward pass of one {unit}", ylabel=f"{unit}s per second of {clock}")
    for row in rows:
        axes.plot(row.gmacs, row.items_per_second, **_marker(row))
    _draw_lines(axes, rows)
    _write_labels(axes, rows)
    axes.grid(alpha=0.25, which="both")
    save_figure(figure, path)
    return True


def label_heights(points: Sequence[tuple[float, float]], widths: Sequence[float]) -> list[float]:
    """Heights for labels on the right of points of the unit square, on no other label and no other point.

    Args:
        points: (x, y) of each.
        widths: of the labels.

    Returns:
        A height for each, in the same order: its own, or above what lies there.
    """
    heights = [0.0] * len(points)
    labels: list[tuple[float, float, float]] = []  # x, width, height
    for place in sorted(range(len(points)), key=lambda number: points[number][1]):
        (x, height), width = points[place], widths[place]
        taken = [(other, POINT_STEP) for other_x, other in points if 0 < other_x - x < width]
        taken += [(other, LABEL_STEP) for left, wide, other in labels if left < x + width and x < left + wide]
        for other, step in sorted(taken):
            if abs(other - height) < step * (1 - 1e-9):
                height = other + step
        labels.append((x, width, height))
        heights[place] = height
    return heights


def _is_dense(row: SpeedResult) -> bool:
    return row.is_ours and len(row.tokens) == 1


def _by_cpu(row: SpeedResult) -> float | None:
    return 1 / row.cpu_seconds_min if row.cpu_seconds_min else None


def _marker(row: SpeedResult) -> dict[str, Any]:
    if not row.is_ours:
        return {"marker": "o", "color": OTHERS, "markersize": 6}
    return {"marker": "s" if _is_dense(row) else "*", "color": _colour(row), "markersize": 8 if _is_dense(row) else 13}


def _colour(row: SpeedResult) -> str:
    return (DENSE if _is_dense(row) else OURS) if row.is_ours else OTHERS


def _draw_lines(axes: Any, rows: Sequence[SpeedResult]) -> None:
    """A line through the rows of one model of ours that differ in the place of generation or tokens."""
    groups: dict[tuple[str, object], list[SpeedResult]] = {}
    for row in rows:
        if row.is_ours and not _is_dense(row):
            groups.setdefault((row.name, row.options.get("reducer")), []).append(row)
    for group in groups.values():
        ordered = sorted(group, key=lambda row: row.gmacs or 0.0)
        points = ([row.gmacs for row in ordered], [row.items_per_second for row in ordered])
        axes.plot(*points, color=OURS, linewidth=1, alpha=0.5, zorder=1)


def _write_labels(axes: Any, rows: Sequence[SpeedResult]) -> None:
    axes.margins(0.1, 0.08)
    axes.autoscale_view()
    to_square = axes.transData + axes.transAxes.inverted()
    points = [tuple(to_square.transform((row.gmacs, row.items_per_second))) for row in rows]
    names = [row.label if row.is_ours else row.name for row in rows]
    heights = label_heights(points, [LETTER_WIDTH * (len(name) + 2) for name in names])
    for row, name, (x, _), height in zip(rows, names, points, heights, strict=True):
        is_right = x > EDGE
        axes.annotate(
            name,
            (row.gmacs, row.items_per_second),
            xytext=(x + (-0.012 if is_right else 0.012), height),
            textcoords="axes fraction",
            ha="right" if is_right else "left",
            va="center",
            fontsize=8,
            color=_colour(row),
            arrowprops={"arrowstyle": "-", "color": _colour(row), "alpha": 0.3, "linewidth": 0.6},
        )
