"""Draws pictures of discs, squares and triangles on textured ground, with the mask of each.

The class is the form and nothing else: colour, size, place and, but for the disc, the angle are drawn independently of
it. A shape hides what was drawn before it, and masks are of what can be seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.synthetic.drawing import draw_background

__all__ = ["SHAPE_CLASSES", "DrawnPicture", "draw_shapes"]

SHAPE_CLASSES = ("disc", "square", "triangle")
MAX_SHAPES = 6
RADIUS = (0.09, 0.22)  # of the short side, log-uniform
MIN_SEEN = 0.4  # share of a shape that others may leave of it, else it is not drawn
MIN_PIXELS = 12
CONTRAST = 60.0  # least distance of a shape's colour from the mean of the ground, in levels of 0..255


@dataclass(frozen=True)
class DrawnPicture:
    """A picture and what it shows.

    Attributes:
        picture: (H, W, 3) uint8, RGB.
        masks: (N, H, W) bool, what can be seen of each shape.
        labels: (N,) int64, indices of SHAPE_CLASSES.
    """

    picture: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]

    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) x, y, width, height in pixels: the smallest boxes around the masks."""
        rows, columns = (np.asarray(self.masks.any(axis)) for axis in (2, 1))  # (N, H), (N, W)
        top, left = rows.argmax(1), columns.argmax(1)
        bottom = rows.shape[1] - rows[:, ::-1].argmax(1)
        right = columns.shape[1] - columns[:, ::-1].argmax(1)
        return np.stack([left, top, right - left, bottom - top], axis=1).astype(np.float64)


def draw_shapes(*, rng: np.random.Generator, num_shapes: int, height: int, width: int) -> DrawnPicture:
    """Draw one picture.

    Args:
        rng: source of everything random in it.
        num_shapes: to try, from 0 on; one that would hide too much of another is left out.
        height: in pixels.
        width: in pixels.
    """
    ground = draw_background(rng=rng, num_frames=1, height=height, width=width)[0]  # (H, W, 3)
    picture = np.clip(ground, 0, 255)
    masks, areas, labels = np.zeros((0, height, width), dtype=np.bool_), np.zeros(0), list[int]()
    for _ in range(num_shapes):
        label, shape = _draw_shape(rng, height, width)
        colour = _colour(rng, ground.mean((0, 1)))
        left_over = masks & ~shape
        if shape.sum() < MIN_PIXELS or (left_over.sum((1, 2)) < MIN_SEEN * areas).any():
            continue
        masks = np.concatenate([left_over, shape[None]])
        areas = np.append(areas, shape.sum())
        labels.append(label)
        picture[shape] = colour + 0.15 * (picture[shape] - picture[shape].mean(0))  # some of the ground shows through
    pixels = (np.clip(picture, 0, 255) + 0.5).astype(np.uint8)
    return DrawnPicture(pixels, masks, np.array(labels, dtype=np.int64))


def _draw_shape(rng: np.random.Generator, height: int, width: int) -> tuple[int, NDArray[np.bool_]]:
    """A class, and a mask (H, W); the shape's centre is in the picture, its rim may be outside."""
    label = int(rng.integers(len(SHAPE_CLASSES)))
    radius = min(height, width) * np.exp(rng.uniform(*np.log(RADIUS)))
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    angle = rng.uniform(0, 2 * np.pi)
    dx = np.arange(width) + 0.5 - x  # centres of the pixels
    dy = (np.arange(height) + 0.5 - y)[:, None]
    if SHAPE_CLASSES[label] == "disc":
        return label, dx**2 + dy**2 < radius**2
    corners = {"square": 4, "triangle": 3}[SHAPE_CLASSES[label]]
    turns = angle + 2 * np.pi * np.arange(corners) / corners  # of the normals of the sides
    reach = radius * np.cos(np.pi / corners) * np.sqrt(4 / corners)  # alike in area
    inside = [np.cos(turn) * dx + np.sin(turn) * dy < reach for turn in turns]
    return label, np.logical_and.reduce(inside)


def _colour(rng: np.random.Generator, ground: NDArray[np.floating]) -> NDArray[np.floating]:
    """A colour (3,) that stands out from the mean colour of the ground."""
    while True:
        colour = rng.uniform(0, 255, size=3)
        if np.abs(colour - ground).max() >= CONTRAST:
            return colour
