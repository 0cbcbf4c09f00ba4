"""HMDB51 with its official splits."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.split_lists import check_choices, find_listed, find_official_split, read_lines
from stvit_video.data.manifests.builder import Listed, Missing, build_manifest_of, index_videos, settle_missing
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.look_alikes import class_list
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place

_CODES = {"train": "1", "val": "2"}  # 0 = in neither


def read_hmdb51_manifest(
    list_dir: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    part: str,
    split: int = 1,
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
) -> Manifest:
    """Read an official split of HMDB51: a file `<class>_test_split<split>.txt` for each class.

    Its rows are a file name and 1 (training), 2 (test) or 0 (in neither). A video is `<class>/<file name>`,
    or the same with another video extension.

    Args:
        list_dir: folder of the lists, published as `testTrainMulti_7030_splits`.
        video_dir: folder of the class folders.
        part: "train" or "val"; the official test clips are the validation part.
        split: 1, 2 or 3.
        classes: class names in the order of the labels; None = those that have a list, sorted.
        missing: "error", "drop" or "keep", see `read_kinetics_manifest`.

    Raises:
        ManifestError: lists are absent or faulty.
        ValueError: an unknown part, split or `missing`.
    """
    check_choices(part, split, missing)
    folder, videos = Path(list_dir), Path(video_dir)
    ending = f"_test_split{split}.txt"
    lists = {path.name.removesuffix(ending): path for path in sorted(folder.glob(f"*{ending}"))}
    if not lists:
        raise ManifestError(f"there is no list <class>{ending} in {folder}; correct the folder of the lists")
    faults, files = Faults(folder), index_videos(videos)
    listed: list[Listed] = []
    for label, path in lists.items():
        names = _read_hmdb51_list(path, _CODES[part], faults)
        listed += [find_listed(0, label, name, videos, files) for name in names]
    listed = settle_missing(listed, files, video_dir=videos, missing=missing, faults=faults)
    names = sorted(class_list(list(lists), faults))
    return build_manifest_of(listed, names if classes is None else classes, faults)


def _read_hmdb51_list(path: Path, code: str, faults: Faults) -> list[str]:
    """File names of the rows with this code."""
    chosen: list[str] = []
    first: dict[str, int] = {}
    for line, text in read_lines(path):
        name, _, found = text.rpartition(" ")
        name = name.strip()
        if not name or found not in ("0", "1", "2"):
            faults.add(0, f"{path.name}, line {line}: {text!r} is not a file name and 0, 1 or 2; get the official list")
        elif first.setdefault(name, line) != line:
            faults.add(0, f"{path.name}, line {line}: {name} is listed already in line {first[name]}; remove one")
        elif found == code:
            chosen.append(name)
    return chosen


def find_hmdb51(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = None,
    split: Literal[1, 2, 3] = 1,
    lists: Place | None = None,
    videos: Place | None = None,
    missing: Missing = "error",
) -> Reading:
    """Find the official lists and the videos of HMDB51. The official test list is the validation data.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = those of the lists.
        root: holds testTrainMulti_7030_splits and hmdb51_org, as they are published.
        split: 1, 2 or 3; results are the mean of the three.
        lists: folder of the lists; None = root/testTrainMulti_7030_splits.
        videos: folder of the class folders; None = root/hmdb51_org.
        missing: listed videos that are not there: "error", or "drop" = leave them out.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a folder does not exist.
    """
    return find_official_split(
        read_hmdb51_manifest,
        part,
        layout="hmdb51",
        published_lists="testTrainMulti_7030_splits",
        published_videos="hmdb51_org",
        known_classes=known_classes,
        lists=lists,
        videos=videos,
        root=root,
        split=split,
        missing=missing,
    )
