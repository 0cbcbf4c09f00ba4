"""What a search has found, for people and programs: a table, budget.csv, tried.csv and budget.png."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stvit_video.budgets.halving import Round
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.stored_front import FrontPoint, StoredFront
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.sweeps.report.pareto import pareto_front
from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.figures import new_figure, save_figure

SETTINGS = tuple(RunSettings.__dataclass_fields__)
HEADER = ("GMACs", "videos/s", "ms", "{metric}, {n} that chose", "{metric}, {m} others", "settings")


def format_front(front: StoredFront, *, own: RunSettings) -> str:
    """A table in Markdown, the cheapest setting first; intervals are of 95 %.

    Args:
        front: what was found.
        own: how the checkpoint runs by itself; what is alike is not repeated.
    """
    words = [cell.format(metric=front.metric, n=front.num_choosing, m=front.num_reporting) for cell in HEADER]
    lines = [f"| {' | '.join(words)} |", "|--:|--:|--:|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(_cells(point, own))} |" for point in front.points)])


def _cells(point: FrontPoint, own: RunSettings) -> list[str]:
    note = f" ({_note(point)})" if _note(point) else ""
    return [
        f"{point.gmacs:.3g}",
        f"{point.clips_per_second:.3g}",
        f"{point.latency_ms:.3g}",
        _with_interval(point.accuracy, point.interval),
        _with_interval(point.reported, point.reported_interval),
        (point.settings.words(own) or "as the checkpoint says") + note,
    ]


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.3f} ({low:.3f}-{high:.3f})"


def _note(point: FrontPoint) -> str:
    """What is odd about a point; "" = nothing."""
    if point.views_at_once >= MAX_VIEWS_PER_FORWARD:
        return ""
    return f"{point.views_at_once} views at once, not {MAX_VIEWS_PER_FORWARD}: more did not fit into memory"


def speed_front(points: Sequence[FrontPoint]) -> list[bool]:
    """Which points nobody beats in accuracy against videos a second."""
    return pareto_front([-point.clips_per_second for point in points], [point.accuracy for point in points])


def write_front(front: StoredFront, path: Path) -> None:
    """Write the points as CSV.

    Raises:
        OSError: it can't be written.
    """
    header = [*SETTINGS, "gmacs", "clips_per_second", "latency_ms"]
    for name in ("accuracy", "reported"):
        header += [name, f"{name}_low", f"{name}_high"]
    header += ["metric", "num_choosing", "num_reporting", "best_for_speed", "note"]
    rows = [
        [
            *_values(point.settings),
            *(f"{value:.6g}" for value in (point.gmacs, point.clips_per_second, point.latency_ms)),
            *(f"{value:.4f}" for value in (point.accuracy, *point.interval, point.reported, *point.reported_interval)),
            *(front.metric, front.num_choosing, front.num_reporting, int(is_best), _note(point)),
        ]
        for point, is_best in zip(front.points, speed_front(front.points), strict=True)
    ]
    write_table(path, header=header, rows=rows)


def write_tried(
    path: Path,
    *,
    settings: Sequence[RunSettings],
    costs: Sequence[float | None],
    rounds: Sequence[Round],
    lost: "dict[int, str]",
    metric: str,
) -> None:
    """Write every setting as CSV: its cost, the videos that it saw before it was dropped, and how good it was on these.

    Args:
        path: the CSV.
        settings: all.
        costs: GMACs of a video; None = the model can't run with it.
        rounds: of the search.
        lost: settings that did not fit into memory, and why.
        metric: name of the quality.

    Raises:
        OSError: it can't be written.
    """
    seen: dict[int, tuple[int, float]] = {}
    for one in rounds:
        seen |= {n: (one.num_videos, quality.main) for n, quality in zip(one.settings, one.qualities, strict=True)}
    rows = []
    for number, (one_setting, cost) in enumerate(zip(settings, costs, strict=True)):
        videos, quality = seen.get(number, (0, None))
        reason = "the model can't run with it" if cost is None else lost.get(number, "")
        rows.append(
            [
                *_values(one_setting),
                None if cost is None else f"{cost:.6g}",
                videos,
                None if quality is None else f"{quality:.4f}",
                reason or ("" if videos else "over the budget"),
            ]
        )
    write_table(path, header=[*SETTINGS, "gmacs", "num_videos", metric, "note"], rows=rows)


def _values(settings: RunSettings) -> list[Any]:
    plain = settings.plain().values()
    return ["x".join(map(str, value)) if isinstance(value, list) else value for value in plain]


def save_front_plot(front: StoredFront, path: Path) -> None:
    """Draw accuracy against GMACs and against videos a second as PNG, with intervals, of both halves of the videos.

    Raises:
        OSError: the file can't be written.
    """
    figure = new_figure(11, 5, dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    points = list(front.points)
    fast = [point for point, is_best in zip(points, speed_front(points), strict=True) if is_best]
    _draw(left, [point.gmacs for point in points], points, front=front)
    _draw(right, [point.clips_per_second for point in fast], fast, front=front)
    left.set(xlabel="GMACs of a video, all views", ylabel=front.metric, xscale="log")
    right.set(xlabel=f"videos/s on {front.hardware}", xscale="log")
    left.legend(fontsize=8)
    save_figure(figure, path)


def _draw(axes: Any, costs: Sequence[float], points: Sequence[FrontPoint], *, front: StoredFront) -> None:
    """One panel: what the choosing videos say as a line, what the others say as marks beside it."""
    for name, style, words in (
        ("accuracy", "o-", f"{front.num_choosing} videos that chose"),
        ("reported", "s", f"{front.num_reporting} other videos"),
    ):
        values = [getattr(point, name) for point in points]
        pairs = [point.interval if name == "accuracy" else point.reported_interval for point in points]
        bars = [
            [max(0.0, value - low) for value, (low, _) in zip(values, pairs, strict=True)],
            [max(0.0, high - value) for value, (_, high) in zip(values, pairs, strict=True)],
        ]
        order = sorted(range(len(points)), key=lambda i: costs[i])
        xs, ys = [costs[i] for i in order], [values[i] for i in order]
        axes.errorbar(
            xs, ys, [[bar[i] for i in order] for bar in bars], fmt=style, capsize=3, markersize=5, label=words
        )
    axes.grid(alpha=0.3)
