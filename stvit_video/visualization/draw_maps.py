"""A label map on its picture: coloured regions with dark borders, and how much of the picture each class has."""

from collections.abc import Sequence

import numpy as np

from stvit_video.evaluation.segmentation.confusion import IGNORED
from stvit_video.visualization.map_colours import map_colours

__all__ = ["class_shares", "draw_map"]

OPACITY = 128  # of 256, of the colours
BORDER_LIGHT = 128  # of 256, what is left of the light of the pixels between two regions
PIXELS_A_BORDER = 600  # of the mean side of a picture: so many for each pixel of a border's thickness


def draw_map(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour the pixels of a picture by class, on a copy of it; pixels of label 255 stay as they are.

    Args:
        picture: (H, W, 3) uint8, RGB.
        labels: (H, W) uint8.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: the picture is not (H, W, 3) uint8, or the map is not (H, W) uint8 of its size.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    if labels.shape != picture.shape[:2] or labels.dtype != np.uint8:
        raise ValueError(
            f"labels must be {picture.shape[:2]} uint8 like the picture, got {labels.shape} {labels.dtype}; give a map "
            "of the picture's size"
        )
    inks = (map_colours().astype(np.uint16) * OPACITY).astype(np.uint16)  # (256, 3)
    drawn = picture.astype(np.uint16) * (256 - OPACITY)
    drawn += inks[labels]  # (H, W, 3)
    drawn >>= 8
    between = _borders(labels)
    drawn[between] = drawn[between] * BORDER_LIGHT >> 8
    coloured = drawn.astype(np.uint8)
    ignored = labels == IGNORED
    coloured[ignored] = picture[ignored]
    return coloured


def class_shares(labels: np.ndarray, *, names: Sequence[str]) -> dict[str, float]:
    """Name -> share of the pixels, of the classes that occur, the largest first; of equal ones the lower label.

    Args:
        labels: (H, W) uint8; 255 = of no class.
        names: of the classes, by label.

    Raises:
        ValueError: a label has no name.
    """
    counts = np.bincount(labels.reshape(-1), minlength=IGNORED + 1)[:IGNORED]
    present = [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]
    if present and max(present) >= len(names):
        raise ValueError(f"label {max(present)} has no name; names has {len(names)}, give one for each class")
    return {names[label]: int(counts[label]) / labels.size for label in present}


def _borders(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool: the pixels whose neighbour on the right or below is of another class, or near to such pixels."""
    height, width = labels.shape
    border = np.zeros(labels.shape, dtype=bool)
    border[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    border[:-1] |= labels[:-1] != labels[1:]
    for _ in range(round((height + width) / 2 / PIXELS_A_BORDER) - 1):
        wider = border.copy()
        wider[:, 1:] |= border[:, :-1]
        wider[1:] |= border[:-1]
        border = wider
    return border
