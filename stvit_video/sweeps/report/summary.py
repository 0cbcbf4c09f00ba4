"""What a sweep has shown: a table of its points, the fronts, and what can't be told apart."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stvit_video.sweeps.report.measured_with import fact_words
from stvit_video.sweeps.report.pareto import CLOSE, close_pairs, pareto_front
from stvit_video.sweeps.report.points import MEASURED, MORE_METRICS, Point, Run, Unfinished, metric_of

METRIC_WORDS = {
    **{"top1": "top-1 accuracy", "mean_average_precision": "mAP", "AP": "AP", "mIoU": "mIoU"},
    **{"frame_mean_average_precision": "frame mAP", "frame_accuracy": "frame accuracy"},
}
# by the metric: what a cost is of, and what a speed counts
WHAT_IS_MEASURED = dict.fromkeys(("AP", "mIoU"), ("picture", "pictures"))
# else the points are not quite comparable
SAME_EVERYWHERE = ("hardware", "commit", "protocol", "num_videos_used", "num_pictures_used", "picture_size")
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

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before believing a difference."""
        return [*self.faults, *self.ties]

    @cached_property
    def faults(self) -> list[str]:
        """What is wrong with the comparison as a whole."""
        return [*self._unmeasured(), *self._differences()]

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
            values = sorted({fact_words(key, run.result.get(key)) for run in self.runs})
            if len(values) > 1:
                found.append(f"the runs differ in {key}: {'; '.join(values)}")
        return found

    @cached_property
    def ties(self) -> list[str]:
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
