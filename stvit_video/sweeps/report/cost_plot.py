"""Accuracy against cost and speed: as a picture, and as charts whose points say which runs they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stvit_video.pages.charts import SHARES, axis_limits, chart_svg, series_look
from stvit_video.sweeps.report.pareto import CLOSE
from stvit_video.sweeps.report.points import MEASURED, Point
from stvit_video.sweeps.report.summary import METRIC_WORDS, SweepReport, speed_words
from stvit_video.utils.figures import lay_out, new_figure, save_figure
from stvit_video.utils.plot_text import plot_text, write_literally
from stvit_video.utils.point_labels import write_beside

__all__ = ["front_chart", "joined_points", "point_tip", "save_plot", "told_labels"]

MAX_SERIES_NAMED = 20  # in the legend, which else outgrows the picture
MAX_NAME_LENGTH = 60
MAX_LABEL_LENGTH = 32
MAX_LABELLED = 40  # points; of more only those of the front have a text
MAX_RUNS_TOLD = 12
LOG_RATIO = 8.0  # the dearest to the cheapest, from which on costs are drawn in logarithms
LEAST_SPAN = 0.02  # of the axis of accuracy: what differs by less looks alike
FONT = 10
FRONT_LOOK = {"color": "black", "alpha": 0.13, "linewidth": 9, "solid_capstyle": "round", "zorder": 1}


def save_plot(report: SweepReport, path: Path) -> None:
    """Draw both panels as PNG, with bars from the smallest to the largest run.

    Raises:
        OSError: the file can't be written.
    """
    from matplotlib.patheffects import withStroke

    figure = new_figure(11, 5, dpi=110)
    left, right = figure.subplots(1, 2, sharey=True)
    _draw(left, report, of_speed=False)
    _draw(right, report, of_speed=True)
    right.set_ylabel("")
    handles, names = left.get_legend_handles_labels()
    shown, families = plot_text(names[:MAX_SERIES_NAMED], max_length=MAX_NAME_LENGTH)
    legend = figure.legend(handles[:MAX_SERIES_NAMED], shown, loc="outside lower center", ncols=3, fontsize=8)
    write_literally(legend.get_texts(), families)
    figure.set_layout_engine("constrained")
    lay_out(figure)
    for axes, of_speed in ((left, False), (right, True)):
        for note in _write_labels(axes, report, of_speed=of_speed):
            note.set_path_effects([withStroke(linewidth=2.5, foreground="white")])  # lines don't strike it through
    save_figure(figure, path)


def front_chart(report: SweepReport, *, of_speed: bool) -> str:
    """One panel as a chart for a page; its points are called "point-0", "point-1" and so on.

    Args:
        report: of the sweep.
        of_speed: against speed, not against multiply-adds.
    """
    figure = new_figure(5.4, 4.2, dpi=100, layout="constrained")
    axes = figure.subplots()
    _draw(axes, report, of_speed=of_speed)
    lay_out(figure)
    _write_labels(axes, report, of_speed=of_speed)
    tips = {f"point-{number}": point_tip(report, point) for number, point in enumerate(report.points)}
    return chart_svg(figure, tips, label=f"{axes.get_ylabel()} against {axes.get_xlabel()}")


def point_tip(report: SweepReport, point: Point) -> str:
    """What a point says when it is pointed at, in lines."""
    quality, runs = point.quality, point.runs
    value = f"{METRIC_WORDS[report.metric]} {quality.mean:.4f}"
    if quality.std is not None:
        value += f" ± {quality.std:.4f} ({quality.low:.4f} to {quality.high:.4f})"
    names = " ".join(runs[:MAX_RUNS_TOLD]) + (f" and {len(runs) - MAX_RUNS_TOLD} more" * (len(runs) > MAX_RUNS_TOLD))
    return "\n".join(
        [
            *(text for text in (point.series, point.label) if text),
            value,
            f"{point.gmacs:.4g} GMACs, {speed_words(point.speeds)} {report.units[1]}/s",
            f"run{'s' if len(runs) > 1 else ''} {names}",
        ]
    )


def joined_points(points: Sequence[Point], costs: Sequence[float]) -> list[list[int]]:
    """Which points a line joins, in order of cost: those of a series that differ in the token count only.

    Where a series has no such points, all of it is joined, unless nearly all of it costs the same.

    Args:
        points: all.
        costs: of the points.

    Returns:
        Numbers of points, at least two a line.
    """
    lines: list[list[int]] = []
    for series in dict.fromkeys(point.series for point in points):
        mine = sorted((i for i, point in enumerate(points) if point.series == series), key=lambda i: costs[i])
        by_setting: dict[str, list[int]] = {}
        for i in mine:
            by_setting.setdefault(points[i].setting, []).append(i)
        found = [line for line in by_setting.values() if len(line) > 1]
        if not found and costs[mine[-1]] > (1 + CLOSE) * costs[mine[0]]:
            found = [mine]
        lines += found
    return lines


def _costs(report: SweepReport, of_speed: bool) -> list[float]:
    return [point.speed if of_speed else point.gmacs for point in report.points]


def _draw(axes: Any, report: SweepReport, *, of_speed: bool) -> None:
    """One panel: a colour and a mark for each series, lines, bars, and a band along the front."""
    points, costs = report.points, _costs(report, of_speed)
    means = [point.quality.mean for point in points]
    series = list(dict.fromkeys(point.series for point in points))
    looks = {name: series_look(number) for number, name in enumerate(series)}
    for line in joined_points(points, costs):
        colour = looks[points[line[0]].series].colour
        axes.plot([costs[i] for i in line], [means[i] for i in line], color=colour, linewidth=1.2, zorder=2)
    on_front = report.speed_front if of_speed else report.gmacs_front
    for i, (point, is_best) in enumerate(zip(points, on_front, strict=True)):
        colour, marker = looks[point.series]
        if point.quality.high > point.quality.low:
            bar = [[point.quality.mean - point.quality.low], [point.quality.high - point.quality.mean]]
            axes.errorbar(costs[i], means[i], bar, fmt="none", ecolor=colour, elinewidth=1, capsize=2.5, alpha=0.6)
        edge = {"markeredgecolor": "black" if is_best else "white", "markeredgewidth": 1.4 if is_best else 0.7}
        axes.plot(costs[i], means[i], marker, color=colour, markersize=7, gid=f"point-{i}", zorder=4, **edge)
    for name in series:
        axes.plot([], [], looks[name].marker, color=looks[name].colour, label=name)
    best = sorted((costs[i], means[i]) for i, is_best in enumerate(on_front) if is_best)
    axes.plot([x for x, _ in best], [y for _, y in best], label="Pareto front", **FRONT_LOOK)
    if min(costs) > 0 and max(costs) > LOG_RATIO * min(costs):
        _use_logarithms(axes)
    axes.margins(0.09, 0.09)
    axes.set_ylim(axis_limits(*axes.get_ylim(), least_span=LEAST_SPAN, ends=SHARES))
    axes.grid(alpha=0.25)
    axes.tick_params(labelsize=FONT)
    what = f"{report.units[1]}/s in inference" if of_speed else f"GMACs of a {report.units[0]}"
    if of_speed and not all(run.result.get(MEASURED) for run in report.runs):
        what += ", measured once a run"
    axes.set_xlabel(what, fontsize=FONT)
    axes.set_ylabel(METRIC_WORDS[report.metric], fontsize=FONT)


def _use_logarithms(axes: Any) -> None:
    """Draw costs in logarithms, and write them as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def told_labels(report: SweepReport, *, of_speed: bool) -> list[str]:
    """What stands beside each point, token counts as bare numbers; "" = nothing."""
    points, on_front = report.points, report.speed_front if of_speed else report.gmacs_front
    is_told = [is_best or len(points) <= MAX_LABELLED for is_best in on_front]
    return [_brief(point) if is_one else "" for point, is_one in zip(points, is_told, strict=True)]


def _write_labels(axes: Any, report: SweepReport, *, of_speed: bool) -> list[Any]:
    """Write what fits beside the points, those of the front first; gives the annotations."""
    points, costs = report.points, _costs(report, of_speed)
    places = [(cost, point.quality.mean) for cost, point in zip(costs, points, strict=True)]
    on_front = report.speed_front if of_speed else report.gmacs_front
    texts, families = plot_text(told_labels(report, of_speed=of_speed), max_length=MAX_LABEL_LENGTH)
    written = write_beside(
        axes,
        places,
        texts,
        families=families,
        colours=["black"] * len(points),
        fontsize=FONT - 1.5,
        order=sorted(range(len(points)), key=lambda i: not on_front[i]),
        lines=[
            *([places[i] for i in line] for line in joined_points(points, costs)),
            *([(cost, p.quality.low), (cost, p.quality.high)] for cost, p in zip(costs, points, strict=True)),
        ],
    )
    return [note for note in written if note is not None]


def _brief(point: Point) -> str:
    """The label, with the token count as a bare number."""
    count = point.count if point.num_tokens is None else str(point.num_tokens)
    return ", ".join(text for text in (count, point.setting) if text)
