"""Boxes, masks and labels on a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stvit_video.evaluation.detection.run_lengths import decode_mask
from stvit_video.utils.plain_arrays import as_array
from stvit_video.visualization.class_colours import class_colour, text_colour
from stvit_video.visualization.label_places import LabelPlaces
from stvit_video.visualization.text_image import letter_pixels, named_value_image

__all__ = ["DrawnObject", "draw_detections", "drawn_objects"]

MASK_OPACITY = 0.4
PIXELS_A_LINE = 350  # of the mean side of a picture: so many for each pixel of a line's thickness
SMALL_PIXELS = 200  # of the mean side: a smaller picture has smaller letters, and labels hide no objects
LETTER_OF_SMALL = 8
LABELS_SHARE = 0.125  # of the picture, that labels may cover
DASH_LINES = 4  # length of a dash of a crowd's frame, in thicknesses of the line
RIM_LIGHT = 0.5  # what is left of the light of the pixels around a box


@dataclass(frozen=True, eq=False)
class DrawnObject:
    """One object that is drawn.

    Attributes:
        box: (x1, y1, x2, y2) in pixels.
        label: number of the class.
        score: None = a true object.
        mask: (H, W), nonzero = object; run lengths; or None.
        crowd: True = not scored; its label says so, and its frame is dashed.
    """

    box: tuple[float, float, float, float]
    label: int
    score: float | None
    mask: Any
    crowd: bool = False

    def pixels(self) -> np.ndarray | None:
        """(H, W) bool of the mask; None = it has none."""
        if self.mask is None:
            return None
        return decode_mask(self.mask) if isinstance(self.mask, dict) else as_array(self.mask) != 0


def drawn_objects(detections: Mapping[str, Any], *, threshold: float) -> list[DrawnObject]:
    """The objects of a picture that are shown, best first.

    Args:
        detections: "boxes" (N, 4) as (x1, y1, x2, y2), "labels" (N,), and where there are any "scores" (N,), "masks"
            (N, H, W) or run lengths, and "crowd" (N,) bool.
        threshold: detections with a lower score are left out; without scores all are shown.
    """
    boxes = as_array(detections["boxes"]).astype(np.float64).reshape(-1, 4)
    labels = as_array(detections["labels"]).astype(np.int64).reshape(-1)
    scores, masks = detections.get("scores"), detections.get("masks")
    crowd = as_array(detections.get("crowd", np.zeros(len(labels)))).astype(bool).reshape(-1)
    order = np.arange(len(labels))
    if scores is not None:
        scores = as_array(scores).astype(np.float64).reshape(-1)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= threshold]
    return [
        DrawnObject(
            box=(float(boxes[n, 0]), float(boxes[n, 1]), float(boxes[n, 2]), float(boxes[n, 3])),
            label=int(labels[n]),
            score=None if scores is None else float(scores[n]),
            mask=None if masks is None else masks[n],
            crowd=bool(crowd[n]),
        )
        for n in order
    ]


def draw_detections(
    picture: np.ndarray, detections: Mapping[str, Any], *, names: Sequence[str], threshold: float = 0.5
) -> np.ndarray:
    """Draw the detections of a picture on a copy of it.

    Lines and letters grow with the picture. A label stands where it covers no other one, and labels cover an eighth of
    the picture at most: in a picture that is small or full, only the best detections have one.

    Args:
        picture: (H, W, 3) uint8, RGB.
        detections: see `drawn_objects`.
        names: of the classes, by label.
        threshold: detections with a lower score are left out.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: the picture is not (H, W, 3) uint8, or a label has no name.
    """
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    objects = drawn_objects(detections, threshold=threshold)
    for shown in objects:
        if not 0 <= shown.label < len(names):
            raise ValueError(f"label {shown.label} has no name; names has {len(names)}, give one for each class")
    height, width = picture.shape[:2]
    thickness = max(1, round((height + width) / 2 / PIXELS_A_LINE))
    drawn = picture.copy()
    for shown in reversed(objects):  # the best ones last, on top
        _draw_mask(drawn, shown, thickness)
    for shown in reversed(objects):
        _draw_box(drawn, shown, thickness)
    _draw_labels(drawn, objects, names)
    return drawn


def _draw_mask(picture: np.ndarray, shown: DrawnObject, thickness: int) -> None:
    mask = shown.pixels()
    if mask is None or not mask.any():
        return
    if mask.shape != picture.shape[:2]:
        raise ValueError(
            f"a mask has {mask.shape[1]}x{mask.shape[0]} pixels and the picture {picture.shape[1]}x{picture.shape[0]}; "
            "give masks of the size of the picture"
        )
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    inside, pixels = mask[part], picture[part]
    colour = np.array(class_colour(shown.label), dtype=np.float32)
    pixels[inside] = (pixels[inside] * (1 - MASK_OPACITY) + colour * MASK_OPACITY).astype(np.uint8)
    pixels[inside & ~_eroded(inside, thickness)] = colour.astype(np.uint8)


def _eroded(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask without its rim of so many pixels; what lies beyond the array is outside."""
    for _ in range(steps):
        padded = np.pad(mask, 1)
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


def _draw_box(picture: np.ndarray, shown: DrawnObject, thickness: int) -> None:
    """A frame of the outermost pixels of the box, with a dark rim around it, so that it is seen on any background."""
    left, top, right, bottom = _corners(shown.box, picture.shape[:2])
    rim = picture[max(top - 1, 0) : bottom + 2, max(left - 1, 0) : right + 2]
    box = picture[top : bottom + 1, left : right + 1]
    inside = box.copy()
    rim[:] = (rim * RIM_LIGHT).astype(np.uint8)
    box[:] = class_colour(shown.label)
    within = slice(thickness, -thickness)
    box[within, within] = inside[within, within]
    if shown.crowd:
        rows, columns = np.indices(box.shape[:2])
        is_gap = (rows + columns) // (DASH_LINES * thickness) % 2 == 1
        box[is_gap] = inside[is_gap]


def _corners(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last column and row of a box within the picture: at least one pixel."""
    height, width = size
    left, top = (min(max(round(low), 0), most - 1) for low, most in ((box[0], width), (box[1], height)))
    right, bottom = (min(max(round(high) - 1, 0), most - 1) for high, most in ((box[2], width), (box[3], height)))
    return left, top, max(right, left), max(bottom, top)


def _draw_labels(picture: np.ndarray, objects: Sequence[DrawnObject], names: Sequence[str]) -> None:
    height, width = picture.shape[:2]
    size_pixels = letter_pixels(height, width)
    visible = list[tuple[int, int, int, int]]()
    if (height + width) / 2 < SMALL_PIXELS:
        size_pixels, visible = LETTER_OF_SMALL, [_corners(shown.box, (height, width)) for shown in objects]
    places, free_pixels = LabelPlaces(height=height, width=width, visible=visible), LABELS_SHARE * height * width
    for shown in objects:
        score = "" if shown.score is None else f"{shown.score:.2f}"
        name = f"{names[shown.label]} (not scored)".lstrip() if shown.crowd else names[shown.label]
        ink = named_value_image(name, score, size_pixels=size_pixels, max_width_pixels=width // 2 if score else width)
        if ink.size > free_pixels:
            break
        place = places.take(_corners(shown.box, (height, width)), height=ink.shape[0], width=ink.shape[1])
        if place is None:
            continue
        free_pixels -= ink.size
        top, left = place
        pixels = picture[top : top + ink.shape[0], left : left + ink.shape[1]]
        colour = class_colour(shown.label)
        share = ink[:, :, None].astype(np.float32) / 255  # (h, w, 1)
        ground, letters = (np.array(of, dtype=np.float32) for of in (colour, text_colour(colour)))
        pixels[:] = (ground * (1 - share) + letters * share).astype(np.uint8)
