"""The files of an evaluation of detection: numbers for programs, a table of classes, curves and examples for people."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from stvit_video.evaluation.detection.coco_scores import CocoScores
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.detection_tables import write_per_class
from stvit_video.evaluation.detection.precision_plot import save_precision_curves
from stvit_video.evaluation.detection.results_file import write_detections
from stvit_video.evaluation.picture_results import PictureId
from stvit_video.utils.figures import draw_or_warn
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.example_sheet import choose_examples, save_example_sheet

__all__ = ["write_detection_report"]


def write_detection_report(
    folder: Path,
    results: DetectionResults,
    *,
    iou_types: Sequence[str],
    category_ids: Sequence[int | str],
    read: Callable[[PictureId], np.ndarray],
    title_of: Callable[[PictureId], str] = str,
    max_detections: int = 100,
    drawn_threshold: float = 0.5,
) -> dict[str, CocoScores]:
    """Score the results and write detections.json, per_class.csv, pr_curves.png and examples.png.

    Pictures come last, and one that fails is a warning; of an earlier evaluation none is left in the folder.

    Args:
        folder: where the files go; it must exist.
        results: of all processes.
        iou_types: "bbox", "segm" or both; examples are ranked by the last one.
        category_ids: of the annotation file, by label.
        read: gives an original picture, (H, W, 3) uint8.
        title_of: what a picture is called.
        max_detections: of a picture and class that count.
        drawn_threshold: examples show detections of this score or a higher one.

    Returns:
        The scores by IoU type.

    Raises:
        ValueError: see `DetectionResults.scores` and `write_per_class`.
        OSError: a file can't be written.
    """
    scores = {kind: results.scores(kind, max_detections=max_detections) for kind in iou_types}
    write_detections(folder / "detections.json", results.detections.values(), category_ids=category_ids)
    write_per_class(folder / "per_class.csv", scores, category_ids=category_ids)
    curves, sheet = folder / "pr_curves.png", folder / "examples.png"
    for path in (curves, sheet):
        path.unlink(missing_ok=True)
    draw_or_warn(curves, lambda: save_precision_curves(scores, curves, colour_of=class_colour))

    def draw_examples() -> None:
        chosen = choose_examples(
            results, iou_type=iou_types[-1], read=read, title_of=title_of, max_detections=max_detections
        )
        save_example_sheet(sheet, chosen, names=results.classes, threshold=drawn_threshold)

    draw_or_warn(sheet, draw_examples)
    return scores
