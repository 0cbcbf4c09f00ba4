#!/usr/bin/env python3
"""Draw the pictures of the README and the documentation: python scripts/draw_docs_pictures.py [out=FOLDER]."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.data.synthetic.drawing import draw_clip
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.value_kinds import PATH

RESULTS = Path(__file__).parents[1] / "docs" / "results"
TABLE, PLACES = RESULTS / "photo_motion.csv", RESULTS / "place_of_generation.csv"
DPI, WIDTH_INCHES = 200, 8.0  # 1600 pixels
INK, QUIET, PAPER = "#1f2430", "#5b6472", "#ffffff"  # on a white sheet, so that a dark page shows it, too
COLOURS = {"semantic": "#1f5fbf", "tome": "#d9730d", "random": "#b3312c", "pool": "#2e8540", "dense": "#6b4fa0"}
WORDS = {
    "semantic": "semantic tokens",
    "tome": "token merging (ToMe)",
    "random": "random dropping",
    "pool": "mean pooling",
}
LABELS_AT = {"semantic": (0.124, 0.978), "tome": (0.1095, 0.9575), "random": (0.1075, 0.911), "pool": (0.1075, 0.864)}
COUNTS_AT = {"8": (0.0858, 0.9915), "16": (0.0915, 0.9575), "32": (0.1008, 0.9965), "64": (0.1206, 0.9925)}
# of the picture of places: its two sets, with the limits of their axes
SETS = {
    "photo_motion": ("photo_motion (drawn motions)", (0.95, 1.006)),
    "ego_gestures": ("ego_gestures (real clips)", (0.48, 0.88)),
}
WORDS_OF_PLACES = {
    "elastic": "one checkpoint, generation after 1, 2, 4, 6 of 12 blocks",
    "separate": "a training for each",
    "dense": "dense",
}
LINES = {
    "elastic": {"color": COLOURS["semantic"], "linewidth": 3, "marker": "o", "markersize": 8, "zorder": 4},
    "separate": {
        "color": COLOURS["tome"],
        "linewidth": 0,
        "marker": "s",
        "markersize": 7,
        "zorder": 5,
        "fillstyle": "none",
    },
    "dense": {"color": COLOURS["dense"], "linewidth": 0, "marker": "D", "markersize": 8, "zorder": 3},
}
COMMAND = Command(
    prog="python scripts/draw_docs_pictures.py",
    summary="Draw the pictures of the README and the documentation.",
    settings=(Setting(name="out", kind=PATH, default=Path("docs/assets"), help="folder for the pictures"),),
    examples=("python scripts/draw_docs_pictures.py", "python scripts/draw_docs_pictures.py out=/tmp/pictures"),
)


def read_points(table: Path = TABLE) -> dict[str, list[tuple[int, float, float, float]]]:
    """Of each slot its points: tokens, GMACs a view, top-1 and its deviation over the seeds, by rising cost."""
    points: dict[str, list[tuple[int, float, float, float]]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            _, _, slot = row["series"].partition(", ")
            gmacs, top1, deviation = (float(row[name]) for name in ("gmacs_per_view", "top1_mean", "std"))
            points.setdefault(slot or "dense", []).append((int(row["num_tokens"] or 256), gmacs, top1, deviation))
    return {slot: sorted(found, key=lambda point: point[1]) for slot, found in points.items()}


def draw_pareto() -> Any:
    """Accuracy against multiply-adds on photo_motion, as a figure."""
    figure, axes = _sheet(4.6)
    points = read_points()
    for slot, found in points.items():
        _, gmacs, top1, deviations = zip(*found, strict=True)
        big = slot in ("semantic", "dense")
        axes.errorbar(
            gmacs, top1, yerr=deviations, color=COLOURS[slot], marker="o" if slot != "dense" else "D",
            markersize=8 if big else 6, linewidth=3 if slot == "semantic" else 1.6, elinewidth=1.0, alpha=0.95,
            capsize=3, zorder=4 if slot == "semantic" else 3
        )  # fmt: skip
    for slot, place in LABELS_AT.items():
        weight = "bold" if slot == "semantic" else "normal"
        axes.text(*place, WORDS[slot], color=COLOURS[slot], fontsize=13, fontweight=weight, va="center")
    for count, place in COUNTS_AT.items():
        axes.text(*place, count, color=COLOURS["semantic"], fontsize=11.5, ha="center", va="center")
    ((_, cost, height, _),) = points["dense"]
    words = {"color": COLOURS["dense"], "fontsize": 13, "ha": "right", "va": "center", "linespacing": 1.35}
    axes.text(cost - 0.004, height, "dense: all 256 tokens\n(0.990 after 24 epochs)", **words)
    axes.set(xlim=(0.07, 0.246), ylim=(0.715, 1.008))
    axes.set_xlabel("GMACs a view (multiply-adds, 10⁹)", fontsize=13, color=INK)
    axes.set_ylabel("top-1 accuracy", fontsize=13, color=INK)
    axes.set_title("photo_motion after 8 epochs: 8 to 64 tokens in place of 256", fontsize=14.5, color=INK, pad=12)
    axes.text(0.243, 0.724, "mean and deviation of three seeds", fontsize=10.5, color=QUIET, ha="right")
    _plain_frame(axes, letters=11.5)
    return figure


def read_places(table: Path = PLACES) -> dict[str, dict[str, list[tuple[str, float, float, float]]]]:
    """Of each set and series its points: place of generation, share of the dense cost, top-1, deviation over folds."""
    found: dict[str, dict[str, list[tuple[str, float, float, float]]]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            point = (row["generate_at"], float(row["share"]), float(row["top1_mean"]), float(row["std"] or 0))
            found.setdefault(row["data"], {}).setdefault(row["series"], []).append(point)
    return found


def draw_places() -> Any:
    """One elastic checkpoint beside a training for each place of generation and the dense model, as a figure."""
    figure, whole = _sheet(4.5, is_plain=True)
    whole.axis("off")
    points = read_places()
    for number, (name, (title, limits)) in enumerate(SETS.items()):
        axes = figure.add_axes((0.1 + 0.48 * number, 0.15, 0.4, 0.63))
        for series, look in LINES.items():
            if found := points[name].get(series):
                _draw_series(axes, found, look, label_at=limits[0] + 0.04 * (limits[1] - limits[0]))
        axes.set(xlim=(0, 106), ylim=limits)
        axes.set_title(title, fontsize=13, color=INK, pad=8)
        axes.set_xlabel("multiply-adds, % of the dense model", fontsize=12, color=INK)
        _plain_frame(axes, letters=11)
    figure.axes[1].set_ylabel("top-1 accuracy", fontsize=13, color=INK)
    whole.set(xlim=(0, 1), ylim=(0, 1))
    for left, (series, text) in zip((0.05, 0.66, 0.9), WORDS_OF_PLACES.items(), strict=True):
        whole.plot([left], [0.94], **LINES[series])
        whole.text(left + 0.02, 0.94, text, color=LINES[series]["color"], fontsize=11.5, va="center")
    return figure


def _draw_series(axes: Any, points: Any, look: dict[str, Any], *, label_at: float) -> None:
    places, shares, top1, deviations = zip(*points, strict=True)
    costs = [100 * share for share in shares]
    axes.errorbar(costs, top1, yerr=deviations if any(deviations) else None, elinewidth=1.0, capsize=3, **look)
    for place, cost in zip(places, costs, strict=True) if look["linewidth"] else ():  # of the checkpoint, at the axis
        axes.text(cost, label_at, place, color=look["color"], fontsize=11, ha="center", va="center")


def _plain_frame(axes: Any, *, letters: float) -> None:
    axes.grid(color="#e4e7ec", linewidth=0.8)
    axes.tick_params(labelsize=letters, colors=QUIET)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _sheet(height_inches: float, *, is_plain: bool = False) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(WIDTH_INCHES, height_inches), dpi=DPI, facecolor=PAPER, layout=None if is_plain else "tight"
    )
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1)) if is_plain else figure.add_subplot()
    return figure, axes


def draw_how_it_works() -> Any:
    """A clip on its way to a label, as a figure; a unit of the axes is a tenth of an inch."""
    figure, axes = _sheet(3.5, is_plain=True)
    axes.set(xlim=(0, 80), ylim=(0, 35))
    axes.axis("off")
    _draw_clip(axes)
    _tokens(axes, x=15.4, y=7.5, columns=3, rows=14, size=1.0)
    _block(axes, x=21.6, y=6.6, width=10.4, height=19.8, text="first\nblocks", colour="#dbe6f7")
    axes.text(26.8, 9.4, "x 4", fontsize=11.5, ha="center", va="center", color=QUIET, zorder=4)
    _block(axes, x=36.2, y=6.6, width=13.4, height=19.8, colour="#fde8cf")
    axes.text(42.9, 22.6, "generation", fontsize=13, fontweight="bold", ha="center", va="center", color=INK, zorder=4)
    axes.text(42.9, 16.3, "pool to a\nsmall grid,\nattend back\nto all tokens", fontsize=11.5, ha="center", va="center",
              color=INK, linespacing=1.3, zorder=4)  # fmt: skip
    axes.text(42.9, 9.4, "x 2", fontsize=11.5, ha="center", va="center", color=QUIET, zorder=4)
    _tokens(axes, x=53.2, y=14.2, columns=1, rows=4, size=1.5, colour=COLOURS["semantic"])
    _block(axes, x=58.0, y=12.4, width=9.6, height=8.2, text="last\nblocks", colour="#dbe6f7")
    axes.text(62.8, 10.6, "x 6", fontsize=11.5, ha="center", va="center", color=QUIET)
    _block(axes, x=71.2, y=13.4, width=7.0, height=6.2, text="mean,\nhead", colour="#e3f1e5")
    for start, end in ((12.6, 15.0), (19.0, 21.4), (32.2, 36.0), (49.8, 52.8), (55.2, 57.8), (67.8, 71.0)):
        _arrow(axes, (start, 16.5), (end, 16.5))
    _arrow(axes, (74.7, 13.2), (74.7, 9.4))
    axes.text(74.7, 7.9, '"rotate"', fontsize=13, ha="center", va="center", color=INK)
    for x, y, text in ((6.6, 25.4, "clip"), (17.2, 30.0, "1568 patch\ntokens"), (56.4, 24.8, "64 semantic\ntokens")):
        axes.text(x, y, text, fontsize=12.5, ha="center", va="center", color=INK, linespacing=1.25)
    _span(axes, 15.4, 49.6, "costly: every patch of every frame")
    _span(axes, 52.0, 78.2, "cheap: few tokens")
    return figure


def _draw_clip(axes: Any) -> None:
    """Three frames of the embedded data set, one behind the other, with the borders of the patches."""
    frames = draw_clip("rotate", rng=np.random.default_rng(23), num_frames=16, height=96, width=96)
    for place, number in enumerate((12, 6, 0)):  # the first in front
        x, y = 4.0 - 1.5 * place, 14.8 - 2.2 * place
        axes.imshow(frames[number], extent=(x, x + 8.2, y, y + 8.2), zorder=2 + place, aspect="auto")
        axes.plot(
            [x, x + 8.2, x + 8.2, x, x], [y, y, y + 8.2, y + 8.2, y], color=PAPER, linewidth=1.6, zorder=2 + place
        )
    for step in np.linspace(0, 8.2, 5)[1:-1]:
        axes.plot([x + step, x + step], [y, y + 8.2], color=PAPER, linewidth=0.9, zorder=5)
        axes.plot([x, x + 8.2], [y + step, y + step], color=PAPER, linewidth=0.9, zorder=5)
    axes.set(xlim=(0, 80), ylim=(0, 35))


def _tokens(axes: Any, *, x: float, y: float, columns: int, rows: int, size: float, colour: str = "#8fa3bf") -> None:
    from matplotlib.patches import Rectangle

    for column in range(columns):
        for row in range(rows):
            corner = (x + column * size * 1.25, y + row * size * 1.3)
            axes.add_patch(Rectangle(corner, size, size, facecolor=colour, edgecolor="none", zorder=3))


def _block(axes: Any, *, x: float, y: float, width: float, height: float, colour: str, text: str = "") -> None:
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.9", facecolor=colour, zorder=3)
    box.set_edgecolor("#aab4c3")
    axes.add_patch(box)
    words = {"fontsize": 13, "fontweight": "bold", "ha": "center", "va": "center", "color": INK}
    axes.text(x + width / 2, y + height / 2, text, zorder=4, **words)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 1.6}, zorder=6
    )


def _span(axes: Any, start: float, end: float, text: str) -> None:
    axes.plot([start, start, end, end], [4.9, 4.2, 4.2, 4.9], color=QUIET, linewidth=1.1)
    axes.text((start + end) / 2, 2.3, text, fontsize=11.5, ha="center", va="center", color=QUIET)


def draw_all(given: Given) -> None:
    """Draw the pictures.

    Raises:
        OSError: one can't be written.
    """
    given.out.mkdir(parents=True, exist_ok=True)
    figures = {"pareto": draw_pareto(), "places": draw_places(), "how_it_works": draw_how_it_works()}
    for name, figure in figures.items():
        figure.savefig(given.out / f"{name}.png", metadata={"Software": None}, facecolor=PAPER)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures; gives the exit status."""
    return COMMAND.run(draw_all, arguments)


if __name__ == "__main__":
    sys.exit(main())
