"""examples.png: pictures that a detector reads best and worst, the truth beside the detections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.instances import PictureInstances
from stvit_video.evaluation.detection.picture_precision import best_and_worst
from stvit_video.evaluation.detection.run_lengths import decode_mask
from stvit_video.evaluation.picture_results import PictureId
from stvit_video.visualization.draw_detections import draw_detections
from stvit_video.visualization.panel_sheet import (
    PANEL_PIXELS,
    Panel,
    PanelGroup,
    fitted_size,
    panel_sheet,
    resized_picture,
    save_sheet,
)

__all__ = ["Example", "choose_examples", "example_sheet", "save_example_sheet"]


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
    save_sheet(path, example_sheet(examples, names=names, threshold=threshold))


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
    labels = names if len(names) > 1 else [""]  # of one class, labels have scores alone
    groups = [PanelGroup(example.title, partial(_panels, example, labels, threshold)) for example in examples]
    return panel_sheet(groups, num_panels=2)


def _panels(example: Example, names: Sequence[str], threshold: float) -> tuple[Panel, Panel]:
    picture = example.read()
    truth, found = (_drawn(picture, instances, names, threshold) for instances in (example.truth, example.detections))
    return (f"{example.title}: truth", truth), (_what_is_drawn(example.detections, threshold), found)


def _what_is_drawn(detections: PictureInstances | None, threshold: float) -> str:
    """The title of the panel with the detections."""
    scores = None if detections is None else detections.scores
    if scores is None or not (np.asarray(scores) >= threshold).any():
        return f"detected: none of at least {threshold:g}"
    return f"detected, scores of at least {threshold:g}"


def _drawn(
    picture: np.ndarray, instances: PictureInstances | None, names: Sequence[str], threshold: float
) -> np.ndarray:
    """The picture in the size of the sheet with its objects, which are drawn after it is resized."""
    small = resized_picture(picture)
    if instances is None:
        return small
    height, width = fitted_size(*picture.shape[:2])
    scale = PANEL_PIXELS / max(picture.shape[:2])
    drawn: dict[str, Any] = {"boxes": instances.corners * scale, "labels": instances.labels, "crowd": instances.crowd}
    if instances.scores is not None:
        drawn["scores"] = instances.scores
    if instances.masks is not None:
        masks = (Image.fromarray(decode_mask(mask)) for mask in instances.masks)
        drawn["masks"] = [np.asarray(mask.resize((width, height), Image.Resampling.NEAREST)) for mask in masks]
    return draw_detections(small, drawn, names=names, threshold=threshold)
