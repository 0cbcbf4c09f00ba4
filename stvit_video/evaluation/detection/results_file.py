"""detections.json: every detection in COCO's results format, which any evaluation of COCO's kind reads."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stvit_video.evaluation.detection.instances import PictureInstances
from stvit_video.utils.atomic_files import atomically

__all__ = ["result_entries", "write_detections"]


def write_detections(path: Path, detections: Iterable[PictureInstances], *, category_ids: Sequence[int | str]) -> int:
    """Write the file in one step, one detection a line.

    pycocotools takes the area of a detection that has a box from the box. To score masks with its areas of masks,
    which our numbers have, take "bbox" out of each entry first, as other projects do.

    Args:
        path: the file.
        detections: of each picture, as `DetectionResults.detections` has them.
        category_ids: of the annotation file, by label.

    Returns:
        The number of detections.

    Raises:
        OSError: it can't be written; an old file is left as it was.
    """
    count = 0
    with atomically(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("[")
        for picture in detections:
            for entry in result_entries(picture, category_ids=category_ids):
                file.write(",\n" if count else "\n")
                file.write(json.dumps(entry))
                count += 1
        file.write("\n]\n")
    return count


def result_entries(picture: PictureInstances, *, category_ids: Sequence[int | str]) -> Iterator[dict[str, Any]]:
    """The detections of a picture as entries of COCO's results format, best first.

    Args:
        picture: detections.
        category_ids: of the annotation file, by label.

    Yields:
        image_id, category_id, bbox [x, y, width, height], score, and segmentation (run lengths) where there are masks.
    """
    assert picture.scores is not None  # these are detections
    for place in (-picture.scores).argsort(kind="stable"):
        entry: dict[str, Any] = {
            "image_id": picture.picture_id,
            "category_id": category_ids[picture.labels[place]],
            "bbox": picture.boxes[place].tolist(),
            "score": float(picture.scores[place]),
        }
        if picture.masks is not None:
            entry["segmentation"] = picture.masks[place]
        yield entry
