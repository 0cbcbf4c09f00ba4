"""UCF101 with its official splits, and the groups of clips that belong together.

Clips cut from one video share the scene, the people and the camera, so a model that has seen one of them knows the
others: no such group may be split between training and test.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.split_lists import check_choices, find_listed, find_official_split, read_lines
from stvit_video.data.manifests.builder import Missing, build_manifest_of, index_videos, settle_missing
from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, Faults, ManifestError
from stvit_video.data.manifests.look_alikes import class_list
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place
from stvit_video.utils.label_text import normal_label

_UCF101_FILE = re.compile(r"v_.+_(g\d+)_c\d+\.\w+")


class Group(NamedTuple):
    """A group of clips: the class, and the name of the group in it, e.g. ("Archery", "g08")."""

    label: str
    name: str


def ucf101_group(written: str) -> Group | None:
    """The group of a UCF101 clip.

    Args:
        written: path as the official lists give it, e.g. "Archery/v_Archery_g08_c01.avi".

    Returns:
        The class folder and the group, or None where the path is not of this form.

    Source: Soomro, Zamir, Shah: UCF101 (2012), section 3: 25 groups a class, 4 to 7 clips each.
    """
    folder, slash, name = written.partition("/")
    match = _UCF101_FILE.fullmatch(name)
    return Group(folder, match.group(1)) if folder and slash and match else None


def check_groups(train: Iterable[Group], test: Iterable[Group], *, train_source: str, test_source: str) -> None:
    """Make sure that training and test have no group of clips in common.

    Args:
        train: groups of the training clips.
        test: groups of the test clips.
        train_source: the training list, for the message.
        test_source: the test list, for the message.

    Raises:
        ManifestError: groups are in both; they are named.
    """
    shared = sorted(set(train) & set(test))
    if shared:
        names = ", ".join(f"{group.label} {group.name}" for group in shared[:NUM_FAULTS_SHOWN])
        raise ManifestError(
            f"{len(shared)} group(s) of clips are in both {train_source} and {test_source}: {names}"
            f"{', ...' if len(shared) > NUM_FAULTS_SHOWN else ''}; clips of a group come from one video, "
            "so take the official lists, or move each group to one side"
        )


def read_ucf101_manifest(
    list_dir: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    part: str,
    split: int = 1,
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
) -> Manifest:
    """Read an official split of UCF101: `classInd.txt`, `trainlist0<split>.txt` and `testlist0<split>.txt`.

    A video is `<Class>/v_<Class>_gXX_cYY.avi`, or the same with another video extension.

    Args:
        list_dir: folder of the lists, published as `ucfTrainTestlist`.
        video_dir: folder of the class folders, published as `UCF-101`.
        part: "train" or "val"; the official test list is the validation part.
        split: 1, 2 or 3.
        classes: class names in the order of the labels; None = the order of `classInd.txt`.
        missing: "error", "drop" or "keep", see `read_kinetics_manifest`.

    Raises:
        ManifestError: a list is absent or faulty, or a group of clips is in both lists of the split.
        ValueError: an unknown part, split or `missing`.
    """
    check_choices(part, split, missing)
    folder, videos = Path(list_dir), Path(video_dir)
    numbered = _read_class_numbers(folder / "classInd.txt")
    paths = {"train": folder / f"trainlist{split:02d}.txt", "val": folder / f"testlist{split:02d}.txt"}
    faults = {name: Faults(path) for name, path in paths.items()}
    rows = {name: _read_ucf101_list(path, numbered, faults[name]) for name, path in paths.items()}
    for found in faults.values():
        found.raise_if_any()
    groups = {name: [group for _, _, group in of_part] for name, of_part in rows.items()}
    check_groups(groups["train"], groups["val"], train_source=str(paths["train"]), test_source=paths["val"].name)
    files = index_videos(videos)
    listed = [find_listed(line, group.label, name, videos, files) for line, name, group in rows[part]]
    listed = settle_missing(listed, files, video_dir=videos, missing=missing, faults=faults[part])
    return build_manifest_of(listed, tuple(numbered.values()) if classes is None else classes, faults[part])


def _read_class_numbers(path: Path) -> dict[str, str]:
    """Class number as written -> class name, of rows like "1 ApplyEyeMakeup"."""
    faults = Faults(path)
    numbered: dict[str, str] = {}
    for line, text in read_lines(path):
        number, *names = text.split()
        if not number.isdecimal() or len(names) != 1:
            faults.add(line, f"{text!r} is not a number and a class name; write e.g. 1 ApplyEyeMakeup")
        elif number in numbered or names[0] in numbered.values():
            faults.add(line, f"{text!r} repeats a number or a class; name each class once")
        else:
            numbered[number] = names[0]
    if not numbered and not faults.found:
        faults.add(0, "it names no class; get the official file")
    classes = class_list(list(numbered.values()), faults)
    faults.raise_if_any()
    return dict(zip(numbered, classes, strict=True))


def _read_ucf101_list(path: Path, numbered: Mapping[str, str], faults: Faults) -> list[tuple[int, str, Group]]:
    """(line, file name, group) of each row; the class number, which test lists lack, is compared with the folder."""
    rows: list[tuple[int, str, Group]] = []
    for line, text in read_lines(path):
        written, *number = text.replace("\\", "/").split()  # lists that were made again on Windows
        group = ucf101_group(written)
        if group is None or len(number) > 1:
            faults.add(line, f"{text!r} is not <Class>/v_<Class>_gXX_cYY.avi and a class number; get the official list")
        elif number and numbered.get(number[0]) != normal_label(group.label):
            named = numbered.get(number[0], "no class")
            faults.add(line, f"{written} has number {number[0]}, which is {named} in classInd.txt; correct one of them")
        else:
            rows.append((line, written.partition("/")[2], group))
    return rows


def find_ucf101(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = None,
    split: Literal[1, 2, 3] = 1,
    lists: Place | None = None,
    videos: Place | None = None,
    missing: Missing = "error",
) -> Reading:
    """Find the official lists and the videos of UCF101. The official test list is the validation data.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = those of the lists.
        root: holds ucfTrainTestlist and UCF-101, as they are published.
        split: 1, 2 or 3; results are the mean of the three.
        lists: folder of the lists; None = root/ucfTrainTestlist.
        videos: folder of the class folders; None = root/UCF-101.
        missing: listed videos that are not there: "error", or "drop" = leave them out.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a folder does not exist.
    """
    return find_official_split(
        read_ucf101_manifest,
        part,
        layout="ucf101",
        published_lists="ucfTrainTestlist",
        published_videos="UCF-101",
        known_classes=known_classes,
        lists=lists,
        videos=videos,
        root=root,
        split=split,
        missing=missing,
    )
