"""Texts beside the points of a plot, each where it lies on no point and on no other text."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from stvit_video.utils.plot_text import write_literally

__all__ = ["write_beside"]

GAP_POINTS = 6.0  # between the centre of a point and its text
MARK_SHARE = 0.8  # of the gap, that the mark of a point reaches into
STEP_PIXELS = 3.0  # between the places of a line at which a text is in its way
# of the text's lower left corner: shares of its width and height, and of the gap
PLACES = (
    *((0.0, -0.5, 1.0, 0.0), (-0.5, 0.0, 0.0, 1.0), (-1.0, -0.5, -1.0, 0.0), (-0.5, -1.0, 0.0, -1.0)),
    *((0.0, 0.0, 0.6, 0.6), (-1.0, 0.0, -0.6, 0.6), (0.0, -1.0, 0.6, -0.6), (-1.0, -1.0, -0.6, -0.6)),
)


def write_beside(
    axes: Any,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    families: Sequence[str],
    colours: Sequence[str],
    fontsize: float,
    order: Iterable[int] | None = None,
    lines: Sequence[Sequence[tuple[float, float]]] = (),
) -> list[Any]:
    """Write a text beside each point, as far as there is a free place around it within the axes.

    Args:
        axes: whose layout and limits don't change any more; their figure has a canvas that can measure texts.
        points: (x, y) of each, in the units of the axes.
        texts: of the points; "" = none.
        families: fonts that have their letters, of `plot_text`.
        colours: of the texts.
        fontsize: in points.
        order: numbers of the points, those first that matter most; by default as they come.
        lines: corners of lines that texts stand on only where there is no better place.

    Returns:
        The annotation of each point; None where the text has no place.
    """
    figure, renderer = axes.figure, axes.figure.canvas.get_renderer()
    gap = GAP_POINTS * figure.dpi / 72
    centres = axes.transData.transform(np.asarray(points, dtype=float).reshape(-1, 2))  # (P, 2) pixels
    mark = MARK_SHARE * gap
    taken = np.concatenate([centres - mark, centres + mark], axis=1)  # (P, 4): left, bottom, right, top
    soft = np.concatenate([np.empty((0, 2)), *(_along(axes, line) for line in lines)])
    frame = axes.get_window_extent(renderer).extents
    written: list[Any] = [None] * len(texts)
    for number in range(len(texts)) if order is None else order:
        if not texts[number]:
            continue
        note = axes.annotate(
            texts[number], points[number], xytext=(0, 0), textcoords="offset points", fontsize=fontsize, va="bottom"
        )
        write_literally([note], families)
        note.set_color(colours[number])
        box = note.get_window_extent(renderer)
        place = _free_place(centres[number], (box.width, box.height), gap=gap, frame=frame, taken=taken, soft=soft)
        if place is None:
            note.remove()
            continue
        taken = np.concatenate([taken, place[None]])
        note.set_position(tuple((place[:2] - centres[number]) * 72 / figure.dpi))
        written[number] = note
    return written


def _free_place(
    centre: Any, size: tuple[float, float], *, gap: float, frame: Any, taken: Any, soft: Any
) -> np.ndarray | None:
    """The corners of the first free box around a point, on a line only where all others are; None = none is free."""
    free = []
    for across, up, right, above in PLACES:
        corner = centre + np.array([across * size[0] + right * gap, up * size[1] + above * gap])
        box = np.concatenate([corner, corner + size])
        if (box[:2] < frame[:2]).any() or (box[2:] > frame[2:]).any():
            continue
        if not ((box[:2] < taken[:, 2:]) & (taken[:, :2] < box[2:])).all(axis=1).any():
            free.append(box)
    crossed = [((soft > box[:2]) & (soft < box[2:])).all(axis=1).sum() for box in free]
    return free[int(np.argmin(crossed))] if free else None


def _along(axes: Any, line: Sequence[tuple[float, float]]) -> np.ndarray:
    """Places along a line, in pixels: (S, 2)."""
    corners = axes.transData.transform(np.asarray(line, dtype=float).reshape(-1, 2))
    pieces = [corners[:1]]
    for start, end in pairwise(corners):
        count = int(np.hypot(*(end - start)) // STEP_PIXELS) + 2
        pieces.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return np.concatenate(pieces)
