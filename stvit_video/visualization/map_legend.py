"""The names of classes beside their colours: as a strip under a picture, or as a column in its corner."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stvit_video.visualization.map_colours import map_colours
from stvit_video.visualization.text_image import named_value_image

__all__ = ["LegendEntry", "corner_legend", "legend_strip"]

PAPER, INK = 255, 0  # levels of grey
GAP_SHARE = 0.5  # of the size of the letters, around an entry and between its parts
GROUND_LIGHT = 0.35  # what is left of the light of the picture under a legend in its corner
MOST_WIDE, MOST_HIGH = 0.4, 0.5  # of a picture, that a legend in its corner may take
HATCH_PIXELS = 3  # width of the stripes that stand for no colour


class LegendEntry(NamedTuple):
    """A line of a legend.

    Attributes:
        name: of a class.
        label: of the class; None = pixels without a colour.
        value: what stands behind the name, such as "12 %".
    """

    name: str
    label: int | None
    value: str = ""


class _Cell(NamedTuple):
    """An entry as pixels: its ink (h, w) uint8 and its square of colour (h, h, 3) uint8, or none (h, 0, 3)."""

    ink: np.ndarray
    square: np.ndarray

    def width(self, gap: int) -> int:
        """With a gap between the square and the name, and one behind it."""
        return self.square.shape[1] + 2 * gap + self.ink.shape[1]


def legend_strip(
    entries: Sequence[LegendEntry], *, width: int, letter_pixels: int, most: int | None = None
) -> np.ndarray:
    """Entries in as many rows as they need, on white.

    Args:
        entries: in their order; a name that is too long for the strip is cut.
        width: of the strip, in pixels.
        letter_pixels: size of the letters.
        most: entries behind so many are only counted; None = all are shown.

    Returns:
        (h, width, 3) uint8; h = 0 without entries.
    """
    gap = max(round(GAP_SHARE * letter_pixels), 2)
    rows: list[list[_Cell]] = []
    used = width
    cells = [_cell(entry, letter_pixels, width - 3 * gap) for entry in entries[:most]]
    if left_out := len(entries) - len(cells):
        ink = named_value_image(f"and {left_out} more", "", size_pixels=letter_pixels, max_width_pixels=width - 3 * gap)
        cells.append(_Cell(ink, np.zeros((len(ink), 0, 3), dtype=np.uint8)))
    for cell in cells:
        if used + cell.width(gap) > width:
            rows.append([])
            used = gap
        rows[-1].append(cell)
        used += cell.width(gap)
    step = max((len(cell.square) for row in rows for cell in row), default=0) + gap
    strip = np.full((step * len(rows) + gap * bool(rows), width, 3), PAPER, dtype=np.uint8)
    for number, row in enumerate(rows):
        left = gap
        for cell in row:
            _place(strip, cell, top=gap + number * step, left=left, gap=gap, ink=INK)
            left += cell.width(gap)
    return strip


def corner_legend(picture: np.ndarray, entries: Sequence[LegendEntry], *, letter_pixels: int) -> None:
    """Write entries into the upper left corner of a picture, one below the other, on a darkened ground.

    They take two fifths of its width and half of its height at most; entries that don't fit are left out.

    Args:
        picture: (H, W, 3) uint8, which is changed.
        entries: in their order.
        letter_pixels: size of the letters.
    """
    height, width = picture.shape[:2]
    gap = max(round(GAP_SHARE * letter_pixels), 2)
    cells = [_cell(entry, letter_pixels, int(MOST_WIDE * width) - gap) for entry in entries]
    step = max((len(cell.square) for cell in cells), default=0) + gap // 2
    shown = [cell for cell in cells if cell.ink.shape[1]][: max((int(MOST_HIGH * height) - gap) // step, 0)]
    if not shown:
        return
    ground = picture[: gap + step * len(shown), : gap + max(cell.width(gap) for cell in shown)]
    ground[:] = (ground * GROUND_LIGHT).astype(np.uint8)
    for number, cell in enumerate(shown):
        _place(picture, cell, top=gap // 2 + number * step, left=gap, gap=gap, ink=PAPER)


def _cell(entry: LegendEntry, letter_pixels: int, max_width_pixels: int) -> _Cell:
    most = max(max_width_pixels - 3 * letter_pixels, 0)
    ink = named_value_image(entry.name, entry.value, size_pixels=letter_pixels, max_width_pixels=most)
    side = len(ink)
    if entry.label is None:
        rows, columns = np.indices((side, side))
        levels = np.where((rows + columns) // HATCH_PIXELS % 2, 120, 210).astype(np.uint8)  # (side, side)
        return _Cell(ink, np.repeat(levels[:, :, None], 3, axis=2))
    return _Cell(ink, np.broadcast_to(map_colours()[entry.label], (side, side, 3)))


def _place(canvas: np.ndarray, cell: _Cell, *, top: int, left: int, gap: int, ink: int) -> None:
    """Write the square, and the name behind it in a level of grey."""
    height, side = cell.square.shape[:2]
    canvas[top : top + height, left : left + side] = cell.square
    part = canvas[top : top + height, left + side + gap :][:, : cell.ink.shape[1]]
    share = cell.ink[:, :, None].astype(np.float32) / 255  # (h, w, 1)
    part[:] = (part * (1 - share) + ink * share).astype(np.uint8)
