"""Drawn pictures with a label for each pixel, written once, in ADE20K's layout.

    root/images/training/000000.png            likewise validation
    root/annotations/training/000000.png       0 = ground, 1 = disc, 2 = square, 3 = triangle
    root/classes.txt

The pictures are those of `stvit_video.data.synthetic.shapes_dataset` with the same seed.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stvit_video.data.synthetic.dataset import SPLITS
from stvit_video.data.synthetic.drawn_set import DrawnSet, picture_name, write_drawn_set
from stvit_video.data.synthetic.shapes import SHAPE_CLASSES, DrawnPicture
from stvit_video.data.synthetic.shapes_dataset import shapes_picture
from stvit_video.utils.atomic_files import write_text

__all__ = ["MAP_CLASSES", "label_map", "write_maps_dataset"]

FORMAT_VERSION = 1  # of `DrawnSet`
MAP_CLASSES = ("ground", *SHAPE_CLASSES)
PUBLISHED = {"train": "training", "val": "validation"}  # names of the folders of the parts


def write_maps_dataset(
    root: str | Path, *, num_train: int = 400, num_val: int = 100, image_size: int = 128, seed: int = 0
) -> Path:
    """Make the data set below `root`, unless it is there already, see `write_drawn_set`.

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
        kind="maps",
        version=FORMAT_VERSION,
        classes=MAP_CLASSES,
        folders={split: tuple(f"{kind}/{PUBLISHED[split]}" for kind in ("images", "annotations")) for split in SPLITS},
        num_train=num_train,
        num_val=num_val,
        image_size=image_size,
        seed=seed,
    )
    return write_drawn_set(root, settings, _write)


def label_map(drawn: DrawnPicture) -> NDArray[np.uint8]:
    """(H, W), indices of MAP_CLASSES."""
    labels = np.zeros(drawn.picture.shape[:2], dtype=np.uint8)
    for mask, label in zip(drawn.masks, drawn.labels, strict=True):  # what can be seen, so no two overlap
        labels[mask] = label + 1
    return labels


def _write(root: Path, settings: DrawnSet) -> None:
    for split in SPLITS:
        pictures, maps = (root / folder for folder in settings.folders[split])
        for number in range(settings.count(split)):
            drawn = shapes_picture(seed=settings.seed, split=split, number=number, image_size=settings.image_size)
            name = picture_name(number)
            Image.fromarray(drawn.picture).save(pictures / name, compress_level=1)
            Image.fromarray(label_map(drawn)).save(maps / name)
    write_text(root / "classes.txt", "".join(f"{name}\n" for name in MAP_CLASSES))
