"""Detections as JSON holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

from stvit_video.evaluation.detection.run_lengths import encode_masks
from stvit_video.visualization.draw_detections import drawn_objects

__all__ = ["detection_records"]

BOX_DIGITS = 2
SCORE_DIGITS = 4


def detection_records(detections: Mapping[str, Any], *, names: Sequence[str], threshold: float) -> list[dict[str, Any]]:
    """The detections that are drawn, best first.

    Args:
        detections: see `drawn_objects`.
        names: of the classes, by label.
        threshold: detections with a lower score are left out.

    Returns:
        For each: "label" (the name), "score", "box" [x1, y1, x2, y2] in pixels, and where there are masks "mask", the
        compressed run lengths of COCO.
    """
    records = []
    for shown in drawn_objects(detections, threshold=threshold):
        record: dict[str, Any] = {"label": names[shown.label]}
        if shown.score is not None:
            record["score"] = round(shown.score, SCORE_DIGITS)
        record["box"] = [round(corner, BOX_DIGITS) for corner in shown.box]
        if shown.mask is not None:
            (record["mask"],) = encode_masks([shown.mask] if isinstance(shown.mask, dict) else shown.mask[None])
        records.append(record)
    return records
