"""Small data sets with label maps, for tests."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from picture_maker import write_picture
from PIL import Image

from stvit_video.data.layouts.label_maps import find_label_maps
from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.mapped_pictures import MappedPictures

CLASSES = ("sky", "road", "car")
SIZES = {"a": (60, 91), "b": (75, 40), "c": (50, 50)}  # height, width
PALETTE = {"sky": (70, 130, 180), "road": (128, 64, 128), "car": (0, 0, 142)}


def labels_of(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Blocks of labels from 0 to 2, and some of 255."""
    coarse = np.random.default_rng(seed).choice([0, 1, 2, 255], (4, 5), p=[0.4, 0.3, 0.2, 0.1])
    rows, columns = (np.arange(side) * count // side for side, count in zip(size, (4, 5), strict=True))
    return coarse[rows[:, None], columns].astype(np.uint8)


def write_map(path: Path, labels: np.ndarray) -> Path:
    """A map as a grey, 16-bit or colour picture, by its type and shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)
    return path


def coloured(labels: np.ndarray) -> np.ndarray:
    """The map in the colours of PALETTE, black for 255."""
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[: len(CLASSES)] = list(PALETTE.values())
    return colours[labels]


def write_maps(root: Path, *, parts: tuple[str, ...] = ("train", "val")) -> Path:
    """images/PART/NAME.jpg and maps/PART/NAME.png of SIZES, all different, and classes.txt."""
    for number, part in enumerate(parts):
        for seed, (name, size) in enumerate(SIZES.items(), start=10 * number):
            write_picture(root / "images" / part / f"{name}.jpg", seed=seed, size=size)
            write_map(root / "maps" / part / f"{name}.png", labels_of(size, seed))
    (root / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    return root


def map_settings(root: Path) -> dict[str, str]:
    """The settings of `data` that name the folders of what `write_maps` has written."""
    return {
        "root": str(root),
        **{f"{part}_{kind}": str(root / kind / part) for part in ("train", "val") for kind in ("images", "maps")},
    }


def read_part(root: Path, part: str = "train", *, keep_classes=None, **settings) -> MappedPictures:
    """The list of a part of what `write_maps` has written."""
    pictures = find_label_maps(part, known_classes=None, **map_settings(root))()
    chosen = choose_classes(pictures.names, keep_classes=keep_classes, **settings)
    return replace(pictures, classes=chosen.classes, rules=chosen.rules)
