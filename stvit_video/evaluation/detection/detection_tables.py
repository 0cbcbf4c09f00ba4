"""What people read of detection scores: the result line with its protocol, and the table of classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stvit_video.evaluation.detection.coco_scores import CocoScores
from stvit_video.utils.atomic_files import write_table

__all__ = ["describe_protocol", "result_line", "scores_for_json", "write_per_class"]

KINDS = {"bbox": "box", "segm": "mask"}  # what the AP of an IoU type is called
LINE_VALUES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")


def describe_protocol(
    *,
    long_side: int,
    short_side: int,
    max_detections: int,
    score_threshold: float,
    nms_threshold: float,
    num_used: int,
    num_listed: int,
    key_frames: str = "",
) -> str:
    """What an AP was measured with: "1333x800, 100 detections, score .05, NMS .5, 72 of 72 pictures".

    Args:
        long_side: the most pixels that the long side of a picture is resized to.
        short_side: the pixels that its short side is resized to.
        max_detections: of a picture.
        score_threshold: detections below it are dropped.
        nms_threshold: of two boxes of a class that overlap by a higher IoU, the one of the lower score is dropped.
        num_used: pictures that were scored.
        num_listed: pictures of the list.
        key_frames: of `describe_key_frames`.
    """
    parts = [
        f"{long_side}x{short_side}, {max_detections} detections, score {_short(score_threshold)}",
        f"NMS {_short(nms_threshold)}",
        key_frames,
        f"{num_used} of {num_listed} pictures",
    ]
    return ", ".join(filter(None, parts))


def result_line(scores: Mapping[str, CocoScores], *, protocol: str) -> str:
    """The line that states AP with what it was measured on.

    Args:
        scores: by IoU type; the line says box and mask where there are both.
        protocol: of `describe_protocol`.
    """
    parts = []
    for iou_type, found in scores.items():
        kind = f"{KINDS[iou_type]} " if len(scores) > 1 else ""
        values = "  ".join(f"{name} {_three_digits(found.values[name])}" for name in LINE_VALUES)
        parts.append(kind + values)
    return f"{'; '.join(parts)}  ({protocol})"


def scores_for_json(scores: Mapping[str, CocoScores]) -> dict[str, object]:
    """The values of result.json.

    Args:
        scores: by IoU type. Those of the last one (masks, where there are any) stand without a prefix in their names,
            those of the others behind "box_".

    Returns:
        AP, AP50, ... and per_class, which has the values of each class by its name; None where there is no object.
    """
    *others, main = scores
    result: dict[str, object] = {}
    for iou_type in (main, *others):
        prefix = "" if iou_type == main else f"{KINDS[iou_type]}_"
        result |= {f"{prefix}{name}": value for name, value in scores[iou_type].values.items()}
        result[f"{prefix}per_class"] = {found.name: found.values for found in scores[iou_type].per_class}
    return result


def write_per_class(path: Path, scores: Mapping[str, CocoScores], *, category_ids: Sequence[int | str]) -> None:
    """Write the table of classes, one row each, in the order of the labels.

    Args:
        path: the CSV. Columns are class, category_id, objects, pictures, detections, and box_AP, box_AP50, box_AP75,
            box_AR, mask_AP, ... as far as they were scored; an empty field = no picture has such an object.
        scores: by IoU type.
        category_ids: of the annotation file, by label.

    Raises:
        ValueError: not one category id a class.
        OSError: the file can't be written.
    """
    first = next(iter(scores.values()))
    if len(category_ids) != len(first.per_class):
        raise ValueError(
            f"category_ids must be one for each of {len(first.per_class)} classes, got {len(category_ids)}"
        )
    header = ["class", "category_id", "objects", "pictures", "detections"]
    header += [f"{KINDS[kind]}_{name}" for kind, found in scores.items() for name in found.per_class[0].values]
    rows = []
    for label, found in enumerate(first.per_class):
        values = [value for kind in scores.values() for value in kind.per_class[label].values.values()]
        counts = [found.num_objects, found.num_pictures, found.num_detections]
        rows.append([found.name, category_ids[label], *counts, *map(_six_digits, values)])
    write_table(path, header=header, rows=rows)


def _short(value: float) -> str:
    """A share without its zero: ".05"."""
    text = f"{value:g}"
    return text.removeprefix("0") if text.startswith("0.") else text


def _three_digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _six_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"
