"""What a sweep has shown: a table of its points, the fronts, what can't be told apart, and a picture."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stvit_video.sweeps.report.pareto import CLOSE, close_pairs, pareto_front
from stvit_video.sweeps.report.points import MEASURED, MORE_METRICS, Point, Run, Unfinished, metric_of
from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.plot_text import plot_text, write_literally

METRIC_WORDS = {
    **{"top1": "top-1 accuracy", "mean_average_precision": "mAP", "AP": "AP", "mIoU": "mIoU"},
    **{"frame_mean_average_precision": "frame mAP", "frame_accuracy": "frame accuracy"},
}
# by the metric: what a cost is of, and what a speed counts
WHAT_IS_MEASURED = dict.fromkeys(("AP", "mIoU"), ("picture", "pictures"))
# else the points are not quite comparable
SAME_EVERYWHERE = ("hardware", "commit", "protocol", "num_videos_used", "num_pictures_used", "picture_size")
MARKERS = "osD^vP*X<>"
MAX_LABELS = 24
MAX_SERIES_NAMED = 20  # in the legend, which else outgrows the picture
MAX_NAME_LENGTH = 60
MAX_NAMED = 3


@dataclass(frozen=True)
class SweepReport:
    """The finished runs of a sweep as points, and the rest.

    Attributes:
        runs: finished ones, at least one.
        points: of these runs.
        unfinished: the other runs.
    """

    runs: Sequence[Run]
    points: Sequence[Point]
    unfinished: Sequence[Unfinished] = ()

    @cached_property
    def metric(self) -> str:
        """The key of the main metric."""
        return metric_of(self.runs)

    @property
    def units(self) -> tuple[str, str]:
        """What a cost is of, and what a speed counts."""
        return WHAT_IS_MEASURED.get(self.metric, ("view", "clips"))

    @cached_property
    def gmacs_front(self) -> list[bool]:
        """Which points nobody beats in accuracy against multiply-adds."""
        return pareto_front([p.gmacs for p in self.points], [p.quality.mean for p in self.points])

    @cached_property
    def speed_front(self) -> list[bool]:
        """Which points nobody beats in accuracy against speed."""
        return pareto_front([-p.speed for p in self.points], [p.quality.mean for p in self.points])

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader must know before believing a difference."""
        return [*self._unmeasured(), *self._differences(), *self._close()]

    def _unmeasured(self) -> list[str]:
        """Whether a ranking by speed is to be believed."""
        once = sum(not run.result.get(MEASURED) for run in self.runs)
        if not once:
            return []
        return [
            f"{self.units[1]}/s of {once} of {len(self.runs)} runs was measured once, at the end of each, beside "
            "whatever else the machine did then; python -m stvit_video.sweep DIR --measure measures all in turn"
        ]

    def _differences(self) -> list[str]:
        found = []
        for key in SAME_EVERYWHERE:
            values = sorted({str(run.result.get(key)) for run in self.runs})
            if len(values) > 1:
                found.append(f"the runs differ in {key}: {'; '.join(values)}")
        return found

    def _close(self) -> list[str]:
        """A sentence for each point that has its cost in common with later ones."""
        others: dict[int, list[Point]] = {}
        for i, j in close_pairs([point.gmacs for point in self.points]):
            others.setdefault(i, []).append(self.points[j])
        return [
            f"{_with_cost(self.points[i])} lies within {CLOSE:.0%} of the cost of {_some(found)}: cost does not tell "
            "them apart"
            for i, found in others.items()
        ]


def _with_cost(point: Point) -> str:
    return f"{point.name} ({point.gmacs:.4g} GMACs)"


def _some(points: Sequence[Point]) -> str:
    """The first few by name, the others by their number."""
    told = ", ".join(_with_cost(point) for point in points[:MAX_NAMED])
    return told if len(points) <= MAX_NAMED else f"{told} and {len(points) - MAX_NAMED} more"


def report_rows(report: SweepReport) -> list[dict[str, str]]:
    """A row for each point, every value as a text."""
    rows = []
    for point, on_gmacs, on_speed in zip(report.points, report.gmacs_front, report.speed_front, strict=True):
        quality = point.quality
        rows.append(
            {
                "series": point.series,
                "setting": point.label,
                "num_tokens": "" if point.num_tokens is None else str(point.num_tokens),
                f"gmacs_per_{report.units[0]}": f"{point.gmacs:.6g}",
                f"{report.units[1]}_per_second": f"{point.speed:.4g}",
                f"{report.metric}_mean": f"{quality.mean:.4f}",
                "std": "" if quality.std is None else f"{quality.std:.4f}",
                "min": f"{quality.low:.4f}",
                "max": f"{quality.high:.4f}",
                "num_runs": str(quality.count),
                **{f"{key}_mean": f"{point.more[key].mean:.4f}" for key in MORE_METRICS if key in point.more},
                "best_for_gmacs": str(int(on_gmacs)),
                "best_for_speed": str(int(on_speed)),
                "runs": " ".join(point.runs),
            }
        )
    return rows


def format_rows(rows: Sequence[dict[str, str]]) -> str:
    """The rows as CSV; a column that only some have is empty for the others."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def save_plot(report: SweepReport, path: Path) -> None:
    """Draw accuracy against GMACs and against speed as PNG, with bars from the smallest to the largest run.

    Raises:
        OSError: the file can't be written.
    """
    figure = new_figure(11, 5, dpi=110)
    gmacs, speeds = ([getattr(p, key) for p in report.points] for key in ("gmacs", "speed"))
    left, right = figure.subplots(1, 2, sharey=True)
    _draw(left, report, gmacs, report.gmacs_front)
    _draw(right, report, speeds, report.speed_front)
    left.set(xlabel=f"GMACs of a {report.units[0]}", ylabel=METRIC_WORDS[report.metric])
    right.set(xlabel=f"{report.units[1]}/s in inference, measured")
    handles, names = left.get_legend_handles_labels()
    shown, families = plot_text(names[:MAX_SERIES_NAMED], max_length=MAX_NAME_LENGTH)
    legend = figure.legend(handles[:MAX_SERIES_NAMED], shown, loc="outside lower center", ncols=2, fontsize=8)
    write_literally(legend.get_texts(), families)
    figure.set_layout_engine("constrained")
    save_figure(figure, path)


def _draw(axes: Any, report: SweepReport, costs: Sequence[float], front: Sequence[bool]) -> None:
    """One panel: a colour and a mark for each series, a line along the front."""
    series = list(dict.fromkeys(point.series for point in report.points))
    for number, name in enumerate(series):
        mine = [i for i, point in enumerate(report.points) if point.series == name]
        spreads = [report.points[i].quality for i in mine]
        bars = [[s.mean - s.low for s in spreads], [s.high - s.mean for s in spreads]]
        marker, means = MARKERS[number % len(MARKERS)], [s.mean for s in spreads]
        axes.errorbar([costs[i] for i in mine], means, bars, fmt=marker, capsize=3, markersize=6, label=name)
    best = sorted((costs[i], point.quality.mean) for i, point in enumerate(report.points) if front[i])
    axes.plot([x for x, _ in best], [y for _, y in best], "k--", linewidth=1, alpha=0.6, label="Pareto front")
    axes.grid(alpha=0.3)
    if len(report.points) <= MAX_LABELS:
        middle = (min(costs) + max(costs)) / 2  # labels of points on the right stand to the left of them
        labels, families = plot_text((point.label for point in report.points), max_length=MAX_NAME_LENGTH)
        for x, point, label in zip(costs, report.points, labels, strict=True):
            side = {"xytext": (4, 4)} if x <= middle else {"xytext": (-4, 4), "ha": "right"}
            place = {**side, "textcoords": "offset points", "fontsize": 6}
            write_literally([axes.annotate(label, (x, point.quality.mean), **place)], families)
