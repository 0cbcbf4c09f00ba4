"""COCO's three forms of an object's outline as masks: polygons, and run lengths as numbers or as text.

Run lengths go down the columns, and begin with pixels outside of the object.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stvit_video.utils.mask_runs import mask_of_runs, read_run_lengths
from stvit_video.utils.optional import load_optional

__all__ = ["segmentation_box", "segmentation_fault", "segmentation_mask", "segmentation_runs"]

MIN_POLYGON_NUMBERS = 6  # three corners


def segmentation_fault(segmentation: Any, *, height: int, width: int) -> str:
    """Why a segmentation can't be a mask of a picture of this size; "" = it can.

    Args:
        segmentation: of an annotation of COCO; None = there is none.
        height: of the picture in pixels.
        width: likewise.
    """
    if segmentation is None or segmentation == []:
        return "there is none"
    if isinstance(segmentation, dict):
        return _read_counts(segmentation, height, width)[0]
    if not isinstance(segmentation, list):
        return "it is neither a list of polygons nor run lengths"
    if not all(isinstance(polygon, list) for polygon in segmentation):
        return "it is one polygon where a list of polygons is expected"
    return next((fault for polygon in segmentation if (fault := _polygon_fault(polygon))), "")


def segmentation_box(segmentation: Any, *, height: int) -> tuple[float, float, float, float]:
    """The box (x1, y1, x2, y2) around a segmentation, in pixels; (0, 0, 0, 0) = it has no pixel.

    Args:
        segmentation: of an annotation of COCO, without a fault.
        height: of the picture in pixels.
    """
    if not isinstance(segmentation, dict):
        xs, ys = ([number for polygon in segmentation for number in polygon[side::2]] for side in (0, 1))
        return min(xs), min(ys), max(xs), max(ys)
    counts = segmentation["counts"]
    ends = np.cumsum(read_run_lengths(counts) if isinstance(counts, str) else counts)
    firsts, lasts = ends[:-1][::2], ends[1::2] - 1  # pixels of each run inside of the object
    firsts, lasts = (places[firsts <= lasts] for places in (firsts[: len(lasts)], lasts))
    if not len(firsts):
        return 0.0, 0.0, 0.0, 0.0
    over = bool((firsts // height != lasts // height).any())  # a run that goes on in the next column
    top, bottom = (0, height) if over else (int((firsts % height).min()), int((lasts % height).max()) + 1)
    return int(firsts[0]) // height, top, int(lasts[-1]) // height + 1, bottom


def segmentation_mask(segmentation: Any, *, height: int, width: int) -> NDArray[np.uint8]:
    """The mask of a segmentation, (height, width) uint8, 1 = inside; in memory column after column.

    Polygons are drawn as COCO draws them, so that areas and overlaps are those of its evaluation.

    Args:
        segmentation: of an annotation of COCO.
        height: of the picture in pixels.
        width: likewise.

    Raises:
        ValueError: it can't be a mask of such a picture, see `segmentation_fault`.
        MissingLibraryError: faster-coco-eval, which draws polygons, does not import.
    """
    if isinstance(segmentation, dict):
        fault, counts = _read_counts(segmentation, height, width)
    else:
        fault, counts = segmentation_fault(segmentation, height=height, width=width), []
    if fault:
        raise ValueError(f"segmentation of a picture of {width}x{height}: {fault}")
    if isinstance(segmentation, dict):
        return mask_of_runs(counts, height=height, width=width)
    mask: NDArray[np.uint8] = _library().decode(_drawn(segmentation, height, width))
    return mask


def segmentation_runs(segmentation: Any, *, height: int, width: int) -> dict[str, Any]:
    """A segmentation as run lengths: {"size": [height, width], "counts": numbers or a text}.

    Args:
        segmentation: of an annotation of COCO; one that can't be a mask of such a picture gives an empty mask.
        height: of the picture in pixels.
        width: likewise.

    Raises:
        MissingLibraryError: faster-coco-eval, which draws polygons, does not import.
    """
    if segmentation_fault(segmentation, height=height, width=width):
        return {"size": [height, width], "counts": [height * width]}
    if isinstance(segmentation, dict):
        return {"size": [height, width], "counts": segmentation["counts"]}
    counts = _drawn(segmentation, height, width)["counts"]
    return {"size": [height, width], "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts}


def _drawn(polygons: Sequence[Sequence[float]], height: int, width: int) -> dict[str, Any]:
    """Polygons as one mask, in the library's run lengths."""
    library = _library()
    drawn = library.frPyObjects([[float(number) for number in polygon] for polygon in polygons], height, width)
    merged: dict[str, Any] = library.merge(drawn)
    return merged


def _library() -> ModuleType:
    return load_optional(
        "faster_coco_eval.core.mask", needed_for="drawing polygons", install="pip install faster-coco-eval"
    )


def _polygon_fault(polygon: Sequence[Any]) -> str:
    if len(polygon) < MIN_POLYGON_NUMBERS:
        return f"a polygon has {len(polygon)} numbers, at least {MIN_POLYGON_NUMBERS} (3 corners) are needed"
    if len(polygon) % 2:
        return f"a polygon has an odd count of numbers ({len(polygon)}), x and y take turns"
    is_number = all(isinstance(part, int | float) and isfinite(part) for part in polygon)
    return "" if is_number else "a polygon holds something that is no finite number"


def _read_counts(segmentation: Mapping[str, Any], height: int, width: int) -> tuple[str, list[int]]:
    """What is wrong with run lengths, "" = nothing, and the numbers."""
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        return f"its run lengths are of the size {size}, the picture has [height, width] = {[height, width]}", []
    if isinstance(counts, str):
        try:
            counts = read_run_lengths(counts)
        except ValueError as error:
            return str(error), []
    if not isinstance(counts, list) or not all(type(run) is int and run >= 0 for run in counts):
        return "its counts are neither a text nor whole numbers from 0 on", []
    total = sum(counts)
    return ("" if total == height * width else f"its run lengths cover {total} pixels of {height * width}"), counts
