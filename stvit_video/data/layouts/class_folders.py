"""A folder for each class, with its videos."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from stvit_video.data.layouts.part_folders import PART_FOLDERS, find_part, undivided_folder, warn_of_other_name
from stvit_video.data.layouts.places import Reading, existing
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, Faults, ManifestError
from stvit_video.data.manifests.holding_back import SplitBy
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.video_endings import describe_endings, is_video_file
from stvit_video.utils.addresses import Place

VAL_FRACTION = 0.2
SPLIT_BY: SplitBy = "group"
_WAY_OUT = "give each the ending of its container, such as .mp4, or list them in a CSV (data=csv), which takes any name"
_log = logging.getLogger(__name__)


def find_class_folders(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train: Place | None = None,
    val: Place | None = None,
    root: Place | None = None,
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = VAL_FRACTION,
    split_by: SplitBy = SPLIT_BY,
) -> Reading:
    """Find the folder of a part, which holds a folder for each class; where root has no parts, a share is held back.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        train: the folder of the training videos; None = root/train.
        val: the folder of the validation videos; None = root/val, or else root/valid, root/validation, root/test.
        root: holds both, or the folders of the classes, whose videos are then divided.
        val_fraction: share of the videos that is held back for validation, where root has no such folder.
        split_by: group: pieces of one recording (by their names) and videos that look alike stay in one part, for
            otherwise the accuracy on the validation videos would be of videos that the model has seen; name: each
            video by itself.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": train, "val": val}[part]
    folder = Path(existing(given or root, part if given else "root", source="folder"))
    own = folder if given else _part_below(folder, part, other_is_given=bool(train or val))
    if own is None:
        whole = undivided_folder(folder)
        return Undivided(part, whole, read_folder_manifest, known_classes, fraction=val_fraction, by=split_by)
    for name, value, usual in (("val_fraction", val_fraction, VAL_FRACTION), ("split_by", split_by, SPLIT_BY)):
        if value != usual:
            raise ValueError(
                f"data.{name}={value} has no effect, because the {part} videos are those of {own}; leave it out, or "
                "give as data.root a folder that holds the folders of the classes"
            )
    return partial(_read_part, own, folder, known_classes)


def _part_below(root: Path, part: str, *, other_is_given: bool) -> Path | None:
    """The folder of a part below root; None = the videos of root are to be divided."""
    if not root.is_dir():
        return root  # which reading it tells
    return find_part(root, part) or (root / part if other_is_given else None)


def _read_part(folder: Path, root: Path, classes: Sequence[str] | None) -> Manifest:
    if folder.parent == root and folder.name in PART_FOLDERS["val"]:
        warn_of_other_name(root, folder.name)
    return read_folder_manifest(folder, classes=classes)


def read_folder_manifest(root: str | os.PathLike[str], *, classes: Sequence[str] | None = None) -> Manifest:
    """Read a folder that holds a folder of videos for each class; deeper folders are not searched.

    What is no video (by its ending, see `stvit_video.data.manifests.video_endings`) is left out, and counted by ending
    in one warning. Folders whose names are one text in several forms hold one class.

    Args:
        root: the folder.
        classes: class names in the order of the labels; None = the folder names, sorted.

    Raises:
        ManifestError: every fault of the folder, in one error.
    """
    folder = Path(root)
    faults = Faults(folder)
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder}; give one that holds a folder of videos for each class")
    listed: list[Listed] = []
    ignored: list[str] = []
    for class_folder in sorted(folder.iterdir()):
        if not class_folder.is_dir() or class_folder.name.startswith("."):
            ignored.append(class_folder.name)
            continue
        others: list[str] = []
        videos = _videos_in(class_folder, folder, others)
        listed += [Listed(0, written, folder / written, class_folder.name) for written in videos]
        if not videos:
            faults.add(0, _empty_class(class_folder, folder, others))
        ignored += others
    _warn_of_ignored(folder, ignored)
    return build_manifest_of(listed, classes, faults)


def _videos_in(class_folder: Path, root: Path, ignored: list[str]) -> list[str]:
    """Paths of a class's videos relative to `root`; those of other entries are appended to `ignored`."""
    videos: list[str] = []
    for entry in sorted(class_folder.iterdir()):
        written = entry.relative_to(root).as_posix()
        is_video = is_video_file(entry) and entry.is_file() and not entry.name.startswith(".")
        (videos if is_video else ignored).append(written)
    return videos


def _empty_class(class_folder: Path, root: Path, others: Sequence[str]) -> str:
    files = [other for other in others if (root / other).is_file()]
    if not files:
        return f"class folder {class_folder.name} holds no video; add some or remove the folder"
    return (
        f"class folder {class_folder.name} holds no video: of its {len(files)} files {describe_endings(files)}, which "
        f"are no known endings of videos; {_WAY_OUT}"
    )


def _warn_of_ignored(folder: Path, ignored: Sequence[str]) -> None:
    """Tell what is left out: how many entries, and the endings of the files among them that lie in class folders."""
    if not ignored:
        return
    first = ", ".join(ignored[:NUM_FAULTS_SHOWN])
    files = [other for other in ignored if (folder / other).is_file() and "/" in other]
    endings = f"; of the files in class folders {describe_endings(files)}: of videos, {_WAY_OUT}" if files else ""
    text = "%s: %d entries are no videos of a class and left out, first: %s%s"
    _log.warning(text, folder, len(ignored), first, endings)
