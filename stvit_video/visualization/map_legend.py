"""The names of classes beside their colours: as a strip under a picture, or as a column in its corner."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from stvit_video.visualization.class_colours import Colour
from stvit_video.visualization.map_colours import map_colours
from stvit_video.visualization.text_image import letter_pixels as usual_letter_pixels
from stvit_video.visualization.text_image import name_fits, named_value_image

__all__ = ["LegendEntry", "corner_legend", "corner_letter_pixels", "legend_strip"]

PAPER, INK = 255, 0  # levels of grey
GAP_SHARE = 0.5  # of the size of the letters, around an entry and between its parts
GROUND_LIGHT = 0.35  # what is left of the light of the picture under a legend in its corner
MOST_WIDE, MOST_HIGH = 0.5, 0.5  # of a picture, that a legend in its corner may take
LEAST_LETTER_PIXELS = 8  # in a corner; smaller ones can't be read in a video
LEAST_LETTERS = 6  # of each name in a corner
LEAST_ROWS = 3  # in a corner, where there are as many names
HATCH_PIXELS = 3  # width of the stripes that stand for no colour


class LegendEntry(NamedTuple):
    """A line of a legend.

    Attributes:
        name: of a class.
        label: of the class; None = pixels without a colour.
        value: what stands behind the name, such as "12 %".
        colour: what no class has the colour of; None = the label tells it.
    """

    name: str
    label: int | None
    value: str = ""
    colour: Colour | None = None


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
    gap = _gap(letter_pixels)
    rows: list[list[_Cell]] = []
    used = width
    cells = [_cell(entry, letter_pixels, width - 3 * gap) for entry in entries[:most]]
    if left_out := len(entries) - len(cells):
        cells.append(_text_cell(f"and {left_out} more", letter_pixels, width - 3 * gap))
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


@lru_cache(maxsize=16)  # a video asks for every frame
def corner_letter_pixels(height: int, width: int, *, names: tuple[str, ...]) -> int | None:
    """The largest size of letters for `corner_legend` at which its names can be read; None = there is none.

    Three names fit, and of each name the first 6 letters. The size depends on all the names that may come, so it is
    the same in all frames of a video.

    Args:
        height: of the picture, in pixels.
        width: likewise.
        names: of all classes.
    """
    least_rows = min(len(names), LEAST_ROWS)
    for size in range(usual_letter_pixels(height, width), LEAST_LETTER_PIXELS - 1, -1):
        room = _name_room(_corner_room(width, size), size)
        if _num_rows(height, _ink_pixels(size), size) >= least_rows and all(
            name_fits(name, size_pixels=size, max_width_pixels=room, least_letters=LEAST_LETTERS) for name in names
        ):
            return size
    return None


def corner_legend(picture: np.ndarray, entries: Sequence[LegendEntry], *, letter_pixels: int) -> None:
    """Write entries into the upper left corner of a picture, one below the other, on a darkened ground.

    They take half of its width and half of its height at most; where not all fit, the last line counts the others, as
    in "+3".

    Args:
        picture: (H, W, 3) uint8, which is changed.
        entries: in their order.
        letter_pixels: size of the letters, see `corner_letter_pixels`.
    """
    height, width = picture.shape[:2]
    gap, most_wide = _gap(letter_pixels), _corner_room(width, letter_pixels)
    shown = [_cell(entry, letter_pixels, most_wide) for entry in entries]
    tallest = max((len(cell.square) for cell in shown), default=0)
    num_rows, step = _num_rows(height, tallest, letter_pixels), _step(tallest, letter_pixels)
    if len(shown) > num_rows:
        shown = shown[: max(num_rows - 1, 0)]
        shown += [_text_cell(f"+{len(entries) - len(shown)}", letter_pixels, most_wide)] if shown else []
    if not shown or not all(cell.ink.shape[1] for cell in shown):
        return
    ground = picture[: gap + step * len(shown), : gap + max(cell.width(gap) for cell in shown)]
    ground[:] = (ground * GROUND_LIGHT).astype(np.uint8)
    for number, cell in enumerate(shown):
        _place(picture, cell, top=gap // 2 + number * step, left=gap, gap=gap, ink=PAPER)


def _gap(letter_pixels: int) -> int:
    return max(round(GAP_SHARE * letter_pixels), 2)


def _corner_room(width: int, letter_pixels: int) -> int:
    """Pixels that an entry may take in the corner of a picture of this width."""
    return int(MOST_WIDE * width) - _gap(letter_pixels)


def _step(ink_pixels: int, letter_pixels: int) -> int:
    """From one line in a corner to the next, for lines of this height."""
    return ink_pixels + _gap(letter_pixels) // 2


def _num_rows(height: int, ink_pixels: int, letter_pixels: int) -> int:
    """Lines of this height that fit into the corner of a picture."""
    return max((int(MOST_HIGH * height) - _gap(letter_pixels)) // _step(ink_pixels, letter_pixels), 0)


def _ink_pixels(letter_pixels: int) -> int:
    """The height of a line of plain letters."""
    return len(named_value_image("a", "", size_pixels=letter_pixels, max_width_pixels=10 * letter_pixels))


def _name_room(entry_pixels: int, letter_pixels: int) -> int:
    """What an entry of this width has for its name and value, beside the square and the gaps."""
    return max(entry_pixels - 3 * letter_pixels, 0)


def _text_cell(text: str, letter_pixels: int, max_width_pixels: int) -> _Cell:
    """A line without a square."""
    ink = named_value_image(text, "", size_pixels=letter_pixels, max_width_pixels=max_width_pixels)
    return _Cell(ink, np.zeros((len(ink), 0, 3), dtype=np.uint8))


def _cell(entry: LegendEntry, letter_pixels: int, max_width_pixels: int) -> _Cell:
    most = _name_room(max_width_pixels, letter_pixels)
    ink = named_value_image(entry.name, entry.value, size_pixels=letter_pixels, max_width_pixels=most)
    side = len(ink)
    if entry.colour is None and entry.label is None:
        rows, columns = np.indices((side, side))
        levels = np.where((rows + columns) // HATCH_PIXELS % 2, 120, 210).astype(np.uint8)  # (side, side)
        return _Cell(ink, np.repeat(levels[:, :, None], 3, axis=2))
    colour = map_colours()[entry.label] if entry.colour is None else np.array(entry.colour, dtype=np.uint8)
    return _Cell(ink, np.broadcast_to(colour, (side, side, 3)))


def _place(canvas: np.ndarray, cell: _Cell, *, top: int, left: int, gap: int, ink: int) -> None:
    """Write the square, and the name behind it in a level of grey."""
    height, side = cell.square.shape[:2]
    canvas[top : top + height, left : left + side] = cell.square
    part = canvas[top : top + height, left + side + gap :][:, : cell.ink.shape[1]]
    share = cell.ink[:, :, None].astype(np.float32) / 255  # (h, w, 1)
    part[:] = (part * (1 - share) + ink * share).astype(np.uint8)
