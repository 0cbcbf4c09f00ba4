"""Small trees of pictures, as files and as archives, for tests."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("apple", "pear", "quince")
SIZES = ((30, 41), (47, 28), (33, 33), (24, 70))  # height, width


def write_picture(path: Path, *, seed: int, size: tuple[int, int] = SIZES[0], mode: str = "RGB") -> Path:
    """A smooth random picture, (height, width) pixels, in the format of its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC).convert(mode).save(path)
    return path


def write_tree(root: Path, *, num_train: int = 4, num_val: int = 2, val: str = "val") -> Path:
    """train/<class>/*.JPEG and val/<class>/*.JPEG: so many pictures a class, of SIZES in turn."""
    seed = 0
    for part, count in (("train", num_train), (val, num_val)):
        for name in CLASSES:
            for number in range(count):
                size = SIZES[seed % len(SIZES)]
                write_picture(root / part / name / f"{number} of {count}.JPEG", seed=seed, size=size)
                seed += 1
    return root


def pack(root: Path, archive: Path, *, method: int = zipfile.ZIP_DEFLATED, below: str = "") -> Path:
    """The files of a tree in a .zip, their names beginning with `below`."""
    with zipfile.ZipFile(archive, "w", method) as file:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            file.write(path, below + path.relative_to(root).as_posix())
    return archive
