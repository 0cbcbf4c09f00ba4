"""From tar shards to a manifest whose videos are read in any order, each by its place in its shard."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from stvit_video.data.layouts.places import Reading, required
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.look_alikes import class_list
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.shards.index import find_members, missing_shards
from stvit_video.data.shards.locations import expand_shards, folder_of
from stvit_video.data.shards.tar_scan import Member
from stvit_video.utils.addresses import Place, is_address
from stvit_video.utils.optional import MissingLibraryError

NAMES_FILE = "classes.txt"


def find_tar_shards(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    shards: Place | None = None,
    val_shards: Place | None = None,
    train: Place | None = None,
    val: Place | None = None,
    root: Place | None = None,
    classes: Place | None = None,
    allow_addresses: bool = False,
) -> Reading:
    """Find the shards of a part.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        shards: pattern of the training shards; None = that of train, or root/train.
        val_shards: pattern of the validation shards; None = that of val, or root/val.
        train: the same as shards, under the name that other layouts have.
        val: the same as val_shards, as stvit_video.evaluate gives it.
        root: holds the shards of both parts.
        classes: file with the class names, one a line, for samples with a number only; None = classes.txt beside the
            shards.
        allow_addresses: True = shards may be read from an address (s3://, gs://, https://), which needs fsspec.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": shards or train, "val": val_shards or val}[part]
    return partial(
        read_shard_manifest,
        given or f"{required(root, 'root', source='shards')}/{part}",
        classes=known_classes,
        names_file=classes,
        allow_addresses=allow_addresses,
    )


def read_shard_manifest(
    pattern: str,
    *,
    classes: Sequence[str] | None = None,
    names_file: str | os.PathLike[str] | None = None,
    allow_addresses: bool = False,
) -> Manifest:
    """List the videos in tar shards of WebDataset's layout, see `stvit_video.data.shards.tar_scan`.

    The label is the name in .json. Where a sample has a number only, the name is the line of that number in
    `names_file`, and without such a file the number itself.

    Args:
        pattern: a folder, a .tar, or many, see `expand_shards`; addresses need an index.csv beside the shards.
        classes: class names in the order of the labels (validation: those of training); None = the labels found,
            sorted, and where there are numbers only, all names of the file in its order.
        names_file: class names, one a line, the first of them number 0; None = classes.txt beside the first shard,
            if it is there and local.
        allow_addresses: True = the pattern may be an address, e.g. "s3://bucket/{000..099}.tar".

    Raises:
        ManifestError: every fault of the shards, in one error; an address that is not allowed, or whose library does
            not import.
    """
    if is_address(pattern) and not allow_addresses:
        raise ManifestError(
            f"{pattern!r} is an address, and only local shards are read; set data.allow_addresses=true where you "
            "trust the source, or copy the shards"
        )
    shards = expand_shards(pattern)
    faults = Faults(pattern)
    for missing in missing_shards(pattern):
        faults.add(0, f"there is no shard {missing}, which index.csv lists; get it, or delete that index.csv")
    try:
        found = find_members(shards, faults)
    except MissingLibraryError as error:
        raise ManifestError(str(error)) from error
    names = _read_names(names_file, shards[0])
    _find_equal_ids(found, faults)
    listed = [_listed(shard, member, names, faults) for shard, members in found.items() for member in members]
    if classes is None and names and not any(member.label for members in found.values() for member in members):
        classes = names
    return build_manifest_of(listed, classes, faults)


def _listed(shard: str, member: Member, names: Sequence[str], faults: Faults) -> Listed:
    label = member.label or member.class_number
    if not member.label and names:
        number = int(member.class_number or -1)
        if not 0 <= number < len(names):
            text = f"{shard}: {member.name} has class number {member.class_number!r}"
            faults.add(0, f"{text}, but {NAMES_FILE} names {len(names)}, from 0 to {len(names) - 1}")
        else:
            label = names[number]
    address = shard if is_address(shard) else ""
    return Listed(
        line=0,
        written=member.video_id,
        path=Path(shard),
        label=label,
        start_seconds=member.start_seconds,
        end_seconds=member.end_seconds,
        member=member.name,
        byte_range=(member.first_byte, member.num_bytes),
        address=address,
    )


def _read_names(names_file: str | os.PathLike[str] | None, shard: str) -> tuple[str, ...]:
    if names_file is None:
        path = Path(folder_of(shard), NAMES_FILE)
        if is_address(shard) or not path.is_file():
            return ()
    else:
        path = Path(names_file)
    try:
        names = tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"the class names {path} can't be read ({error}); correct data.classes") from error
    if not names or len(set(names)) < len(names):
        raise ManifestError(f"{path} must hold class names, one a line, each once; it holds {len(names)} lines")
    faults = Faults(path)
    names = class_list(names, faults)
    faults.raise_if_any()
    return names


def _find_equal_ids(found: Mapping[str, Iterable[Member]], faults: Faults) -> None:
    """A video_id names a video in results, so it must be of one alone."""
    first: dict[tuple[str, float | None, float | None], str] = {}
    for shard, members in found.items():
        for member in members:
            place = f"{shard}: {member.name}"
            other = first.setdefault((member.video_id, member.start_seconds, member.end_seconds), place)
            if other != place:
                faults.add(
                    0, f"{other} and {place} both have the video_id {member.video_id!r}; give each its own in .json"
                )
