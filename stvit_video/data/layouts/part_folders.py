"""Which folder below a data set's own holds a part: train, and val or one of its other usual names."""

import logging
from pathlib import Path

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.video_endings import is_video_file

# folders of a part, the first that is there counts: some published sets have a test and no val
PART_FOLDERS = {"train": ("train",), "val": ("val", "valid", "validation", "test")}
_log = logging.getLogger(__name__)


def find_part(root: Path, part: str) -> Path | None:
    """The folder of a part; None = there are no parts, and what `undivided_folder` gives is to be divided.

    Args:
        root: the data set's folder, which is there.
        part: "train" or "val".

    Raises:
        ManifestError: that of the training videos is asked for, and there is one of validation videos alone.
    """
    train, name = root / "train", next((name for name in PART_FOLDERS["val"] if (root / name).is_dir()), None)
    if name is None or not (train.is_dir() or _holds_classes(root / name)):
        return None
    if part == "train" and not train.is_dir():
        raise ManifestError(
            f"there is no folder {train} beside {root / name}; add it, or give both as data.train and data.val"
        )
    return train if part == "train" else root / name


def undivided_folder(root: Path) -> Path:
    """The folder with the folders of all classes: `root`, or its folder train where that holds folders of classes."""
    train = root / "train"
    return train if train.is_dir() and _holds_classes(train) else root


def warn_of_other_name(source: Path, name: str) -> None:
    """Tell that a folder of another name than val is taken for the validation videos."""
    if name != "val":
        _log.warning(
            "%s holds no folder val, %s is taken in its place; if it is the official test, report_checkpoint=last "
            "keeps the choice of the checkpoint away from it",
            *(source, name),
        )


def _holds_classes(folder: Path) -> bool:
    """Whether a folder holds folders, and no video by itself, which a folder of a class would."""
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return any(entry.is_dir() for entry in entries) and not any(map(is_video_file, entries))
