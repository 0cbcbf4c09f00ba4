"""pr_curves.png: precision over recall, of all classes together and of each class."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.evaluation.detection.coco_scores import CocoScores
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.plot_text import plot_text, write_literally

__all__ = ["save_precision_curves"]

KINDS = {"bbox": "boxes", "segm": "masks"}
MAX_CLASSES_NAMED = 12  # that have a curve of their own; of more, the best and the worst have one
MAX_NAME_LENGTH = 24
SHOWN_THRESHOLDS = (0.5, 0.75, 0.9)
LINE_STYLES = ("-", "--", ":")
ColourOf = Callable[[int], tuple[int, int, int]]


def save_precision_curves(scores: Mapping[str, CocoScores], path: Path, *, colour_of: ColourOf) -> None:
    """Draw the curves: one row for each IoU type, means over the classes at the left, classes at IoU .50 at the right.

    Args:
        scores: by IoU type.
        path: the PNG; it is written in one step.
        colour_of: gives the colour of a class by its label: red, green, blue, 0 to 255.

    Raises:
        OSError: it can't be written.
    """
    figure = new_figure(11, 4.6 * len(scores), dpi=120, layout="constrained")
    rows = figure.subplots(len(scores), 2, squeeze=False)
    for (iou_type, found), (left, right) in zip(scores.items(), rows, strict=True):
        _draw_means(left, found, KINDS[iou_type])
        _draw_classes(right, found, KINDS[iou_type], colour_of)
    with atomically(path) as part, part.open("wb") as file:
        save_figure(figure, file)


def _draw_means(axes: Any, scores: CocoScores, kind: str) -> None:
    """The mean precision of all classes at a few thresholds, and over all thresholds."""
    with_objects = ~np.isnan(scores.precision).all(axis=(0, 1))  # (classes,)
    precision = scores.precision[:, :, with_objects]
    if precision.size:
        for threshold, style in zip(SHOWN_THRESHOLDS, LINE_STYLES, strict=True):
            place = int(np.abs(scores.iou_thresholds - threshold).argmin())
            values = precision[place].mean(axis=1)  # (recalls,)
            axes.plot(scores.recalls, values, style, color="C0", label=f"IoU {threshold:.2f}: {values.mean():.3f}")
        values = precision.mean(axis=(0, 2))
        axes.plot(scores.recalls, values, color="black", lw=2, label=f"mean of .50 to .95 (AP): {values.mean():.3f}")
    _finish(axes, f"{kind}: mean of {_classes(int(with_objects.sum()))}", has_curves=bool(precision.size))


def _draw_classes(axes: Any, scores: CocoScores, kind: str, colour_of: ColourOf) -> None:
    """The precision of classes at IoU .50."""
    curves = {label: scores.precision[0, :, label] for label in range(len(scores.per_class))}
    curves = {label: values for label, values in curves.items() if not np.isnan(values).any()}
    ranked = sorted(curves, key=lambda label: -curves[label].mean())
    shown = ranked if len(ranked) <= MAX_CLASSES_NAMED else _ends(ranked, MAX_CLASSES_NAMED)
    names, families = plot_text((scores.per_class[label].name for label in shown), max_length=MAX_NAME_LENGTH)
    for place, (label, name) in enumerate(zip(shown, names, strict=True)):
        style = LINE_STYLES[place // 10 % len(LINE_STYLES)]
        colour = [level / 255 for level in colour_of(label)]
        text = f"{name}: {curves[label].mean():.3f}"
        axes.plot(scores.recalls, curves[label], style, color=colour, label=text)
    which = "" if len(shown) == len(ranked) else f", best and worst of {len(ranked)} classes"
    legend = _finish(axes, f"{kind}, IoU .50{which}", has_curves=bool(shown))
    if legend is not None:
        write_literally(legend.get_texts(), families)


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"


def _ends(ranked: list[int], count: int) -> list[int]:
    return ranked[: count // 2] + ranked[-(count - count // 2) :]


def _finish(axes: Any, title: str, *, has_curves: bool) -> Any:
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.3)
    if not has_curves:
        axes.text(0.5, 0.5, "no object of any class", ha="center", va="center", transform=axes.transAxes)
        return None
    return axes.legend(fontsize=8, loc="best")
