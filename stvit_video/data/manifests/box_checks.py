"""Whether boxes are boxes of their pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.manifests.findings import Findings, first_of

__all__ = ["check_boxes"]

MAX_BAD_SHARE = 0.01  # COCO has 2 boxes without height among 860,000
CORNERS_SHARE = 0.2  # of boxes that reach out of their picture: they are no slips of the hand
CORNERS_FIT = 0.99  # of all boxes that lie inside, read as two corners
SLACK_PIXELS = 1.0  # tools round
Flags = NDArray[np.bool_]
RULE = "bbox is [x, y, width, height] in pixels"


def check_boxes(
    bbox: NDArray[np.float64], sizes: NDArray[np.float64], ids: Sequence[Any]
) -> tuple[NDArray[np.bool_], Findings]:
    """Find boxes without an area in their picture, and boxes that are written in another way.

    Up to MAX_BAD_SHARE of them are left out, with a warning; more are a fault.

    Args:
        bbox: (M, 4) x, y, width, height in pixels.
        sizes: (M, 2) height and width of the picture of each.
        ids: of the annotations, for messages.

    Returns:
        (M,) True = the box has an area inside its picture, and what was found.
    """
    found = Findings()
    finite: Flags = np.asarray(np.isfinite(bbox).all(1))  # (M,)
    left, top, width, height = np.where(finite[:, None], bbox, 0.0).T
    tall, wide = sizes.T
    empty: Flags = finite & ((width <= 0) | (height <= 0))
    inside = (left < wide) & (top < tall) & (left + width > 0) & (top + height > 0)
    outside: Flags = finite & ~empty & ~inside
    if _are_corners(bbox, sizes, found):
        return finite & ~empty & inside, found
    turn = _turned_hint(bbox[finite & ~empty], sizes[finite & ~empty])
    for bad, what in (
        (~finite, "have a number that is not finite"),
        (empty, "have a width or height of 0 or below"),
        (outside, "lie outside their picture"),
    ):
        _tell_bad(bad, what, ids, found, hint=turn if bad is outside else "")
    out = finite & ~empty & inside & _reach_out(left, top, width, height, tall, wide)
    if out.any():
        found.warnings.append(
            f"{out.sum()} of {len(out)} boxes reach more than {SLACK_PIXELS:g} pixel out of their picture, "
            f"{_named(out, ids)}; training clips them, the evaluation takes them as they are"
        )
    return finite & ~empty & inside, found


def _reach_out(
    left: NDArray[Any], top: NDArray[Any], width: NDArray[Any], height: NDArray[Any], tall: Any, wide: Any
) -> NDArray[np.bool_]:
    behind = (left + width > wide + SLACK_PIXELS) | (top + height > tall + SLACK_PIXELS)
    before = (left < -SLACK_PIXELS) | (top < -SLACK_PIXELS)
    return behind | before


def _are_corners(bbox: NDArray[np.float64], sizes: NDArray[np.float64], found: Findings) -> bool:
    """Whether the boxes are evidently written as two corners; then that is noted."""
    with np.errstate(invalid="ignore"):
        x1, y1, x2, y2 = bbox.T
        tall, wide = sizes.T
        out = (x1 + x2 > wide + SLACK_PIXELS) | (y1 + y2 > tall + SLACK_PIXELS)
        fits = (x2 > x1) & (y2 > y1) & (x2 <= wide + SLACK_PIXELS) & (y2 <= tall + SLACK_PIXELS)
    if not len(bbox) or out.mean() <= CORNERS_SHARE:
        return False
    as_corners = fits.mean() >= CORNERS_FIT
    way_out = (
        "they lie inside when they are read as two corners, [x1, y1, x2, y2]: write x2 - x1 and y2 - y1 in place of "
        "x2 and y2"
        if as_corners
        else _turned_hint(bbox, sizes).removeprefix("; ")
        or "write the boxes in pixels of the picture as it is, and its width and height, which may be those "
        "before the picture was resized"
    )
    found.faults.append(
        f"{out.sum()} of {len(out)} boxes reach out of their picture on the right or below (x + width > the picture's "
        f"width), more than {CORNERS_SHARE:.0%}; {RULE}; {way_out}"
    )
    return True


def _turned_hint(bbox: NDArray[np.float64], sizes: NDArray[np.float64]) -> str:
    """What to look at where all boxes lie inside their pictures if these have width and height exchanged; else ""."""
    tall, wide = sizes.T
    left, top, width, height = bbox.T
    fits = ~_reach_out(left, top, width, height, wide, tall)
    if not len(bbox) or not fits.all():
        return ""
    return "; all boxes lie inside where width and height of the pictures are exchanged: check these two in images"


def _tell_bad(bad: NDArray[np.bool_], what: str, ids: Sequence[Any], found: Findings, *, hint: str = "") -> None:
    if not bad.any():
        return
    sentence = f"{bad.sum()} of {len(bad)} boxes {what}, {_named(bad, ids)}; {RULE}"
    if bad.mean() > MAX_BAD_SHARE:
        found.faults.append(f"{sentence}; correct or remove them (up to {MAX_BAD_SHARE:.0%} are left out){hint}")
    else:
        found.warnings.append(f"{sentence}; they are left out of training")


def _named(chosen: NDArray[np.bool_], ids: Sequence[Any]) -> str:
    return first_of(f"annotation {ids[position]}" for position in np.flatnonzero(chosen).tolist())
