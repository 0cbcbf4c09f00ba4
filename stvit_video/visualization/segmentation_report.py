"""The files of an evaluation of label maps: a table of classes, the confusion matrix and examples for people."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from stvit_video.evaluation.picture_results import PictureId
from stvit_video.evaluation.plots import save_confusion_matrix
from stvit_video.evaluation.segmentation.map_scores import MapScores
from stvit_video.evaluation.segmentation.map_tables import write_map_classes
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.utils.figures import draw_or_warn
from stvit_video.visualization.map_sheet import choose_map_examples, map_sheet
from stvit_video.visualization.panel_sheet import save_sheet

__all__ = ["write_segmentation_report"]


def write_segmentation_report(
    folder: Path,
    results: SegmentationResults,
    *,
    read: Callable[[PictureId], np.ndarray],
    read_map: Callable[[PictureId], np.ndarray],
    title_of: Callable[[PictureId], str] = str,
) -> MapScores:
    """Score the results and write per_class.csv, confusion_matrix.png and examples.png.

    Pictures come last, and one that fails is a warning; of an earlier evaluation none is left in the folder.

    Args:
        folder: where the files go; it must exist.
        results: of all processes.
        read: gives an original picture, (H, W, 3) uint8.
        read_map: gives its true labels, (H, W) uint8, 255 = not counted.
        title_of: what a picture is called.

    Returns:
        The scores.

    Raises:
        OSError: a file can't be written.
    """
    scores = results.scores()
    write_map_classes(folder / "per_class.csv", scores)
    matrix, sheet = folder / "confusion_matrix.png", folder / "examples.png"
    for path in (matrix, sheet):
        path.unlink(missing_ok=True)
    counts = torch.from_numpy(scores.matrix)
    draw_or_warn(matrix, lambda: save_confusion_matrix(counts, results.classes, matrix, in_percent=True))

    def draw_examples() -> None:
        chosen = choose_map_examples(results, read=read, read_map=read_map, title_of=title_of)
        save_sheet(sheet, map_sheet(chosen, names=results.classes))

    draw_or_warn(sheet, draw_examples)
    return scores
