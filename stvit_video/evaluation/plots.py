"""Pictures of results, written as PNG with matplotlib's Agg backend (no display, no global state)."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

MAX_NAME_LENGTH = 32
MAX_CLASSES_WITH_NUMBERS = 25
PANELS = {
    "loss": ("train/loss", "val/loss"),
    "top-1": ("train/top1", "train/top1_mixed", "val/top1"),
    "mAP": ("val/mAP",),
}


def save_confusion_matrix(matrix: Tensor, classes: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: rows = true class, colour = share of the row, counts where they fit.

    Up to 25 classes have counts in the cells; more have names only, small, in a picture large enough to zoom.

    Args:
        matrix: (num_classes, num_classes) counts, rows = true class, columns = predicted class.
        classes: names in the order of the rows.
        path: the PNG file to write.

    Raises:
        ValueError: the matrix is not square or has another size than `classes`.
    """
    num_classes = len(classes)
    if tuple(matrix.shape) != (num_classes, num_classes):
        raise ValueError(f"the matrix is {tuple(matrix.shape)} but there are {num_classes} class names")
    small = num_classes > MAX_CLASSES_WITH_NUMBERS
    side_inches = 2.5 + num_classes * (0.12 if small else 0.45)
    figure = _figure(side_inches + 1.5, side_inches)
    axes = figure.add_subplot()
    shares = matrix.double() / matrix.sum(dim=1, keepdim=True).clamp(min=1)  # rows sum to 1, or are empty
    image = axes.imshow(shares.numpy(), cmap="Blues", vmin=0.0, vmax=1.0)
    _name_axes(axes, classes, font_size=6 if small else 9)
    if not small:
        _write_counts(axes, matrix, shares)
    figure.colorbar(image, ax=axes, fraction=0.04, label="share of the true class")
    figure.savefig(path, dpi=100, bbox_inches="tight")


def save_curves(metrics_csv_path: Path, png_path: Path) -> None:
    """Draw loss and top-1 (several labels a video: mAP) over epochs from the metrics.csv of Lightning's CSVLogger.

    The logger writes a row per logging call and leaves most cells empty; an empty cell is no value and
    is left out. Several values of one epoch (logged steps) are averaged. An absent column is not drawn, a panel of
    absent columns is left out.

    Args:
        metrics_csv_path: has a column epoch and any of the columns in PANELS.
        png_path: the PNG file to write.

    Raises:
        ValueError: the file has none of these columns with a value, or no column epoch.
    """
    curves = {name: read_curve(metrics_csv_path, name) for names in PANELS.values() for name in names}
    if not any(curves.values()):
        raise ValueError(
            f"{metrics_csv_path} has nothing to draw; it needs columns epoch and any of {', '.join(curves)}"
        )
    panels = {title: names for title, names in PANELS.items() if any(curves[name] for name in names)}
    figure = _figure(4.5 * len(panels), 3.5)
    for number, (title, names) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for name in names:
            if curves[name]:
                axes.plot(list(curves[name]), list(curves[name].values()), marker=".", label=name)
        axes.set(xlabel="epoch", ylabel=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(png_path, dpi=120)


def read_curve(metrics_csv_path: Path, name: str) -> dict[int, float]:
    """Epoch -> mean of the values that column `name` has in that epoch; empty if there is no such column."""
    values: dict[int, list[float]] = {}
    with metrics_csv_path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch, value = row.get("epoch"), row.get(name)
            if epoch and value:
                values.setdefault(int(float(epoch)), []).append(float(value))
    return {epoch: sum(found) / len(found) for epoch, found in sorted(values.items())}


def _figure(width_inches: float, height_inches: float) -> Any:
    """A figure that draws with Agg and is known to no pyplot registry."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inches, height_inches))
    FigureCanvasAgg(figure)
    return figure


def _name_axes(axes: Any, classes: Sequence[str], *, font_size: int) -> None:
    """Class names on both axes, taken literally ("$" is no formula) and cut to a bounded length."""
    names = [n if len(n) <= MAX_NAME_LENGTH else n[: MAX_NAME_LENGTH - 1] + "…" for n in classes]
    axes.set_xticks(range(len(names)), labels=names, rotation=90, fontsize=font_size)
    axes.set_yticks(range(len(names)), labels=names, fontsize=font_size)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
    axes.set(xlabel="predicted", ylabel="true")


def _write_counts(axes: Any, matrix: Tensor, shares: Tensor) -> None:
    """The count in every non-empty cell, light on dark."""
    for row, column in matrix.nonzero().tolist():
        colour = "white" if shares[row, column] > 0.5 else "black"
        count = str(int(matrix[row, column]))
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
