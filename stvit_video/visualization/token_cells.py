"""Cells of a grid of image tokens laid over the pixels of a frame: sizes, places, colours, outlines."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from stvit_video.visualization.class_colours import Colour
from stvit_video.visualization.token_record import ClipTokens

__all__ = ["Box", "cells_to_pixels", "draw_box", "grey_picture", "shown_frame", "shown_size", "tinted"]

SHORT_SIDE_PIXELS = 288  # of a frame as shown, at least
LONG_SIDE_PIXELS = 640  # at most, which counts more
OUTSIDE_LIGHT = 0.35  # what is left of the light of pixels that the model does not see
GREY_SHARES = (0.299, 0.587, 0.114)  # of red, green and blue in the light of a pixel (ITU-R BT.601)
BOX_COLOUR: Colour = (255, 255, 255)
SHADOW_COLOUR: Colour = (0, 0, 0)  # around the box, so that it is seen on white


class Box(NamedTuple):
    """A rectangle of pixels; bottom and right are the first behind it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def shown_size(height: int, width: int) -> tuple[int, int]:
    """Height and width in which a frame is shown, both even: small frames are enlarged, large ones made smaller.

    Args:
        height: of the frame, in pixels.
        width: likewise.
    """
    scale = max(SHORT_SIDE_PIXELS / min(height, width), 1.0)
    scale = min(scale, LONG_SIDE_PIXELS / max(height, width))
    return max(round(height * scale / 2) * 2, 2), max(round(width * scale / 2) * 2, 2)


def shown_frame(clip: ClipTokens, frame: int, *, size: tuple[int, int] | None = None) -> tuple[np.ndarray, Box]:
    """A frame as it is shown, and where what the model sees lies in it.

    Args:
        clip: that it is of.
        frame: its number, 0 to T - 1.
        size: height and width in which it is shown; None = see `shown_size`.

    Returns:
        (h, w, 3) uint8, which may be changed, and the box.
    """
    pixels = clip.frames[frame]
    height, width = size or shown_size(*pixels.shape[:2])
    rows, columns = height / pixels.shape[0], width / pixels.shape[1]
    top, left, bottom, right = (
        round(edge * scale) for edge, scale in zip(clip.seen, (rows, columns, rows, columns), strict=True)
    )
    box = Box(top, left, min(max(bottom, top + 1), height), min(max(right, left + 1), width))
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture).copy(), box


def cells_to_pixels(cells: np.ndarray, box: Box) -> np.ndarray:
    """The cell that each pixel of a box lies in, by its middle: values of cells (H', W', ...) as (h, w, ...).

    Args:
        cells: values of the grid.
        box: where the grid lies.
    """
    height, width = box.bottom - box.top, box.right - box.left
    rows = (2 * np.arange(height) + 1) * cells.shape[0] // (2 * height)  # (h,)
    columns = (2 * np.arange(width) + 1) * cells.shape[1] // (2 * width)  # (w,)
    return cells[rows[:, None], columns]


def grey_picture(picture: np.ndarray, box: Box, *, light_within: float = 1.0) -> np.ndarray:
    """A picture in grey, so that a hue tells the token alone.

    Args:
        picture: (H, W, 3) uint8.
        box: what the model sees; outside, the picture is dark.
        light_within: what is left of the light within.

    Returns:
        (H, W, 3) uint8.
    """
    grey = picture @ np.array(GREY_SHARES, dtype=np.float32)  # (H, W)
    light = np.full(grey.shape, min(OUTSIDE_LIGHT, light_within / 2), dtype=np.float32)
    light[box.slices] = light_within
    return np.repeat((grey * light)[:, :, None], 3, axis=2).round().astype(np.uint8)


def tinted(picture: np.ndarray, colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lay colours over pixels.

    Args:
        picture: (h, w, 3) uint8.
        colours: (h, w, 3) or (3,), 0 to 255.
        opacity: (h, w), 0 = the picture stays, 1 = the colour alone.

    Returns:
        (h, w, 3) uint8.
    """
    share = opacity[:, :, None].astype(np.float32)
    return (picture * (1 - share) + np.asarray(colours, dtype=np.float32) * share).round().astype(np.uint8)


def draw_box(picture: np.ndarray, box: Box) -> None:
    """Outline a box: a white line within it and a black one around that; nothing where it is the whole picture.

    Args:
        picture: (H, W, 3) uint8, which is changed.
        box: to outline.
    """
    if box == (0, 0, *picture.shape[:2]):
        return
    outer = Box(max(box.top - 1, 0), max(box.left - 1, 0), box.bottom + 1, box.right + 1)
    for edge, colour in ((outer, SHADOW_COLOUR), (box, BOX_COLOUR)):
        part = picture[edge.slices]
        part[[0, -1]] = colour
        part[:, [0, -1]] = colour
