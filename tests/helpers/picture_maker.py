"""Small trees of pictures, as files and as archives, for tests."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.manifest import VideoRecord

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


def record_of(path: Path) -> VideoRecord:
    """A listed picture."""
    return VideoRecord(path, 0, path.name, is_picture=True)


def pixels(path: Path) -> np.ndarray:
    """What we make of a picture, (H, W, 3) uint8."""
    with open_image(record_of(path)) as picture:
        return picture.read([0])[0]


def as_pillow_has_it(path: Path) -> np.ndarray:
    """What Pillow's own conversion to RGB makes of it."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
