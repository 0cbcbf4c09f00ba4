"""examples.png: pictures that a detector reads best and worst, the truth beside the detections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.instances import PictureId, PictureInstances
from stvit_video.evaluation.detection.picture_precision import best_and_worst
from stvit_video.evaluation.detection.run_lengths import decode_mask
from stvit_video.utils.atomic_files import atomically
from stvit_video.visualization.draw_detections import draw_detections
from stvit_video.visualization.text_image import text_image

__all__ = ["Example", "choose_examples", "example_sheet", "save_example_sheet"]

HALF_PIXELS = 320  # the long side of a picture
GAP_PIXELS = 6
PAIR_PIXELS = 2 * HALF_PIXELS + 3 * GAP_PIXELS
PAIRS_A_ROW = 3
TITLE_SIZE = 15
TITLE_PIXELS = 24
PAPER, EMPTY = 255, 225  # levels of grey


@dataclass(frozen=True, eq=False)
class Example:
    """One picture of the sheet.

    Attributes:
        title: such as "best: AP .83, a.jpg".
        read: gives the original picture, (H, W, 3) uint8.
        truth: its objects.
        detections: None = there are none.
    """

    title: str
    read: Callable[[], np.ndarray]
    truth: PictureInstances
    detections: PictureInstances | None


def choose_examples(
    results: DetectionResults,
    *,
    iou_type: str,
    read: Callable[[PictureId], np.ndarray],
    title_of: Callable[[PictureId], str] = str,
    max_detections: int = 100,
    count: int = 12,
) -> list[Example]:
    """The pictures of the highest AP and then those of the lowest, see `best_and_worst`.

    Args:
        results: of an evaluation.
        iou_type: "bbox" or "segm": whether boxes or masks are compared.
        read: gives the original picture, (H, W, 3) uint8.
        title_of: what a picture is called.
        max_detections: of a picture and class that count.
        count: of pictures, at most.
    """
    truth, found = {picture.picture_id: picture for picture in results.truth}, results.detections
    ranked = best_and_worst(list(truth.values()), found, iou_type=iou_type, max_detections=max_detections, count=count)
    return [
        Example(
            title=f"{'best' if rank.is_best else 'worst'}: AP {rank.precision:.2f}, {title_of(rank.picture_id)}",
            read=partial(read, rank.picture_id),
            truth=truth[rank.picture_id],
            detections=found.get(rank.picture_id),
        )
        for rank in ranked
    ]


def save_example_sheet(
    path: Path, examples: Sequence[Example], *, names: Sequence[str], threshold: float = 0.5
) -> None:
    """Write `example_sheet` as a PNG, in one step.

    Raises:
        ValueError: see `example_sheet`.
        OSError: the file can't be written.
    """
    sheet = Image.fromarray(example_sheet(examples, names=names, threshold=threshold))
    with atomically(path) as part, part.open("wb") as file:
        sheet.save(file, format="PNG")


def example_sheet(examples: Sequence[Example], *, names: Sequence[str], threshold: float = 0.5) -> np.ndarray:
    """Draw pairs: the truth at the left, the detections at the right, three pairs in a row.

    Args:
        examples: in the order of the sheet. A picture that can't be read has its reason in its place.
        names: of the classes, by label.
        threshold: detections with a lower score are left out.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: there is no example.
    """
    if not examples:
        raise ValueError("there is no picture with an object, so there is no example to draw")
    rows = []
    for start in range(0, len(examples), PAIRS_A_ROW):
        cells = [_cell(example, names, threshold) for example in examples[start : start + PAIRS_A_ROW]]
        row = np.full((max(map(len, cells)), PAIRS_A_ROW * PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
        for place, cell in enumerate(cells):
            row[: len(cell), place * PAIR_PIXELS : (place + 1) * PAIR_PIXELS] = cell
        rows.append(row)
    return np.concatenate(rows, axis=0)


def _cell(example: Example, names: Sequence[str], threshold: float) -> np.ndarray:
    """(h, PAIR_PIXELS, 3) uint8, as high as the picture needs."""
    try:
        picture = example.read()
    except (OSError, RuntimeError, ValueError) as error:
        cell = np.full((TITLE_PIXELS + HALF_PIXELS // 2, PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
        cell[TITLE_PIXELS:-GAP_PIXELS, GAP_PIXELS:-GAP_PIXELS] = EMPTY
        _write(cell, f"{example.title}: {error}")
        return cell
    names = names if len(names) > 1 else [""]  # of one class, labels have scores alone
    halves = [_half(picture, instances, names, threshold) for instances in (example.truth, example.detections)]
    height, width = halves[0].shape[:2]
    cell = np.full((TITLE_PIXELS + height + GAP_PIXELS, PAIR_PIXELS, 3), PAPER, dtype=np.uint8)
    for number, half in enumerate(halves):
        left = GAP_PIXELS + number * (HALF_PIXELS + GAP_PIXELS)
        cell[TITLE_PIXELS : TITLE_PIXELS + height, left : left + width] = half
    _write(cell, f"{example.title}: truth", width=HALF_PIXELS)
    _write(cell, _what_is_drawn(example.detections, threshold), left=HALF_PIXELS + 2 * GAP_PIXELS, width=HALF_PIXELS)
    return cell


def _what_is_drawn(detections: PictureInstances | None, threshold: float) -> str:
    """The title of the half with the detections."""
    scores = None if detections is None else detections.scores
    if scores is None or not (np.asarray(scores) >= threshold).any():
        return f"detected: none of at least {threshold:g}"
    return f"detected, scores of at least {threshold:g}"


def _half(
    picture: np.ndarray, instances: PictureInstances | None, names: Sequence[str], threshold: float
) -> np.ndarray:
    """The picture in the size of the sheet with its objects, which are drawn after it is resized."""
    height, width = picture.shape[:2]
    scale = HALF_PIXELS / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    if instances is None:
        return small
    drawn: dict[str, Any] = {"boxes": instances.corners * scale, "labels": instances.labels, "crowd": instances.crowd}
    if instances.scores is not None:
        drawn["scores"] = instances.scores
    if instances.masks is not None:
        masks = (Image.fromarray(decode_mask(mask)) for mask in instances.masks)
        drawn["masks"] = [np.asarray(mask.resize(size, Image.Resampling.NEAREST)) for mask in masks]
    return draw_detections(small, drawn, names=names, threshold=threshold)


def _write(cell: np.ndarray, text: str, *, left: int = GAP_PIXELS, width: int = PAIR_PIXELS - 2 * GAP_PIXELS) -> None:
    """A title of a cell, from a column on and at most so wide, in pixels."""
    ink = text_image(text, size_pixels=TITLE_SIZE, max_width_pixels=width, max_length=120)
    part = cell[: ink.shape[0], left : left + ink.shape[1]]
    part[:] = (part * (1 - ink[:, :, None] / 255.0)).astype(np.uint8)
