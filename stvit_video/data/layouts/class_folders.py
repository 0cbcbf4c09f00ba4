"""A folder for each class, with its videos."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stvit_video.data.layouts.places import Reading, existing
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, Faults, ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.video_endings import describe_endings, is_video_file
from stvit_video.utils.addresses import Place

_WAY_OUT = "give each the ending of its container, such as .mp4, or list them in a CSV (data=csv), which takes any name"
_log = logging.getLogger(__name__)


def find_class_folders(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train: Place | None = None,
    val: Place | None = None,
    root: Place | None = None,
) -> Reading:
    """Find the folder of a part, which holds a folder for each class.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        train: the folder of the training videos; None = root/train.
        val: the folder of the validation videos; None = root/val.
        root: holds both.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": train, "val": val}[part]
    if given:
        return partial(read_folder_manifest, existing(given, part, source="folder"), classes=known_classes)
    return partial(read_folder_manifest, Path(existing(root, "root", source="folder")) / part, classes=known_classes)


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
