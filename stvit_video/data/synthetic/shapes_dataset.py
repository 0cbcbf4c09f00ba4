"""Drawn pictures with exact boxes and masks, written once, in COCO's layout.

    root/annotations/instances_train.json      boxes, areas, and masks as run lengths; likewise for val
    root/train/000000.png
    root/val/000000.png

What the pictures show stands in `stvit_video.data.synthetic.shapes`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.data.synthetic.dataset import SPLITS
from stvit_video.data.synthetic.drawn_set import DrawnSet, picture_name, write_drawn_set
from stvit_video.data.synthetic.shapes import MAX_SHAPES, SHAPE_CLASSES, DrawnPicture, draw_shapes
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.mask_runs import runs_of_mask

__all__ = ["shapes_picture", "write_shapes_dataset"]

FORMAT_VERSION = 1  # of `DrawnSet`
EMPTY_EVERY = 10  # one picture in so many shows nothing but ground
SHAPES_OF_PICTURE = (1.0, 0.75)  # the shorter side, as a share of the longer


def write_shapes_dataset(
    root: str | Path, *, num_train: int = 400, num_val: int = 100, image_size: int = 128, seed: int = 0
) -> Path:
    """Make the data set below `root`, unless it is there already, see `write_drawn_set`.

    Each picture follows from (seed, split, number) alone.

    Args:
        root: folder of the data set; made if it is missing.
        num_train: pictures to learn from.
        num_val: pictures to validate on.
        image_size: the long side of a picture in pixels.
        seed: 0 or more; two seeds share no picture.

    Returns:
        `root` as a Path.

    Raises:
        ValueError: a setting is out of range, or `root` holds something that is not this data set.
    """
    settings = DrawnSet(
        kind="shapes",
        version=FORMAT_VERSION,
        classes=SHAPE_CLASSES,
        folders={split: (split,) for split in SPLITS},
        num_train=num_train,
        num_val=num_val,
        image_size=image_size,
        seed=seed,
    )
    return write_drawn_set(root, settings, _write)


def shapes_picture(*, seed: int, split: str, number: int, image_size: int = 128) -> DrawnPicture:
    """One picture of the data set.

    Args:
        seed: of the data set.
        split: "train" or "val".
        number: from 0 on.
        image_size: the long side in pixels.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), number])
    short = round(image_size * rng.choice(SHAPES_OF_PICTURE))
    height, width = (short, image_size) if rng.random() < 0.5 else (image_size, short)
    num_shapes = 0 if number % EMPTY_EVERY == EMPTY_EVERY - 1 else int(rng.integers(1, MAX_SHAPES + 1))
    return draw_shapes(rng=rng, num_shapes=num_shapes, height=height, width=width)


def _write(root: Path, settings: DrawnSet) -> None:
    for split in SPLITS:
        document = _write_split(root, split, settings)
        write_text(root / "annotations" / f"instances_{split}.json", json.dumps(document))


def _write_split(root: Path, split: str, settings: DrawnSet) -> dict[str, list[dict[str, Any]]]:
    """Write the pictures of a part; returns their annotations."""
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(settings.count(split)):
        drawn = shapes_picture(seed=settings.seed, split=split, number=number, image_size=settings.image_size)
        Image.fromarray(drawn.picture).save(root / split / picture_name(number), compress_level=1)
        height, width = drawn.picture.shape[:2]
        images.append({"id": number + 1, "file_name": picture_name(number), "width": width, "height": height})
        for mask, label, box in zip(drawn.masks, drawn.labels, drawn.boxes(), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": int(label) + 1,
                    "bbox": box.tolist(),
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                    "segmentation": runs_of_mask(mask),
                }
            )
    categories = [{"id": label + 1, "name": name} for label, name in enumerate(SHAPE_CLASSES)]
    return {"images": images, "annotations": annotations, "categories": categories}
