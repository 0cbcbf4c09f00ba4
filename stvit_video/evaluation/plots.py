"""Pictures of results, see `stvit_video.utils.figures`."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.plot_text import plot_text, write_literally

MAX_NAME_LENGTH = 32
MAX_CLASSES_WITH_NUMBERS = 25
MAX_CLASSES_WITH_NAMES = 100
MAX_CELLS = 800  # a side of a matrix that is shown in fewer dots than it has classes
NUM_PAIRS = 40
PANELS = {
    "loss": ("train/loss", "val/loss"),
    "top-1": ("train/top1", "train/top1_mixed", "val/top1"),
    "mAP": ("val/mAP",),
    "AP": ("val/AP", "val/AP50", "val/box_AP"),
    "share": ("val/mIoU", "val/mAcc", "val/aAcc"),
}
Curve = dict[int, float]  # epoch, from 0 -> value


def save_confusion_matrix(matrix: Tensor, classes: Sequence[str], path: Path, *, in_percent: bool = False) -> None:
    """Draw a confusion matrix: rows = true class, colour = share of the row, counts where they fit.

    Up to 25 classes have counts in the cells, up to 100 have names only, small. More classes have their numbers, and
    the most confused pairs stand beside the matrix by name; a dot is the largest share of the cells that it is for.

    Args:
        matrix: (num_classes, num_classes) counts, rows = true class, columns = predicted class.
        classes: names in the order of the rows.
        path: the PNG file to write.
        in_percent: the counts are of pixels, which have too many digits: write percents of the row.

    Raises:
        ValueError: the matrix is not square or has another size than `classes`.
    """
    num_classes = len(classes)
    if tuple(matrix.shape) != (num_classes, num_classes):
        raise ValueError(f"the matrix is {tuple(matrix.shape)} but there are {num_classes} class names")
    if num_classes > MAX_CLASSES_WITH_NAMES:
        figure = _matrix_with_pairs(matrix, classes, in_percent=in_percent)
    else:
        figure = _matrix_with_names(matrix, classes, in_percent=in_percent)
    save_figure(figure, path, is_cropped=True)


def most_confused(matrix: Tensor, *, count: int) -> list[tuple[int, int, int]]:
    """The pairs (true class, predicted class, videos) that were mistaken most often, at most `count`.

    Of equally many videos those come first that are more of their true class, then the first classes.
    """
    rows, columns = matrix.nonzero(as_tuple=True)  # as many as there are videos, or fewer
    is_wrong = rows != columns
    rows, columns = rows[is_wrong], columns[is_wrong]
    counts = matrix[rows, columns]
    by_share = (counts / matrix.sum(dim=1)[rows]).argsort(descending=True, stable=True)
    best = by_share[counts[by_share].argsort(descending=True, stable=True)][:count]
    return list(zip(rows[best].tolist(), columns[best].tolist(), map(int, counts[best].tolist()), strict=True))


def pooled_shares(matrix: Tensor, *, max_cells: int) -> Tensor:
    """Shares of the rows, of blocks of classes the largest: (n, n) float32 with n at most `max_cells`.

    Rows sum to 1, or are empty, where a block is one class.
    """
    size = math.ceil(len(matrix) / max_cells)
    pooled = []
    for rows in matrix.split(size):  # so that the shares of all classes are never there at once
        shares = rows.float() / rows.sum(dim=1, keepdim=True).clamp(min=1)  # (size, num_classes)
        pooled.append(torch.stack([block.max() for block in shares.split(size, dim=1)]))
    return torch.stack(pooled)


def save_curves(metrics_csv_path: Path, png_path: Path) -> None:
    """Draw loss and top-1, mAP, AP or mIoU, mAcc and aAcc over epochs, from the metrics.csv of Lightning's CSVLogger.

    The logger writes a row per logging call and leaves most cells empty; an empty cell is no value and
    is left out. Several values of one epoch (logged steps) are averaged. An absent column is not drawn, a panel of
    absent columns is left out.

    Args:
        metrics_csv_path: has a column epoch and any of the columns in PANELS.
        png_path: the PNG file to write.

    Raises:
        ValueError: the file has none of these columns with a value, or no column epoch.
    """
    panels = curve_panels(metrics_csv_path)
    if not panels:
        names = ", ".join(name for names in PANELS.values() for name in names)
        raise ValueError(f"{metrics_csv_path} has nothing to draw; it needs columns epoch and any of {names}")
    figure = new_figure(4.5 * len(panels), 3.5, dpi=120)
    for number, (title, curves) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for name, curve in curves.items():
            epochs = [epoch + 1 for epoch in curve]  # from 1, as they are printed
            axes.plot(epochs, list(curve.values()), marker=".", label=name)
        axes.set(xlabel="epoch", ylabel=title)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    save_figure(figure, png_path)


def curve_panels(metrics_csv_path: Path) -> dict[str, dict[str, Curve]]:
    """The curves of each panel of PANELS by name; columns and panels without a value are left out.

    Args:
        metrics_csv_path: see `save_curves`.
    """
    curves = {name: read_curve(metrics_csv_path, name) for names in PANELS.values() for name in names}
    panels = {title: {name: curves[name] for name in names if curves[name]} for title, names in PANELS.items()}
    return {title: found for title, found in panels.items() if found}


def read_curve(metrics_csv_path: Path, name: str) -> Curve:
    """Epoch -> mean of the values that column `name` has in that epoch; empty if there is no such column."""
    values: dict[int, list[float]] = {}
    with metrics_csv_path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            epoch, value = row.get("epoch"), row.get(name)
            if epoch and value:
                values.setdefault(int(float(epoch)), []).append(float(value))
    return {epoch: sum(found) / len(found) for epoch, found in sorted(values.items())}


def _matrix_with_names(matrix: Tensor, classes: Sequence[str], *, in_percent: bool) -> Any:
    num_classes = len(classes)
    is_small = num_classes > MAX_CLASSES_WITH_NUMBERS
    side_inches = 2.5 + num_classes * (0.12 if is_small else 0.45)
    figure = new_figure(side_inches + 1.5, side_inches, dpi=100)
    axes = figure.add_subplot()
    shares = pooled_shares(matrix, max_cells=num_classes)
    _show(figure, axes, shares)
    _name_axes(axes, classes, font_size=6 if is_small else 9)
    if in_percent and not is_small:
        axes.set(ylabel="true (numbers are percents of its pixels)")
    if not is_small:
        _write_counts(axes, matrix, shares, in_percent=in_percent)
    return figure


def _matrix_with_pairs(matrix: Tensor, classes: Sequence[str], *, in_percent: bool) -> Any:
    figure = new_figure(19, 10.5, dpi=100)
    axes, beside = figure.subplots(1, 2, width_ratios=(2, 1))
    shares, num_classes = pooled_shares(matrix, max_cells=MAX_CELLS), len(classes)
    _show(figure, axes, shares, extent=(-0.5, num_classes - 0.5, num_classes - 0.5, -0.5))
    size = math.ceil(num_classes / MAX_CELLS)
    blocks = "" if size == 1 else f"; each dot is the largest share of {size} x {size} classes"
    axes.set(xlabel="predicted (number of the class)", ylabel=f"true (number of the class){blocks}")
    beside.set_axis_off()
    pairs = most_confused(matrix, count=NUM_PAIRS)
    names, families = plot_text((classes[i] for pair in pairs for i in pair[:2]), max_length=MAX_NAME_LENGTH)
    unit = ", in percent of the true class" if in_percent else ""
    lines = [f"most confused of {num_classes} classes{unit}: true > predicted"]
    for (true, predicted, count), name, other in zip(pairs, names[::2], names[1::2], strict=True):
        whole = int(matrix[true].sum())
        part = f"{_percent(count / whole)} %" if in_percent else f"{count} of {whole}"
        lines.append(f"{part}: {name} ({true}) > {other} ({predicted})")
    texts = [
        beside.text(0, 1 - number / (NUM_PAIRS + 1), line, va="top", fontsize=8) for number, line in enumerate(lines)
    ]
    write_literally(texts, families)
    return figure


def _show(figure: Any, axes: Any, shares: Tensor, **settings: Any) -> None:
    image = axes.imshow(shares.numpy(), cmap="Blues", vmin=0.0, vmax=1.0, **settings)
    figure.colorbar(image, ax=axes, fraction=0.04, label="share of the true class")


def _name_axes(axes: Any, classes: Sequence[str], *, font_size: int) -> None:
    """Class names on both axes, taken literally and cut to a bounded length."""
    names, families = plot_text(classes, max_length=MAX_NAME_LENGTH)
    axes.set_xticks(range(len(names)), labels=names, rotation=90, fontsize=font_size)
    axes.set_yticks(range(len(names)), labels=names, fontsize=font_size)
    write_literally((*axes.get_xticklabels(), *axes.get_yticklabels()), families)
    axes.set(xlabel="predicted", ylabel="true")


def _write_counts(axes: Any, matrix: Tensor, shares: Tensor, *, in_percent: bool) -> None:
    """The count, or percent, in every non-empty cell, light on dark."""
    for row, column in matrix.nonzero().tolist():
        colour = "white" if shares[row, column] > 0.5 else "black"
        count = _percent(float(shares[row, column])) if in_percent else str(int(matrix[row, column]))
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.005 else "<1"
