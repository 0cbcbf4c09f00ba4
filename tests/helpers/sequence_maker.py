"""Small sets of pictures that are frames of videos, in COCO's layout, for tests."""

import json
from pathlib import Path

from picture_maker import write_picture

from stvit_video.data.layouts.coco import find_coco_folders

LENGTHS = {"walk": 7, "run": 3, "sit": 5}


def frame_document(lengths=LENGTHS, *, size=(36, 44), alone=1):
    """Annotations of frames, of which the first listed are the last ones, and of pictures of no video.

    Each frame has one object, whose box begins at its number.
    """
    images, annotations = [], []
    rows = [(name, number) for name, length in lengths.items() for number in reversed(range(length))]
    rows += [(None, number) for number in range(alone)]
    for name, number in rows:
        image = {"id": len(images) + 1, "file_name": f"{name or 'alone'}/{number:02d}.png"}
        image |= {"height": size[0], "width": size[1]}
        images.append(image if name is None else image | {"video": name, "frame_index": 10 * number})
        box = {"id": len(images), "image_id": len(images), "category_id": 1, "bbox": [number + 1, 2, 12, 9]}
        annotations.append(box | {"area": 108, "iscrowd": 0})
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}


def write_frames(root: Path, document=None, *, alike=False) -> Path:
    """The pictures of such a document, all of them alike if wanted, and its json."""
    document = document or frame_document()
    for image in document["images"]:
        seed = 0 if alike else image["id"]
        write_picture(root / image["file_name"], seed=seed, size=(image["height"], image["width"]))
    (root / "frames.json").write_text(json.dumps(document))
    return root


def read_frames(root: Path):
    """The list of what `write_frames` has written."""
    return find_coco_folders("val", known_classes=None, val_json=str(root / "frames.json"), val_images=str(root))()
