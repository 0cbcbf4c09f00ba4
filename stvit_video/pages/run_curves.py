"""The course of a training as charts: loss and scores over epochs, each value told by hover."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stvit_video.evaluation.plots import Curve, curve_panels
from stvit_video.pages.charts import SHARES, axis_limits, chart_svg, series_look
from stvit_video.utils.figures import new_figure

__all__ = ["curve_charts"]

LOSS_AXIS: Mapping[str, Any] = {"least_span": 0.1}
SHARE_AXIS: Mapping[str, Any] = {"least_span": 0.02, "ends": SHARES}
MAX_TOLD = 40  # epochs of a curve that have a mark; of more, so many spread over it


def curve_charts(metrics_csv_path: Path) -> list[str]:
    """SVG charts, one for each panel of `curve_panels`; none where the file has nothing to draw.

    Args:
        metrics_csv_path: of Lightning's CSVLogger.

    Raises:
        OSError: the file can't be read.
    """
    return [_chart(title, curves) for title, curves in curve_panels(metrics_csv_path).items()]


def _chart(title: str, curves: Mapping[str, Curve]) -> str:
    figure = new_figure(5.8, 3.5, dpi=100, layout="constrained")
    axes, tips = figure.subplots(), {}
    for number, (name, curve) in enumerate(curves.items()):
        colour, marker = series_look(number)
        axes.plot([epoch + 1 for epoch in curve], list(curve.values()), color=colour, linewidth=1.5)
        epochs = [epoch for epoch, value in curve.items() if math.isfinite(value)]
        told = [epochs[place] for place in _spread(len(epochs), MAX_TOLD)]
        points = [epoch + 1 for epoch in told], [curve[epoch] for epoch in told]
        axes.plot(*points, marker, color=colour, markersize=4, label=name, gid=name)
        tips[name] = [f"{name}\nepoch {epoch}: {value:.4g}" for epoch, value in zip(*points, strict=True)]
    axes.set(xlabel="epoch", ylabel=title)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set_ylim(axis_limits(*axes.get_ylim(), **(LOSS_AXIS if title == "loss" else SHARE_AXIS)))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", framealpha=0.6)
    return chart_svg(figure, tips, label=f"{title} over epochs")


def _spread(length: int, count: int) -> Sequence[int]:
    """At most `count` places of 0 to length - 1, evenly spread, the first and the last among them."""
    if length <= count:
        return range(length)
    return [place * (length - 1) // (count - 1) for place in range(count)]
