"""A sheet of pairs of pictures, such as truth and prediction, three pairs in a row, each with a title."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stvit_video.utils.atomic_files import atomically
from stvit_video.visualization.text_image import text_image

__all__ = ["Half", "Pair", "fitted_size", "paired_sheet", "resized_picture", "save_sheet"]

HALF_PIXELS = 320  # the long side of a picture
GAP_PIXELS = 6
PAIR_PIXELS = 2 * HALF_PIXELS + 3 * GAP_PIXELS
PAIRS_A_ROW = 3
TITLE_SIZE = 15
TITLE_PIXELS = 24
PAPER, EMPTY = 255, 225  # levels of grey

Half = tuple[str, np.ndarray]  # title and pixels (h, w, 3) uint8, of at most HALF_PIXELS a side


@dataclass(frozen=True, eq=False)
class Pair:
    """One pair of the sheet.

    Attributes:
        title: such as "best: AP .83, a.jpg", for a pair that can't be drawn.
        draw: gives the left half and the right one, of equal sizes. Where it raises OSError, RuntimeError or
            ValueError, the reason stands in their place.
    """

    title: str
    draw: Callable[[], tuple[Half, Half]]


def paired_sheet(pairs: Sequence[Pair]) -> np.ndarray:
    """Draw the pairs.

    Args:
        pairs: in the order of the sheet, at least one.

    Returns:
        (H, W, 3) uint8.
    """
    rows = []
    for start in range(0, len(pairs), PAIRS_A_ROW):
        cells = [_cell(pair) for pair in pairs[start : start + PAIRS_A_ROW]]
        row = np.full((max(map(len, cells)), PAIRS_A_ROW * PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
        for place, cell in enumerate(cells):
            row[: len(cell), place * PAIR_PIXELS : (place + 1) * PAIR_PIXELS] = cell
        rows.append(row)
    return np.concatenate(rows, axis=0)


def save_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write a sheet (H, W, 3) uint8 as a PNG, in one step.

    Raises:
        OSError: the file can't be written.
    """
    with atomically(path) as part, part.open("wb") as file:
        Image.fromarray(sheet).save(file, format="PNG")


def fitted_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of a half for a picture of this size: its long side has HALF_PIXELS."""
    scale = HALF_PIXELS / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def resized_picture(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 in the size of a half."""
    height, width = fitted_size(*picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def _cell(pair: Pair) -> np.ndarray:
    """(h, PAIR_PIXELS, 3) uint8, as high as the pictures need."""
    try:
        halves = pair.draw()
    except (OSError, RuntimeError, ValueError) as error:
        cell = np.full((TITLE_PIXELS + HALF_PIXELS // 2, PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
        cell[TITLE_PIXELS:-GAP_PIXELS, GAP_PIXELS:-GAP_PIXELS] = EMPTY
        _write(cell, f"{pair.title}: {error}", left=GAP_PIXELS, width=PAIR_PIXELS - 2 * GAP_PIXELS)
        return cell
    height = len(halves[0][1])
    cell = np.full((TITLE_PIXELS + height + GAP_PIXELS, PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
    for number, (title, pixels) in enumerate(halves):
        left = GAP_PIXELS + number * (HALF_PIXELS + GAP_PIXELS)
        cell[TITLE_PIXELS : TITLE_PIXELS + height, left : left + pixels.shape[1]] = pixels
        _write(cell, title, left=left, width=HALF_PIXELS)
    return cell


def _write(cell: np.ndarray, text: str, *, left: int, width: int) -> None:
    """A title of a cell, from a column on and at most so wide, in pixels."""
    ink = text_image(text, size_pixels=TITLE_SIZE, max_width_pixels=width, max_length=120)
    part = cell[: ink.shape[0], left : left + ink.shape[1]]
    part[:] = (part * (1 - ink[:, :, None] / 255.0)).astype(np.uint8)
