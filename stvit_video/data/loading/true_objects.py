"""The true objects of pictures, for scoring detections against them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from stvit_video.data.decoding.segmentations import segmentation_runs
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures

__all__ = ["true_objects"]


def true_objects(
    pictures: AnnotatedPictures, *, masks: bool, positions: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """The objects of listed pictures, crowds included, as they are written.

    Args:
        pictures: the list.
        masks: whether outlines are wanted.
        positions: of the records that are wanted; None = all.

    Returns:
        For each picture "picture_id"; "boxes" (N, 4) float64, x1, y1, x2, y2 in pixels of the file; "labels" (N,)
        int64; "areas" (N,) float64; "crowd" (N,) bool; and with `masks` the N run lengths, empty where there is no
        outline that can be used. Boxes with a number that is not finite are left out.
    """
    records = pictures.pictures
    found = []
    for record in records if positions is None else [records[position] for position in positions]:
        objects = pictures.objects_of(record, outlines=masks)
        objects = objects.only(np.asarray(np.isfinite(objects.boxes).all(1)))
        entry: dict[str, Any] = {
            "picture_id": record.picture_id,
            "boxes": objects.boxes,
            "labels": objects.labels,
            "areas": objects.areas,
            "crowd": objects.crowd,
        }
        if masks:
            height, width = record.stated_size
            outlines = objects.segmentations or [None] * len(objects.labels)
            entry["masks"] = [segmentation_runs(outline, height=height, width=width) for outline in outlines]
        found.append(entry)
    return found
