"""Which videos there are, as pytorchvideo's own data sets list them."""

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from stvit_video.data.layouts.places import Reading, existing, published_folder, refuse_lists
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place
from stvit_video.utils.optional import load_optional
from stvit_video.utils.written_paths import PathFinder

DATASETS = ("labeled", "hmdb51")
_log = logging.getLogger(__name__)


def find_pytorchvideo(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    dataset: Literal["labeled", "hmdb51"] = "labeled",
    split: Literal[1, 2, 3] = 1,
    lists: Place | None = None,
    videos: Place | None = None,
    root: Place | None = None,
    train: Place | None = None,
    val: Place | None = None,
) -> Reading:
    """Find what pytorchvideo's own data sets read.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        dataset: "labeled" (a list, or a folder of class folders; Kinetics and Ucf101 there) or "hmdb51" (its lists).
        split: of hmdb51: 1, 2 or 3.
        lists: folder of hmdb51's lists; None = root/testTrainMulti_7030_splits.
        videos: folder that paths start from; None = root, of hmdb51 root/hmdb51_org.
        root: holds the parts.
        train: list or folder of the training videos; None = root/train. Not with hmdb51.
        val: list or folder of the validation videos; None = root/val. Not with hmdb51.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    source = "pytorchvideo"
    if dataset == "hmdb51":
        refuse_lists(source, train=train, val=val)
        path = published_folder(lists, "lists", "testTrainMulti_7030_splits", root=root, source=source)
        prefix = published_folder(videos, "videos", "hmdb51_org", root=root, source=source)
    else:
        given = {"train": train, "val": val}[part]
        base = existing(given, part, source=source) if given else Path(existing(root, "root", source=source)) / part
        path, prefix = Path(base), Path(videos or root or "")
    return partial(
        read_pytorchvideo_manifest,
        path,
        dataset=dataset,
        prefix=prefix,
        part=part,
        split=split,
        classes=known_classes,
    )


def read_pytorchvideo_manifest(
    path: str | os.PathLike[str],
    *,
    dataset: str = "labeled",
    prefix: str | os.PathLike[str] = "",
    part: str = "train",
    split: int = 1,
    classes: Sequence[str] | None = None,
) -> Manifest:
    """The videos that pytorchvideo lists, with its labels.

    Args:
        path: "labeled" (pytorchvideo's Kinetics and Ucf101, too): a folder of class folders, of whose files it takes
            .mp4 and .avi, or a file with lines `path number`; "hmdb51": the folder of the split lists.
        dataset: "labeled" or "hmdb51".
        prefix: folder that relative paths in a list start from; "" = the working directory.
        part: of "hmdb51": "train" or "val" (its test list).
        split: of "hmdb51": 1, 2 or 3.
        classes: class names in the order of the labels; None = folder names or numbers, as the list has them, sorted.

    Raises:
        ValueError: the data set is unknown, or the split is.
        ManifestError: pytorchvideo can't read the list, or it is faulty.
        MissingLibraryError: pytorchvideo does not import.
    """
    if dataset not in DATASETS:
        raise ValueError(f"dataset={dataset!r} is unknown; use one of {', '.join(DATASETS)}")
    if dataset == "hmdb51" and split not in (1, 2, 3):
        raise ValueError(f"split={split!r} is unknown; HMDB51 has the splits 1, 2 and 3")
    try:
        paths = _hmdb51_paths(path, part, split) if dataset == "hmdb51" else _labeled_paths(path)
    except (OSError, ValueError, IndexError, AssertionError) as error:  # it checks by assertions
        raise ManifestError(f"pytorchvideo can't list the videos of {os.fspath(path)!r}: {error}") from error
    paths.path_prefix = os.fspath(prefix)
    is_folder, faults = dataset == "labeled" and Path(path).is_dir(), Faults(path)
    listed, finder = [], PathFinder("")
    for number in range(len(paths)):
        video, info = paths[number]
        written, label = finder.find(video) or Path(video), str(info["label"])
        if label == "-1":
            faults.add(number + 1, f"{video} has no label; write its number behind the path")
        listed.append(Listed(number + 1, video, written, written.parent.name if is_folder else label))
    if notice := finder.notice():
        _log.warning("%s: %s", path, notice)
    return build_manifest_of(listed, classes, faults)


def _labeled_paths(path: str | os.PathLike[str]) -> Any:
    module: Any = load_optional(
        "pytorchvideo.data.labeled_video_paths", needed_for="data=pytorchvideo", install="pip install pytorchvideo"
    )
    return module.LabeledVideoPaths.from_path(os.fspath(path))


def _hmdb51_paths(path: str | os.PathLike[str], part: str, split: int) -> Any:
    module: Any = load_optional(
        "pytorchvideo.data.hmdb51", needed_for="data=pytorchvideo", install="pip install pytorchvideo"
    )
    if not Path(path).is_dir():
        raise FileNotFoundError("there is no such folder")
    return module.Hmdb51LabeledVideoPaths.from_dir(path, split, {"train": "train", "val": "test"}[part])
