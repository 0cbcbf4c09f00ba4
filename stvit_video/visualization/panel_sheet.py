"""A sheet of groups of panels, such as picture, truth and prediction, each panel with a title."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stvit_video.utils.atomic_files import atomically
from stvit_video.visualization.text_image import draw_text

__all__ = ["Panel", "PanelGroup", "fitted_size", "group_pixels", "panel_sheet", "resized_picture", "save_sheet"]

PANEL_PIXELS = 320  # the long side of a panel
GAP_PIXELS = 6
PANELS_A_ROW = 6
TITLE_SIZE = 15
TITLE_PIXELS = 24
PAPER, EMPTY = 255, 225  # levels of grey

Panel = tuple[str, np.ndarray]  # title and pixels (h, w, 3) uint8, of at most PANEL_PIXELS a side


@dataclass(frozen=True, eq=False)
class PanelGroup:
    """Panels that stand side by side.

    Attributes:
        title: such as "best: AP .83, a.jpg", for a group that can't be drawn.
        draw: gives the panels from left to right, of equal sizes. Where it raises OSError, RuntimeError or ValueError,
            the reason stands in their place.
    """

    title: str
    draw: Callable[[], tuple[Panel, ...]]


def group_pixels(num_panels: int) -> int:
    """The width of a group of so many panels, with the gaps around them."""
    return num_panels * (PANEL_PIXELS + GAP_PIXELS) + GAP_PIXELS


def panel_sheet(groups: Sequence[PanelGroup], *, num_panels: int) -> np.ndarray:
    """Draw the groups in rows of six panels.

    Args:
        groups: in the order of the sheet, at least one.
        num_panels: of each group, 1, 2, 3 or 6.

    Returns:
        (H, W, 3) uint8.
    """
    rows, width = [], group_pixels(num_panels)
    groups_a_row = PANELS_A_ROW // num_panels
    for start in range(0, len(groups), groups_a_row):
        cells = [_cell(group, width) for group in groups[start : start + groups_a_row]]
        row = np.full((max(map(len, cells)), groups_a_row * width, 3), PAPER, dtype=np.uint8)
        for place, cell in enumerate(cells):
            row[: len(cell), place * width : (place + 1) * width] = cell
        rows.append(row)
    return np.concatenate(rows, axis=0)


def save_sheet(path: Path, sheet: np.ndarray) -> None:
    """Write a sheet (H, W, 3) uint8 as a PNG, in one step.

    Raises:
        OSError: the file can't be written.
    """
    with atomically(path) as part, part.open("wb") as file:
        Image.fromarray(sheet).save(file, format="PNG")


def fitted_size(height: int, width: int, *, long_side_pixels: int = PANEL_PIXELS) -> tuple[int, int]:
    """Height and width of a panel for a picture of this size.

    Args:
        height: of the picture, in pixels.
        width: likewise.
        long_side_pixels: of the panel.
    """
    scale = long_side_pixels / max(height, width)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def resized_picture(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 in the size of a panel."""
    height, width = fitted_size(*picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def _cell(group: PanelGroup, width: int) -> np.ndarray:
    """(h, width, 3) uint8, as high as the panels need."""
    try:
        panels = group.draw()
    except (OSError, RuntimeError, ValueError) as error:
        cell = np.full((TITLE_PIXELS + PANEL_PIXELS // 2, width, 3), PAPER, dtype=np.uint8)
        cell[TITLE_PIXELS:-GAP_PIXELS, GAP_PIXELS:-GAP_PIXELS] = EMPTY
        _title(cell, f"{group.title}: {error}", left=GAP_PIXELS, width=width - 2 * GAP_PIXELS)
        return cell
    height = len(panels[0][1])
    cell = np.full((TITLE_PIXELS + height + GAP_PIXELS, width, 3), PAPER, dtype=np.uint8)
    for number, (title, pixels) in enumerate(panels):
        left = GAP_PIXELS + number * (PANEL_PIXELS + GAP_PIXELS)
        cell[TITLE_PIXELS : TITLE_PIXELS + height, left : left + pixels.shape[1]] = pixels
        _title(cell, title, left=left, width=PANEL_PIXELS)
    return cell


def _title(cell: np.ndarray, text: str, *, left: int, width: int) -> None:
    """A title of a cell, from a column on and at most so wide, in pixels."""
    draw_text(cell, text, left=left, size_pixels=TITLE_SIZE, max_width_pixels=width)
