"""Videos that stand in a data set more than once, and whether that leaks from training into validation.

Three kinds: "exact", the same bytes; "near", the same pictures after another encoding or scaling; "source", other
parts of one recording, as the names of Kinetics and UCF101 tell.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.curation.hashing import NUM_BITS, hamming_distances
from stvit_video.data.curation.scan import VideoReport
from stvit_video.data.manifests.name_stems import KINETICS_NAME
from stvit_video.utils.atomic_files import write_table

HEADER = ("group", "kind", "distance_bits", "leak", "labels_differ", "part", "label", "path")
MIN_FRAMES_COMPARED = 3  # frames with contrast in both videos, of those that have hashes
MAX_PAIRS_AT_ONCE = 2**21
UCF101_NAME = re.compile(r"(?P<source>v_.+_g\d+)_c\d+")  # class and group; the clips of a group are of one scene


class Listed(NamedTuple):
    """One listed video; `part` is "train" or "val"."""

    path: str
    part: str
    label: str


@dataclass(frozen=True)
class DuplicateGroup:
    """Videos that are the same in one way; `distance_bits` is for near ones, of 64, the worst of their frames."""

    kind: Literal["exact", "near", "source"]
    members: tuple[Listed, ...]
    distance_bits: int | None = None

    @property
    def is_leak(self) -> bool:
        """True = some are for training and some for validation."""
        return len({member.part for member in self.members}) > 1

    @property
    def labels_differ(self) -> bool:
        """True = the same video stands under two classes."""
        return len({member.label for member in self.members}) > 1


def find_exact(listed: Iterable[Listed], reports: Mapping[str, VideoReport]) -> list[DuplicateGroup]:
    """Files with the same bytes, and files that are listed in both parts.

    Args:
        listed: all videos; segments of one file in one part count once.
        reports: path -> report.
    """
    readable = [video for video in dict.fromkeys(listed) if reports[video.path].digest]
    return _groups("exact", readable, [reports[video.path].digest for video in readable])


def find_shared_sources(listed: Iterable[Listed]) -> list[DuplicateGroup]:
    """Recordings of which some parts are for training and others for validation, by the names of the files."""
    named = [(video, source_name(video.path)) for video in dict.fromkeys(listed)]
    known = [(video, name) for video, name in named if name is not None]
    groups = _groups("source", [video for video, _ in known], [name for _, name in known])
    return [group for group in groups if group.is_leak]


def source_name(path: str) -> str | None:
    """The recording that a clip is cut from, as far as a Kinetics or UCF101 name tells; else None."""
    name = path.rpartition(".tar: ")[2]  # of a video in a shard
    stem = os.path.splitext(os.path.basename(name))[0]
    found = KINETICS_NAME.fullmatch(stem) or UCF101_NAME.fullmatch(stem)
    return found["source"] if found else None


def find_near(
    listed: Iterable[Listed], reports: Mapping[str, VideoReport], *, max_distance_bits: int = 8
) -> list[DuplicateGroup]:
    """Pairs of a training and a validation video with the same pictures but other bytes.

    Two videos are near when none of their compared frames differs in more than `max_distance_bits` of 64 bits.
    Measured on 300 clips of surveillance cameras in 5 folds: 30 copies at half the size and crf 35 differ by at most
    7; of 35,990 pairs across the folds 2 differ by at most 8, and those are of one camera. What is cut elsewhere in
    time, mirrored or cropped is not found.

    Args:
        listed: all videos.
        reports: path -> report.
        max_distance_bits: from 0 to 64.

    Raises:
        ValueError: `max_distance_bits` is out of range.
    """
    check_distance(max_distance_bits)
    videos = [video for video in dict.fromkeys(listed) if reports[video.path].frame_hashes]
    train, val = ([video for video in videos if video.part == part] for part in ("train", "val"))
    if not train or not val:
        return []
    groups = []
    hashed = (hash_table([reports[video.path] for video in part]) for part in (train, val))
    for first, second, distance in near_pairs(*hashed, max_distance_bits=max_distance_bits):
        pair = train[first], val[second]
        if len({reports[video.path].digest for video in pair}) == 2:
            groups.append(DuplicateGroup("near", pair, distance))
    return groups


def check_distance(max_distance_bits: int) -> None:
    """Refuse a limit that no two hashes can be compared by.

    Raises:
        ValueError: it is out of range.
    """
    if not 0 <= max_distance_bits <= NUM_BITS:
        raise ValueError(f"max_distance_bits={max_distance_bits} must be from 0 to {NUM_BITS}")


class HashTable(NamedTuple):
    """Hashes of n videos of f frames each: (n, f) uint64, and (n, f) bool, True = that frame has contrast."""

    hashes: NDArray[np.uint64]
    is_known: NDArray[np.bool_]


def hash_table(reports: Sequence[VideoReport]) -> HashTable:
    """The hashes of files that could be read."""
    rows = [report.frame_hashes for report in reports]
    hashes = np.array([[value or 0 for value in row] for row in rows], dtype=np.uint64)  # (n, f)
    return HashTable(hashes, np.array([[value is not None for value in row] for row in rows]))


def near_pairs(first: HashTable, second: HashTable, *, max_distance_bits: int) -> Iterator[tuple[int, int, int]]:
    """(row of the first table, row of the second, largest distance of a compared frame) of all near pairs."""
    num_rows = max(1, MAX_PAIRS_AT_ONCE // len(second.hashes))
    for start in range(0, len(first.hashes), num_rows):
        rows = slice(start, start + num_rows)
        shape = len(first.hashes[rows]), len(second.hashes)
        compared, worst = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        for frame in range(first.hashes.shape[1]):
            both = first.is_known[rows, frame, None] & second.is_known[None, :, frame]  # (rows, n2)
            bits = hamming_distances(first.hashes[rows, frame, None], second.hashes[None, :, frame])
            compared += both
            np.maximum(worst, np.where(both, bits, 0), out=worst, casting="unsafe")
        near = (compared >= MIN_FRAMES_COMPARED) & (worst <= max_distance_bits)
        for row, column in np.argwhere(near):
            yield int(row) + start, int(column), int(worst[row, column])


def write_duplicates(path: str | os.PathLike[str], groups: Sequence[DuplicateGroup]) -> None:
    """Write duplicates.csv: HEADER, a row a member, the members of a group one below the other.

    Raises:
        OSError: the file can't be written.
    """
    rows = []
    for number, group in enumerate(groups):
        words = ["yes" if holds else "no" for holds in (group.is_leak, group.labels_differ)]
        for member in group.members:
            rows.append((number, group.kind, group.distance_bits, *words, member.part, member.label, member.path))
    write_table(path, header=HEADER, rows=rows)


def _groups(kind: Literal["exact", "source"], videos: Sequence[Listed], keys: Sequence[str]) -> list[DuplicateGroup]:
    found: dict[str, list[Listed]] = defaultdict(list)
    for video, key in zip(videos, keys, strict=True):
        found[key].append(video)
    return [DuplicateGroup(kind, tuple(members)) for members in found.values() if len(members) > 1]
