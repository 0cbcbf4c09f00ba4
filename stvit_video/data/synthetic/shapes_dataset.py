"""Drawn pictures with exact boxes and masks, written once, in COCO's layout.

    root/dataset.json                          settings; written last, so a folder without it is unfinished
    root/annotations/instances_train.json      boxes, areas, and masks as run lengths; likewise for val
    root/train/000000.png
    root/val/000000.png

What the pictures show stands in `stvit_video.data.synthetic.shapes`.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.data.synthetic.dataset import BUILDING, DONE, SPLITS, locked, refuse_foreign_folder
from stvit_video.data.synthetic.shapes import MAX_SHAPES, SHAPE_CLASSES, DrawnPicture, draw_shapes
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.mask_runs import runs_of_mask

__all__ = ["shapes_picture", "write_shapes_dataset"]

FORMAT_VERSION = 1  # raise it whenever the same settings would give other pictures: old folders are then made anew
KIND = '"kind": "shapes"'  # in the settings of a folder
EMPTY_EVERY = 10  # one picture in so many shows nothing but ground
MIN_SIDE = 32
SHAPES_OF_PICTURE = (1.0, 0.75)  # the shorter side, as a share of the longer


@dataclass(frozen=True)
class _Settings:
    num_train: int
    num_val: int
    image_size: int
    seed: int

    def to_json(self) -> str:
        """Text that is equal for two data sets exactly when their pictures are."""
        values = {"format": FORMAT_VERSION, "kind": "shapes", "classes": SHAPE_CLASSES, **asdict(self)}
        return json.dumps(values, indent=2) + "\n"

    def count(self, split: str) -> int:
        return self.num_train if split == "train" else self.num_val


def write_shapes_dataset(
    root: str | Path, *, num_train: int = 400, num_val: int = 100, image_size: int = 128, seed: int = 0
) -> Path:
    """Make the data set below `root`, unless it is there already.

    A set that is there with the same settings is left as it is; one that was interrupted, or has other settings, is
    made anew; a folder that holds anything else is refused. Each picture follows from (seed, split, number) alone.

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
    settings, root = _Settings(num_train, num_val, image_size, seed), Path(root)
    if min(num_train, num_val) < 1 or image_size < MIN_SIDE or seed < 0:
        raise ValueError(
            f"num_train={num_train} and num_val={num_val} must be 1 or more, image_size={image_size} {MIN_SIDE} or "
            f"more, seed={seed} 0 or more"
        )
    if _is_complete(root, settings):
        return root
    refuse_foreign_folder(root)
    if (root / DONE).is_file() and KIND not in (root / DONE).read_text(encoding="utf-8"):
        raise ValueError(f"{root} holds another embedded data set; give data.root a folder of its own")
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        if not _is_complete(root, settings):  # another process may have made it while this one waited
            _write(root, settings)
    return root


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


def _is_complete(root: Path, settings: _Settings) -> bool:
    done = root / DONE
    if not done.is_file() or done.read_text(encoding="utf-8") != settings.to_json():
        return False
    names = {split: {entry.name for entry in (root / split).glob("*.png")} for split in SPLITS}
    return all({_name(n) for n in range(settings.count(split))} <= names[split] for split in SPLITS)


def _write(root: Path, settings: _Settings) -> None:
    write_text(root / BUILDING, settings.to_json())
    (root / DONE).unlink(missing_ok=True)
    for folder in ("annotations", *SPLITS):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir()
    for split in SPLITS:
        document = _write_split(root, split, settings)
        write_text(root / "annotations" / f"instances_{split}.json", json.dumps(document))
    write_text(root / DONE, settings.to_json())
    (root / BUILDING).unlink()


def _write_split(root: Path, split: str, settings: _Settings) -> dict[str, list[dict[str, Any]]]:
    """Write the pictures of a part; returns their annotations."""
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(settings.count(split)):
        drawn = shapes_picture(seed=settings.seed, split=split, number=number, image_size=settings.image_size)
        Image.fromarray(drawn.picture).save(root / split / _name(number), compress_level=1)
        height, width = drawn.picture.shape[:2]
        images.append({"id": number + 1, "file_name": _name(number), "width": width, "height": height})
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


def _name(number: int) -> str:
    return f"{number:06d}.png"
