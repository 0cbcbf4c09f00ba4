"""Hold a share of the videos of each class back for validation, always the same ones."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.name_stems import source_stem
from stvit_video.utils.label_text import normal_label

SplitBy = Literal["group", "name"]


@dataclass(frozen=True)
class Group:
    """Videos of a class that stay together.

    Attributes:
        members: their positions in the manifest.
        place: from 0 to 1, drawn from the names by a hash.
    """

    members: tuple[int, ...]
    place: float


def hold_back(
    manifest: Manifest, *, fraction: float, by: SplitBy, alike: Iterable[tuple[int, int]] = ()
) -> frozenset[int]:
    """Choose the validation videos: the groups of each class whose place lies below `fraction`.

    The place of a group is a hash of its name, so other videos do not change it: where files are added, a video that
    was trained on stays there. Alike groups are one group with the largest of their places, for the same reason. The
    exceptions are small classes: each part gets at least one group of a class (the one with the smallest place
    validates, the one with the largest is trained on), and a group of more than half the class is trained on.

    Args:
        manifest: all videos, one label each.
        fraction: above 0 and below 1; the share is met on average, as every group is drawn by itself.
        by: "group" = videos whose names have one `source_stem` stay together (a class of one stem alone is divided by
            its names); "name" = each video by itself.
        alike: pairs of positions that stay together, too; pairs across classes don't count.

    Returns:
        Positions in the manifest.

    Raises:
        ManifestError: names all classes that can't be divided.
    """
    classes: dict[int, list[int]] = defaultdict(list)
    for position, record in enumerate(manifest.records):
        classes[record.label].append(position)
    pairs = list(alike)
    groups = {label: class_groups(manifest, members, by=by, alike=pairs) for label, members in classes.items()}
    _refuse_single_groups(manifest, groups)
    held = (position for found in groups.values() for group in _chosen(found, fraction) for position in group.members)
    return frozenset(held)


def class_groups(
    manifest: Manifest, members: Sequence[int], *, by: SplitBy, alike: Iterable[tuple[int, int]] = ()
) -> list[Group]:
    """The groups of one class.

    Args:
        manifest: with alike, by: see `hold_back`.
        members: positions of the class's videos.
    """
    keys = [_key(manifest, position, by=by) for position in members]
    if len(set(keys)) == 1:  # a series such as ucf101_001, ucf101_002: its numbers are those of recordings
        keys = [_key(manifest, position, by="name") for position in members]
    root = _joined(members, keys, alike)
    found: dict[Hashable, list[tuple[int, float]]] = defaultdict(list)
    for position, key in zip(members, keys, strict=True):
        found[root[position]].append((position, place_of(key)))
    return [Group(tuple(at for at, _ in group), max(place for _, place in group)) for group in found.values()]


def place_of(key: str) -> float:
    """A number in [0, 1) that depends on the text alone; over many texts it is evenly spread."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


def part_of(manifest: Manifest, held_back: frozenset[int], part: str) -> Manifest:
    """The training videos or the validation videos, in the order of the whole list.

    Args:
        manifest: all videos.
        held_back: positions of the validation videos.
        part: "train" or "val".
    """
    records = tuple(one for at, one in enumerate(manifest.records) if (at in held_back) == (part == "val"))
    return replace(manifest, records=records)


def describe_parts(train: Manifest, val: Manifest, *, fraction: float, by: SplitBy) -> str:
    """How many videos each part has, of each class too, in one line.

    Args:
        train: the training videos.
        val: the validation videos.
        fraction: that was asked for.
        by: see `hold_back`.
    """
    counts = [Counter(record.label for record in one.records) for one in (train, val)]
    both = [f"{name} {counts[0][at]}/{counts[1][at]}" for at, name in enumerate(train.classes)]
    shown = both if len(both) <= NUM_FAULTS_SHOWN * 2 else [*both[: NUM_FAULTS_SHOWN * 2], "..."]
    num_train, num_val = len(train.records), len(val.records)
    largest, smallest = max(counts[0].values()), min(counts[0].values())
    balance = "" if largest < 2 * smallest else f"; unbalanced, the largest class has {largest / smallest:.1f} times "
    balance += "" if not balance else "the training videos of the smallest (optim.class_weights=balanced weighs them)"
    return (
        f"split: {num_train} train, {num_val} val ({num_val / (num_train + num_val):.0%}, "
        f"data.val_fraction={fraction:g} by {by}); train/val of each class: {', '.join(shown)}{balance}"
    )


def _key(manifest: Manifest, position: int, *, by: SplitBy) -> str:
    """Class and name of a video, or of its recording."""
    name, label = manifest.records[position].video_id, manifest.classes[manifest.records[position].label]
    folder, _, file_name = name.rpartition("/")
    last = source_stem(file_name, class_name=label) if by == "group" else file_name
    return normal_label(f"{folder}/{last}")


def _joined(members: Sequence[int], keys: Sequence[str], alike: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    """Of each member a position that all of its group have in common."""
    first: dict[str, int] = {}
    root = {position: first.setdefault(key, position) for position, key in zip(members, keys, strict=True)}

    def top(position: int) -> int:
        while root[position] != position:
            position = root[position]
        return position

    for one, other in alike:
        if one in root and other in root:
            root[top(one)] = top(other)
    return {position: top(position) for position in members}


def _chosen(groups: Sequence[Group], fraction: float) -> list[Group]:
    """The groups of a class that validate; there are at least two groups."""
    half = sum(len(group.members) for group in groups) / 2
    movable = sorted((group for group in groups if len(group.members) <= half), key=lambda group: group.place)
    held = [group for group in movable if group.place < fraction] or movable[:1]
    return held if len(held) < len(groups) else held[:-1]


def _refuse_single_groups(manifest: Manifest, groups: Mapping[int, Sequence[Group]]) -> None:
    """Raise where a class has one video, or copies of one alone."""
    faults = []
    for label in sorted(groups):
        if len(groups[label]) > 1:
            continue
        num_videos = len(groups[label][0].members)
        what = "one video" if num_videos == 1 else f"{num_videos} videos that are all alike"
        faults.append(f"{manifest.classes[label]!r} has {what}")
    if faults:
        shown = ", ".join(faults[: NUM_FAULTS_SHOWN * 2]) + (", ..." if len(faults) > NUM_FAULTS_SHOWN * 2 else "")
        raise ManifestError(
            f"{len(faults)} class(es) can't be divided into training and validation videos: {shown}; a class needs at "
            "least two different videos, so add some, remove the folder, or give data.val=/folder of class folders"
        )
