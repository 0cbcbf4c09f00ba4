"""A label map on its picture in grey: coloured regions with dark borders, and the share of each class."""

from collections.abc import Sequence

import numpy as np

from stvit_video.evaluation.segmentation.confusion import IGNORED
from stvit_video.visualization.map_colours import map_colours

__all__ = ["class_shares", "draw_map"]

OPACITY = 166  # of 256, of the colours
GREY_SHARES = (77, 150, 29)  # of 256, of red, green and blue in the light of a pixel (ITU-R BT.601)
BORDER_LIGHT = 128  # of 256, what is left of the light of the pixels between two regions
PIXELS_A_BORDER = 600  # of the mean side of a picture: so many for each pixel of a border's thickness


def draw_map(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Colour the pixels of a picture by class, on a grey copy of it, so that a hue tells the class alone.

    Pixels of label 255 stay grey.

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
    grey = _grey(picture)  # (H, W)
    inks = map_colours().astype(np.uint16) * OPACITY  # (256, 3)
    drawn = inks[labels]  # (H, W, 3)
    drawn += (grey * (256 - OPACITY))[:, :, None]
    drawn >>= 8
    between = _borders(labels)
    drawn[between] = drawn[between] * BORDER_LIGHT >> 8
    ignored = labels == IGNORED
    drawn[ignored] = grey[ignored][:, None]
    return drawn.astype(np.uint8)


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


def _grey(picture: np.ndarray) -> np.ndarray:
    """The light of the pixels of a picture (H, W, 3) uint8: (H, W) uint16, 0 to 255."""
    red, green, blue = (picture[:, :, place].astype(np.uint16) * share for place, share in enumerate(GREY_SHARES))
    return (red + green + blue) >> 8  # at most 255 * 256


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
