"""What a sweep has shown: a table of its points, the fronts, and what can't be told apart."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stvit_video.sweeps.report.measured_with import fact_words
from stvit_video.sweeps.report.pareto import CLOSE, Spread, close_groups, pareto_front
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
DIGITS = 4  # of a quality: what is printed alike is alike
LEAST_WORTH = 0.001  # of a video in accuracy, from which on it is told


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
    def qualities(self) -> list[float]:
        """Of the points, as they are printed."""
        return [round(point.quality.mean, DIGITS) for point in self.points]

    @cached_property
    def best(self) -> list[Point]:
        """The points of the best quality, the cheapest first."""
        top = max(self.qualities)
        best = [point for point, quality in zip(self.points, self.qualities, strict=True) if quality == top]
        return sorted(best, key=lambda point: (point.gmacs, -point.speed))

    @property
    def shared_series(self) -> str:
        """The series of all points; "" where there are several, or nothing else names the points."""
        series = {point.series for point in self.points}
        return self.points[0].series if len(series) == 1 and any(point.label for point in self.points) else ""

    @cached_property
    def gmacs_front(self) -> list[bool]:
        """Which points nobody beats in accuracy against multiply-adds."""
        return pareto_front([point.gmacs for point in self.points], self.qualities)

    @cached_property
    def speed_front(self) -> list[bool]:
        """Which points nobody beats in accuracy against speed, which differs from run to run by a little anyway."""
        return pareto_front([-point.speed for point in self.points], self.qualities, tolerance=CLOSE)

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before believing a difference."""
        return [*self.faults, *self.ties]

    @cached_property
    def faults(self) -> list[str]:
        """What is wrong with the comparison as a whole."""
        return [*self._alike(), *self._unmeasured(), *self._differences()]

    def _alike(self) -> list[str]:
        """What one video is worth, and which points chance may have put below the best."""
        counts = {run.result.get("num_videos_used") for run in self.runs}
        count = counts.pop() if self.metric == "top1" and len(counts) == 1 else None
        worth, told = (1 / count, f"one of {count} videos is worth {1 / count:.2g}") if count else (0.0, "")
        first = self.best[0]
        near = [
            point
            for point in self.points
            if point is not first
            and (first.quality.mean - point.quality.mean <= worth + 1e-9 or point.quality.high >= first.quality.low)
        ]
        if not near:
            return [told] if worth >= LEAST_WORTH and len(self.points) > 1 else []
        spread = "the spread of runs" if any(point.quality.count > 1 for point in self.points) else ""
        within = " or within ".join(text for text in ("that" if worth else "", spread) if text) or "no distance"
        is_all = len(near) == len(self.points) - 1 > MAX_NAMED
        who = f"all other {len(near)} points" if is_all else self._some(near)
        lie = f"{who} {'lies' if len(near) == 1 else 'lie'} within {within} of the best, {self._name(first)}"
        return [f"{told}: {lie}" if told else lie]

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
        """A sentence for each group of points that have their cost in common."""
        groups = [[self.points[i] for i in group] for group in close_groups([point.gmacs for point in self.points])]
        return [
            f"{len(group)} points cost {_from_to(group[0].gmacs, group[-1].gmacs)} GMACs, within {CLOSE:.0%}: "
            f"cost does not tell {self._some(group)} apart"
            for group in groups
        ]

    def _name(self, point: Point) -> str:
        return point.label if self.shared_series and point.label else point.name

    def _some(self, points: Sequence[Point]) -> str:
        """The first few by name, the others by their number."""
        told = [self._name(point) for point in points]
        if len(told) > MAX_NAMED:
            told[MAX_NAMED:] = [f"{len(told) - MAX_NAMED} more"]
        return " and ".join(text for text in ("; ".join(told[:-1]), told[-1]) if text)


def speed_words(speeds: Spread) -> str:
    """Clips or pictures a second: three digits, and the slowest and the quickest run where these differ by them."""
    mean, low, high = (f"{float(f'{speed:.3g}'):.12g}" for speed in (speeds.mean, speeds.low, speeds.high))
    return mean if low == high else f"{mean} ({low} to {high})"


def _from_to(low: float, high: float) -> str:
    first, last = f"{low:.4g}", f"{high:.4g}"
    return first if first == last else f"{first} to {last}"


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
