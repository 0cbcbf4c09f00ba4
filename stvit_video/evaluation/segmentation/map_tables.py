"""What people read of the scores of label maps: the result line with its protocol, and the table of classes."""

from pathlib import Path

from stvit_video.evaluation.segmentation.map_scores import MapScores
from stvit_video.utils.atomic_files import write_table

__all__ = ["describe_map_protocol", "map_result_line", "map_scores_for_json", "write_map_classes"]


def describe_map_protocol(
    *,
    short_side: int,
    long_side: int,
    window: int | None,
    window_stride: int | None,
    num_used: int,
    num_listed: int,
    key_frames: str = "",
) -> str:
    """What an mIoU was measured with: "short side 512, long side 2048, whole picture, 200 of 200 pictures".

    Args:
        short_side: the pixels that the short side of a picture is resized to.
        long_side: the most pixels that its long side is resized to.
        window: sides of the windows in pixels that a picture is read by; None = it is read as a whole.
        window_stride: pixels from one window to the next; None = of no windows.
        num_used: pictures that were scored.
        num_listed: pictures of the list.
        key_frames: of `describe_key_frames`.
    """
    read_as = "whole picture" if window is None else f"windows of {window} at stride {window_stride}"
    parts = [f"short side {short_side}, long side {long_side}", read_as, key_frames]
    return ", ".join(filter(None, [*parts, f"{num_used} of {num_listed} pictures"]))


def map_result_line(scores: MapScores, *, protocol: str) -> str:
    """The line that states mIoU, mAcc and aAcc with what they were measured on.

    Args:
        scores: of the evaluation.
        protocol: of `describe_map_protocol`.
    """
    values = "  ".join(f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in scores.values.items())
    return f"{values}  ({protocol})"


def map_scores_for_json(scores: MapScores) -> dict[str, object]:
    """The values of result.json: mIoU, mAcc, aAcc, and per_class with IoU, accuracy and pixels of each by its name."""
    per_class = {
        found.name: {"IoU": found.iou, "accuracy": found.accuracy, "pixels": found.num_pixels}
        for found in scores.per_class
    }
    return {**scores.values, "per_class": per_class}


def write_map_classes(path: Path, scores: MapScores) -> None:
    """Write the table of classes, one row each, in the order of the labels.

    Args:
        path: the CSV. Columns are class, label, IoU, accuracy, pixels (true ones), share (of all true pixels) and
            predicted_pixels; an empty field = there is no pixel to compute it from.
        scores: of the evaluation.

    Raises:
        OSError: the file can't be written.
    """
    num_pixels = sum(found.num_pixels for found in scores.per_class)
    rows = []
    for label, found in enumerate(scores.per_class):
        share = found.num_pixels / num_pixels if num_pixels else None
        rates = [_six_digits(found.iou), _six_digits(found.accuracy)]
        rows.append([found.name, label, *rates, found.num_pixels, _six_digits(share), found.num_predicted])
    header = ["class", "label", "IoU", "accuracy", "pixels", "share", "predicted_pixels"]
    write_table(path, header=header, rows=rows)


def _six_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"
