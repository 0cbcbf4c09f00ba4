"""The report of a sweep as one HTML file that needs nothing else: no network, no other file."""

from collections.abc import Mapping, Sequence

from stvit_video.pages.charts import look_svg, series_look
from stvit_video.pages.page_table import PageTable, table_of
from stvit_video.pages.render import render_page
from stvit_video.sweeps.report.cost_plot import front_chart, told_labels
from stvit_video.sweeps.report.measured_with import measured_with, versions_of
from stvit_video.sweeps.report.pareto import CLOSE
from stvit_video.sweeps.report.points import MORE_METRICS, Unfinished
from stvit_video.sweeps.report.summary import METRIC_WORDS, SweepReport, speed_words
from stvit_video.utils.counts import count_words

__all__ = ["format_failures", "format_page"]

MORE_WORDS = {"top5": "top-5", "mean_class_accuracy": "mean-class", "frame_mean_class_accuracy": "frame mean-class"}
TEXTS = ("series", "point", "setting", "front", "folders")  # columns that are sorted as texts


def format_page(
    report: SweepReport, *, title: str, is_drawn: bool = True, run_pages: Mapping[str, str] | None = None
) -> str:
    """The page.

    Args:
        report: of the sweep.
        title: for example its folder.
        is_drawn: whether it has charts; not where matplotlib can't draw.
        run_pages: addresses of the pages of runs, by the names of the runs that have one.
    """
    rows = _rows(report, run_pages or {})
    names = [point.label if report.shared_series else point.name for point in report.points]
    marked = {i for i, best in enumerate(zip(report.gmacs_front, report.speed_front, strict=True)) if any(best)}
    return render_page(
        "sweep.html",
        title=title,
        lead=_lead(report),
        charts=[front_chart(report, of_speed=of_speed) for of_speed in (False, True)] if is_drawn else [],
        legend=_legend(report) if is_drawn else [],
        how_to_read=_how_to_read(report),
        faults=report.faults,
        close=f"{CLOSE:.0%}",
        ties=report.ties,
        shared_series=report.shared_series,
        table=_points(report, [main | rest for main, rest in rows], marked=marked),
        num_main=len(rows[0][0]),
        rest=table_of([{"point": name} | rest for name, (_, rest) in zip(names, rows, strict=True)], texts=TEXTS),
        unfinished=_unfinished(report.unfinished, run_pages or {}),
        facts=measured_with(report.runs),
        versions=versions_of(report.runs),
    )


def format_failures(runs: Sequence[Unfinished], *, title: str, run_pages: Mapping[str, str] | None = None) -> str:
    """The page of a sweep that has no result yet.

    Args:
        runs: all of the sweep.
        title: for example its folder.
        run_pages: see `format_page`.
    """
    nothing = dict.fromkeys(("charts", "legend", "faults", "ties", "table", "facts", "versions"), ())
    lead = f"None of {count_words(len(runs), 'run')} has a result."
    return render_page(
        "sweep.html", title=title, lead=lead, unfinished=_unfinished(runs, run_pages or {}), num_main=0, **nothing
    )


def _lead(report: SweepReport) -> str:
    counts = (
        f"{count_words(len(report.runs), 'finished run')} in {count_words(len(report.points), 'point')}, "
        f"{len(report.unfinished) or 'none'} without a result"
    )
    metric, best = METRIC_WORDS[report.metric], report.best
    told = f"{best[0].name}, {best[0].quality.describe().replace('+-', '±')}"
    if len(best) == 1:
        return f"{counts}. Best {metric}: {told}."
    return f"{counts}. {len(best)} points share the best {metric}; the cheapest: {told}."


def _legend(report: SweepReport) -> list[tuple[str, str, str]]:
    """Each series with its mark and the names of its points."""
    names: dict[str, list[str]] = {}
    for number, point in enumerate(report.points):
        names.setdefault(point.series, []).append(f"point-{number}")
    return [(name, look_svg(series_look(n)), " ".join(points)) for n, (name, points) in enumerate(names.items())]


def _how_to_read(report: SweepReport) -> str:
    """What the charts draw, as far as they draw it."""
    sentences = []
    if any(point.quality.high > point.quality.low for point in report.points):
        sentences.append("A bar reaches from the smallest to the largest run of a point.")
    told = [any(labels) for labels in zip(*(told_labels(report, of_speed=one) for one in (False, True)), strict=True)]
    if any(is_told and point.num_tokens is not None for is_told, point in zip(told, report.points, strict=True)):
        sentences.append("Numbers are token counts.")
    if len({(point.series, point.num_tokens) for point in report.points}) > len({p.series for p in report.points}):
        sentences.append("A line joins points of a series that differ in the count alone.")
    return " ".join([*sentences, "Points on the Pareto front are outlined."])


def _rows(report: SweepReport, run_pages: Mapping[str, str]) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Of each point what matters most, and the rest."""
    has_spread = any(point.quality.count > 1 for point in report.points)
    rows = []
    for point, on_gmacs, on_speed in zip(report.points, report.gmacs_front, report.speed_front, strict=True):
        quality = point.quality
        main: dict[str, object] = {
            **({} if report.shared_series else {"series": point.series}),
            "setting": point.label,
            METRIC_WORDS[report.metric]: f"{quality.mean:.4f}",
            **({"±": "" if quality.std is None else f"{quality.std:.4f}"} if has_spread else {}),
            "GMACs": f"{point.gmacs:.4g}",
            f"{report.units[1]}/s": speed_words(point.speeds),
            "front": ", ".join(["cost"] * on_gmacs + ["speed"] * on_speed),
        }
        rest: dict[str, object] = {
            **({"min": f"{quality.low:.4f}", "max": f"{quality.high:.4f}"} if has_spread else {}),
            **{MORE_WORDS.get(key, key): f"{point.more[key].mean:.4f}" for key in MORE_METRICS if key in point.more},
            "runs": quality.count,
            "folders": _linked(point.runs, run_pages),
        }
        rows.append((main, rest))
    return rows


def _points(report: SweepReport, rows: Sequence[Mapping[str, object]], *, marked: set[int]) -> PageTable:
    """A row for each point, what matters most first."""
    return table_of(
        rows,
        texts=TEXTS,
        marked=marked,
        tips={
            "±": "standard deviation over the runs of a point",
            "GMACs": f"giga multiply-adds of a {report.units[0]}",
            f"{report.units[1]}/s": "in inference: mean, and the slowest and the quickest run where they differ",
            "folders": "of the runs; those with a page lead to it",
            "front": "where the point is on the Pareto front: of accuracy against GMACs, of accuracy against speed",
        },
        label="points",
        about=[f"point-{number}" for number in range(len(rows))],
    )


def _unfinished(runs: Sequence[Unfinished], run_pages: Mapping[str, str]) -> PageTable:
    rows = [(_linked([run.name], run_pages), " ".join(run.overrides), run.state, run.reason) for run in runs]
    return PageTable(heads=["run", "overrides", "state", "reason"], rows=rows, label="runs without a result")


def _linked(names: Sequence[str], run_pages: Mapping[str, str]) -> str:
    """The names of runs; those with a page are links to it."""
    from markupsafe import Markup, escape

    link = Markup('<a href="{}">{}</a>')
    return Markup(" ").join(link.format(run_pages[name], name) if name in run_pages else escape(name) for name in names)
