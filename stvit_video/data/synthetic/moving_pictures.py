"""Clips of a picture that moves, and of objects of it that move over it, with the exact place of each in every frame.

A window pans over the picture, and cut-outs of some of its objects are pasted at places that change from frame to
frame. All places are whole pixels, so that nothing is resampled and the truth is exact. A pasted object hides what lies
below it; what is left of an object decides whether it counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["KnownPicture", "Movement", "MovingFrame", "draw_moving", "ellipse_in", "smooth_path"]

MIN_VISIBLE = 0.25  # share of an object that must be seen, else it is to be ignored
SOFT_RIM = 0.15  # of a cut-out that is known by its box: where it fades, as a share of the half axes
TURN = 0.15  # most change of a direction from frame to frame, in radians
SPEEDS = (0.5, 1.5)  # of pasted objects, as factors of the step


@dataclass(frozen=True)
class KnownPicture:
    """A picture and its N objects.

    Attributes:
        picture: (H, W, 3) uint8, RGB.
        masks: (N, H, W) bool; of an object that is known by its box the ellipse in it.
        boxes: (N, 4) float64, x1, y1, x2, y2 in pixels; None = they follow from the masks.
        labels: (N,) int64.
        crowd: (N,) bool, True = to be ignored.
    """

    picture: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    boxes: NDArray[np.float64] | None
    labels: NDArray[np.int64]
    crowd: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Movement:
    """How a clip moves.

    Attributes:
        num_frames: of the clip.
        size: height and width of the window in pixels; None = three quarters of the picture's.
        step: pixels that the window moves from frame to frame.
        num_pasted: objects that are pasted, at most.
    """

    num_frames: int = 16
    size: tuple[int, int] | None = None
    step: float = 4.0
    num_pasted: int = 4


@dataclass(frozen=True)
class MovingFrame:
    """One frame and its M objects, those of the picture first.

    Attributes:
        picture: (h, w, 3) uint8, RGB.
        masks: (M, h, w) bool, what can be seen of each.
        boxes: (M, 4) float64, x, y, width, height in pixels, inside the frame.
        labels: (M,) int64.
        crowd: (M,) bool, True = to be ignored: it was in the picture, or less than MIN_VISIBLE of it can be seen.
        listed_crowd: (M,) bool, True = it was in the picture.
    """

    picture: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    listed_crowd: NDArray[np.bool_]

    def label_map(self) -> NDArray[np.uint8]:
        """(h, w) uint8: 0 = none, else the label + 1 of the uppermost object, 255 = it was to be ignored before."""
        found = np.zeros(self.picture.shape[:2], dtype=np.uint8)
        for mask, label, ignored in zip(self.masks, self.labels, self.listed_crowd, strict=True):
            found[mask] = 255 if ignored else label + 1
        return found


@dataclass(frozen=True)
class _Pasted:
    """A cut-out: its pixels (h, w, 3), how much of them is seen (h, w) from 0 to 1, its mask, its place in frames."""

    number: int
    pixels: NDArray[np.float64]
    opacity: NDArray[np.float64]
    mask: NDArray[np.bool_]
    path: NDArray[np.int64]


def draw_moving(known: KnownPicture, *, movement: Movement, rng: np.random.Generator) -> Iterator[MovingFrame]:
    """The frames of a clip.

    Args:
        known: what the clip shows.
        movement: how.
        rng: source of everything random.

    Returns:
        As many frames as the movement says; objects that can't be seen in a frame are left out of it.
    """
    height, width = known.picture.shape[:2]
    asked = movement.size or (max(1, height * 3 // 4), max(1, width * 3 // 4))
    window = (min(asked[0], height), min(asked[1], width))
    room = (height - window[0], width - window[1])
    path = smooth_path(rng, num_frames=movement.num_frames, step=movement.step, low=(0, 0), high=room)
    pasted = [
        _cut_out(known, int(number), window=window, movement=movement, rng=rng)
        for number in _chosen(known, window, movement.num_pasted, rng)
    ]
    whole = known.masks.sum((1, 2))
    for time, (top, left) in enumerate(path.tolist()):
        yield _frame(known, pasted, whole, time=time, corner=(top, left), window=window)


def smooth_path(
    rng: np.random.Generator, *, num_frames: int, step: float, low: tuple[int, int], high: tuple[int, int]
) -> NDArray[np.int64]:
    """Places (num_frames, 2), row and column, that move by about `step` pixels and turn back at their limits.

    Args:
        rng: source of the start and of the directions.
        num_frames: places.
        step: pixels from place to place.
        low: least row and column.
        high: most row and column, not below `low`.
    """
    start = rng.uniform(low, [value + 1 for value in high])
    angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(-TURN, TURN, num_frames))
    moves = step * np.stack([np.sin(angles), np.cos(angles)], axis=1)  # (num_frames, 2)
    moves[0] = 0
    places = np.floor(start + np.cumsum(moves, axis=0)).astype(np.int64) - np.array(low)
    limits = np.array(high) - np.array(low)
    waves = np.mod(places, np.maximum(2 * limits, 1))  # to the limit and back again
    return np.where(limits > 0, limits - np.abs(waves - limits), 0) + np.array(low)


def ellipse_in(box: NDArray[np.float64], *, height: int, width: int) -> NDArray[np.float64]:
    """Distance (height, width) of the pixels' centres from the centre of the ellipse in a box, 1 = on the ellipse.

    Args:
        box: x1, y1, x2, y2 in pixels.
        height: of the picture in pixels.
        width: likewise.
    """
    left, top, right, bottom = box
    across = (np.arange(width) + 0.5 - (left + right) / 2) / max((right - left) / 2, 1e-6)
    down = (np.arange(height) + 0.5 - (top + bottom) / 2) / max((bottom - top) / 2, 1e-6)
    return np.asarray(np.hypot(across, down[:, None]))


def _chosen(known: KnownPicture, window: tuple[int, int], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of objects that can be pasted: whole, no crowd, at most half as tall and wide as the window."""
    rows, columns = _any(known.masks, 2), _any(known.masks, 1)  # (N, H), (N, W)
    at_border = rows[:, 0] | rows[:, -1] | columns[:, 0] | columns[:, -1]
    fits = (2 * rows.sum(1) <= window[0]) & (2 * columns.sum(1) <= window[1])
    able = np.flatnonzero(~known.crowd & ~at_border & fits & rows.any(1))
    return rng.permutation(able)[:count]


def _cut_out(
    known: KnownPicture, number: int, *, window: tuple[int, int], movement: Movement, rng: np.random.Generator
) -> _Pasted:
    rows, columns = (np.flatnonzero(known.masks[number].any(axis)) for axis in (1, 0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    mask = known.masks[number][part]
    opacity = mask.astype(np.float64)
    if known.boxes is not None:
        distance = ellipse_in(known.boxes[number], height=known.picture.shape[0], width=known.picture.shape[1])[part]
        opacity = np.clip((1 - distance) / SOFT_RIM, 0, 1)
    half = tuple(side // 2 for side in mask.shape)
    path = smooth_path(
        rng,
        num_frames=movement.num_frames,
        step=movement.step * rng.uniform(*SPEEDS),
        low=(-half[0], -half[1]),
        high=(window[0] - half[0], window[1] - half[1]),
    )
    return _Pasted(number, known.picture[part].astype(np.float64), opacity, mask, path)


def _frame(
    known: KnownPicture,
    pasted: list[_Pasted],
    whole: NDArray[np.int64],
    *,
    time: int,
    corner: tuple[int, int],
    window: tuple[int, int],
) -> MovingFrame:
    part = (slice(corner[0], corner[0] + window[0]), slice(corner[1], corner[1] + window[1]))
    picture = known.picture[part].astype(np.float64)
    masks = np.concatenate([known.masks[:, part[0], part[1]], np.zeros((len(pasted), *window), dtype=np.bool_)])
    for place, item in enumerate(pasted, start=len(known.labels)):
        inside, own = _overlap(item.path[time], item.mask.shape, window)
        opacity = item.opacity[own][..., None]
        picture[inside] = opacity * item.pixels[own] + (1 - opacity) * picture[inside]
        masks[:, inside[0], inside[1]] &= ~item.mask[own]
        masks[place][inside] = item.mask[own]
    origins = np.array([*range(len(known.labels)), *(item.number for item in pasted)], dtype=np.int64)
    moves = np.array([(-corner[0], -corner[1])] * len(known.labels) + [_move(known, item, time) for item in pasted])
    boxes = _boxes_around(masks) if known.boxes is None else _moved(known.boxes[origins], moves.reshape(-1, 2), window)
    seen = masks.sum((1, 2))
    shown, listed = seen > 0, known.crowd[origins]
    crowd = listed | (seen < MIN_VISIBLE * whole[origins])
    return MovingFrame(
        (picture + 0.5).astype(np.uint8), masks[shown], boxes[shown], known.labels[origins][shown], crowd[shown],
        listed[shown],
    )  # fmt: skip


def _overlap(
    corner: NDArray[np.int64], size: tuple[int, ...], window: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a cut-out lies in the window, and which part of the cut-out that is."""
    inside, own = list[slice](), list[slice]()
    for start, length, side in zip(corner.tolist(), size, window, strict=True):
        first = min(max(0, start), side)
        last = max(first, min(start + length, side))
        inside.append(slice(first, last))
        own.append(slice(first - start, last - start))
    return (inside[0], inside[1]), (own[0], own[1])


def _move(known: KnownPicture, item: _Pasted, time: int) -> tuple[int, int]:
    """Rows and columns by which a cut-out has left its place in the picture."""
    mask = known.masks[item.number]
    return int(item.path[time][0] - mask.any(1).argmax()), int(item.path[time][1] - mask.any(0).argmax())


def _moved(boxes: NDArray[np.float64], moves: NDArray[np.int64], window: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes (M, 4) x1, y1, x2, y2, moved by rows and columns (M, 2) and clipped -> x, y, width, height."""
    corners = boxes + moves[:, [1, 0, 1, 0]]
    corners = np.clip(corners, 0, np.array([window[1], window[0], window[1], window[0]]))
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def _boxes_around(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The smallest boxes (M, 4) around masks (M, h, w), x, y, width, height; 0 around an empty one."""
    rows, columns = _any(masks, 2), _any(masks, 1)  # (M, h), (M, w)
    top, left = rows.argmax(1), columns.argmax(1)
    bottom = rows.shape[1] - rows[:, ::-1].argmax(1)
    right = columns.shape[1] - columns[:, ::-1].argmax(1)
    found = np.stack([left, top, right - left, bottom - top], axis=1).astype(np.float64)
    return np.where(_any(rows, 1)[:, None], found, 0.0)


def _any(masks: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    return np.asarray(masks.any(axis))
