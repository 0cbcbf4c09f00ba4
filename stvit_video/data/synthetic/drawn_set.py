"""A folder of drawn pictures that is made where it is missing, whatever is known of the pictures.

root/dataset.json        settings; written last, so a folder without it is unfinished
root/annotations/
root/<folder of a part>/000000.png
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stvit_video.data.synthetic.dataset import BUILDING, DONE, SPLITS, locked, refuse_foreign_folder
from stvit_video.utils.atomic_files import write_text

__all__ = ["DrawnSet", "picture_name", "write_drawn_set"]

MIN_SIDE = 32
ANNOTATIONS = "annotations"  # folder of every drawn data set


@dataclass(frozen=True, kw_only=True)
class DrawnSet:
    """What a drawn data set follows from.

    Attributes:
        kind: of the data set.
        version: raised whenever the same settings would give other files: old folders are then made anew.
        classes: names.
        folders: part -> folders that each have a file for every picture.
        num_train: pictures to learn from.
        num_val: pictures to validate on.
        image_size: the long side of a picture in pixels.
        seed: 0 or more.

    Raises:
        ValueError: a setting is out of range.
    """

    kind: str
    version: int
    classes: tuple[str, ...]
    folders: Mapping[str, tuple[str, ...]]
    num_train: int
    num_val: int
    image_size: int
    seed: int

    def __post_init__(self) -> None:
        if min(self.num_train, self.num_val) < 1 or self.image_size < MIN_SIDE or self.seed < 0:
            raise ValueError(
                f"num_train={self.num_train} and num_val={self.num_val} must be 1 or more, image_size="
                f"{self.image_size} {MIN_SIDE} or more, seed={self.seed} 0 or more"
            )

    def to_json(self) -> str:
        """Text that is equal for two data sets exactly when their files are."""
        values = {"format": self.version, "kind": self.kind, "classes": self.classes}
        names = ("num_train", "num_val", "image_size", "seed")
        return json.dumps(values | {name: getattr(self, name) for name in names}, indent=2) + "\n"

    def count(self, split: str) -> int:
        """How many pictures a part has."""
        return self.num_train if split == "train" else self.num_val


def write_drawn_set(root: str | Path, settings: DrawnSet, write: Callable[[Path, DrawnSet], None]) -> Path:
    """Make a data set below `root`, unless it is there already.

    A set that is there with the same settings is left as it is; one that was interrupted, or has other settings, is
    made anew; a folder that holds anything else is refused.

    Args:
        root: folder of the data set; made if it is missing.
        settings: of the data set.
        write: writes all files into (root, settings); the folders are there and empty.

    Returns:
        `root` as a Path.

    Raises:
        ValueError: `root` holds something that is not this data set.
    """
    root = Path(root)
    if _is_complete(root, settings):
        return root
    refuse_foreign_folder(root)
    if (root / DONE).is_file() and f'"kind": "{settings.kind}"' not in (root / DONE).read_text(encoding="utf-8"):
        raise ValueError(f"{root} holds another embedded data set; give data.root a folder of its own")
    root.mkdir(parents=True, exist_ok=True)
    with locked(root):
        if not _is_complete(root, settings):  # another process may have made it while this one waited
            _write(root, settings, write)
    return root


def picture_name(number: int) -> str:
    """The name of the file of a picture."""
    return f"{number:06d}.png"


def _is_complete(root: Path, settings: DrawnSet) -> bool:
    done = root / DONE
    if not done.is_file() or done.read_text(encoding="utf-8") != settings.to_json():
        return False
    return all(
        {picture_name(number) for number in range(settings.count(split))} <= {entry.name for entry in folder.glob("*")}
        for split in SPLITS
        for folder in (root / name for name in settings.folders[split])
    )


def _write(root: Path, settings: DrawnSet, write: Callable[[Path, DrawnSet], None]) -> None:
    write_text(root / BUILDING, settings.to_json())
    (root / DONE).unlink(missing_ok=True)
    folders = [folder for split in SPLITS for folder in settings.folders[split]]
    for top in {folder.partition("/")[0] for folder in folders} | {ANNOTATIONS}:
        shutil.rmtree(root / top, ignore_errors=True)
    for folder in (ANNOTATIONS, *folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write(root, settings)
    write_text(root / DONE, settings.to_json())
    (root / BUILDING).unlink()
