"""The report of a sweep as one HTML file that needs nothing else: no network, no other file."""

from collections.abc import Sequence

from stvit_video.pages.charts import look_svg, series_look
from stvit_video.pages.page_table import PageTable, table_of
from stvit_video.pages.render import render_page
from stvit_video.sweeps.report.cost_plot import front_chart
from stvit_video.sweeps.report.measured_with import measured_with, versions_of
from stvit_video.sweeps.report.points import MORE_METRICS, Unfinished
from stvit_video.sweeps.report.summary import METRIC_WORDS, SweepReport, speed_words

__all__ = ["format_page"]

MORE_WORDS = {"top5": "top-5", "mean_class_accuracy": "mean-class", "frame_mean_class_accuracy": "frame mean-class"}
TEXTS = ("series", "setting", "front", "folders")  # columns that are sorted as texts


def format_page(report: SweepReport, *, title: str, is_drawn: bool = True) -> str:
    """The page.

    Args:
        report: of the sweep.
        title: for example its folder.
        is_drawn: whether it has charts; not where matplotlib can't draw.
    """
    return render_page(
        "sweep.html",
        title=title,
        lead=_lead(report),
        charts=[front_chart(report, of_speed=of_speed) for of_speed in (False, True)] if is_drawn else [],
        legend=_legend(report) if is_drawn else [],
        how_to_read=_how_to_read(report),
        faults=report.faults,
        ties=report.ties,
        table=_points(report),
        unfinished=_unfinished(report.unfinished),
        facts=measured_with(report.runs),
        versions=versions_of(report.runs),
    )


def _lead(report: SweepReport) -> str:
    counts = (
        f"{_count(len(report.runs), 'finished run')} in {_count(len(report.points), 'point')}, "
        f"{len(report.unfinished) or 'none'} without a result"
    )
    metric, best = METRIC_WORDS[report.metric], report.best
    told = f"{best[0].name}, {best[0].quality.describe().replace('+-', '±')}"
    if len(best) == 1:
        return f"{counts}. Best {metric}: {told}."
    return f"{counts}. {len(best)} points share the best {metric}; the cheapest: {told}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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
    if any(point.num_tokens is not None for point in report.points):
        sentences.append("Numbers are token counts.")
    if len({(point.series, point.num_tokens) for point in report.points}) > len({p.series for p in report.points}):
        sentences.append("A line joins points of a series that differ in the count alone.")
    sentences.append("Points on the Pareto front are outlined. Point at one, or choose it by Tab and the arrows:")
    return " ".join(sentences) + " it names its runs, and a click shows its row."


def _points(report: SweepReport) -> PageTable:
    """A row for each point, what matters most first."""
    rows: list[dict[str, object]] = []
    quality_name = METRIC_WORDS[report.metric]
    for point, on_gmacs, on_speed in zip(report.points, report.gmacs_front, report.speed_front, strict=True):
        quality = point.quality
        rows.append(
            {
                "series": point.series,
                "setting": point.label,
                quality_name: f"{quality.mean:.4f}",
                "±": "" if quality.std is None else f"{quality.std:.4f}",
                "GMACs": f"{point.gmacs:.4g}",
                f"{report.units[1]}/s": speed_words(point.speeds),
                "front": ", ".join(["cost"] * on_gmacs + ["speed"] * on_speed),
                "min": f"{quality.low:.4f}",
                "max": f"{quality.high:.4f}",
                **{
                    MORE_WORDS.get(key, key): f"{point.more[key].mean:.4f}" for key in MORE_METRICS if key in point.more
                },
                "runs": quality.count,
                "folders": " ".join(point.runs),
            }
        )
    return table_of(
        rows,
        texts=TEXTS,
        marked={i for i, best in enumerate(zip(report.gmacs_front, report.speed_front, strict=True)) if any(best)},
        tips={
            "±": "standard deviation over the runs of a point",
            "GMACs": f"giga multiply-adds of a {report.units[0]}",
            f"{report.units[1]}/s": "in inference: mean, and the slowest and the quickest run where they differ",
            "folders": "of the runs",
            "front": "where the point is on the Pareto front: of accuracy against GMACs, of accuracy against speed",
        },
        label="points",
        about=[f"point-{number}" for number in range(len(rows))],
    )


def _unfinished(runs: Sequence[Unfinished]) -> PageTable:
    rows = [(run.name, " ".join(run.overrides), run.state, run.reason) for run in runs]
    return PageTable(heads=["run", "overrides", "state", "reason"], rows=rows, label="runs without a result")
