"""Small data sets with boxes in COCO's layout, for tests."""

import json
from copy import deepcopy
from pathlib import Path

from picture_maker import write_picture

from stvit_video.data.layouts.coco import find_coco

SIZES = ((60, 91), (75, 40), (50, 50))  # height, width
SQUARE = {"id": 11, "image_id": 7, "category_id": 90, "bbox": [10, 20, 30, 25], "area": 700, "iscrowd": 0}
SQUARE |= {"segmentation": [[10, 20, 40, 20, 40, 45, 10, 45]]}
SMALL = {"id": 12, "image_id": 7, "category_id": 3, "bbox": [0.5, 1.5, 8, 6.25], "area": 50, "iscrowd": 0}
SMALL |= {"segmentation": [[0.5, 1.5, 8.5, 1.5, 8.5, 7.75, 0.5, 7.75]]}
CROWD = {"id": 13, "image_id": 5, "category_id": 3, "bbox": [0, 0, 40, 30], "area": 900, "iscrowd": 1}
CROWD |= {"segmentation": {"size": [75, 40], "counts": [0, 900, 2100]}}
LONE = {"id": 14, "image_id": 5, "category_id": 3, "bbox": [5, 40, 12, 9], "area": 108, "iscrowd": 0}
LONE |= {"segmentation": [[5, 40, 17, 40, 17, 49, 5, 49]]}
# ids with gaps, the categories not in the order of their ids, the last picture without objects
DOCUMENT = {
    "images": [
        {"id": 7, "file_name": "a.png", "height": 60, "width": 91},
        {"id": 5, "file_name": "b.png", "height": 75, "width": 40},
        {"id": 6, "file_name": "c.png", "height": 50, "width": 50},
    ],
    "annotations": [SQUARE, CROWD, SMALL, LONE],
    "categories": [{"id": 90, "name": "pear"}, {"id": 3, "name": "apple"}],
}


def document(**changes):
    """A copy of DOCUMENT with other lists."""
    return deepcopy(DOCUMENT) | changes


def content(**changes) -> bytes:
    """The same as the bytes of a file."""
    return json.dumps(document(**changes)).encode()


def write_pictures(folder: Path, *, seed: int = 0) -> Path:
    """a.png, b.png and c.png of SIZES."""
    for number, (name, size) in enumerate(zip("abc", SIZES, strict=True)):
        write_picture(folder / f"{name}.png", seed=seed + number, size=size)
    return folder


def write_coco(root: Path, *, documents=None) -> Path:
    """Both parts, their pictures not the same; `documents` has other annotations of a part."""
    for seed, part in enumerate(("train", "val")):
        write_pictures(root / part, seed=10 * seed)
        path = root / "annotations" / f"instances_{part}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps((documents or {}).get(part, DOCUMENT)))
    return root


def read_part(root: Path, part: str = "train", **settings):
    """The list of a part of what `write_coco` has written."""
    return find_coco(part, root=str(root), **({"known_classes": None} | settings))()
