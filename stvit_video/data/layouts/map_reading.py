"""From files of pictures and of label maps to a list of both."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from stvit_video.data.manifests.class_names import ClassNames
from stvit_video.data.manifests.findings import Findings, doubles, first_of
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, VideoRecord
from stvit_video.data.manifests.mapped_pictures import MappedPictures, MapRecord
from stvit_video.data.manifests.picture_endings import is_picture_file
from stvit_video.data.shards.file_tree import FileTree, Located
from stvit_video.data.shards.picture_files import read_stored_map

__all__ = ["MapPair", "list_maps", "pair_files", "read_pairs"]


class MapPair(NamedTuple):
    """The names of a picture and of its map in their folders, and what both have in common."""

    stem: str
    picture: str
    labels: str


def pair_files(
    pictures: FileTree, maps: FileTree, *, picture_suffix: str = "", map_suffix: str = "", part: str
) -> tuple[list[MapPair], Findings]:
    """Find the pictures and maps of equal names, folders below included.

    Args:
        pictures: their folder.
        maps: their folder.
        picture_suffix: end of the names of pictures before the ending, which is not a part of the common name; other
            files are passed over.
        map_suffix: likewise of maps.
        part: "train" or "val", for messages.

    Returns:
        The pairs, sorted, and what was found: nothing that fits is a fault, and one without the other.
    """
    found = Findings()
    ours = _by_stem(pictures, picture_suffix, "pictures", part, found)
    theirs = _by_stem(maps, map_suffix, "label maps", part, found)
    pairs = [MapPair(stem, name, theirs[stem]) for stem, name in sorted(ours.items()) if stem in theirs]
    if not pairs:
        found.faults.append(_why_none(pictures, maps, ours, theirs, part))
        return [], found
    for names, kind, others, other_kind, place in (
        (ours, "pictures", theirs, "label map", maps.place),
        (theirs, "label maps", ours, "picture", pictures.place),
    ):
        if lone := sorted(name for stem, name in names.items() if stem not in others):
            found.faults.append(
                f"{len(lone)} of {len(names)} {part} {kind} have no {other_kind} of the same name in {place}, "
                f"{first_of(lone)}; add each {other_kind}, or remove these {kind}"
            )
    return pairs, found


def read_pairs(
    pictures: FileTree,
    maps: FileTree,
    *,
    part: str,
    names: ClassNames | None,
    picture_suffix: str = "",
    map_suffix: str = "",
) -> MappedPictures:
    """The list of the pictures and maps of equal names, see `pair_files` and `list_maps`.

    Raises:
        ManifestError: no picture has a map.
    """
    pairs, found = pair_files(pictures, maps, picture_suffix=picture_suffix, map_suffix=map_suffix, part=part)
    if not pairs:
        found.raise_if_any(f"{pictures.place} with {maps.place}")
    return list_maps(pairs, pictures, maps, names=names, found=found)


def list_maps(
    pairs: Sequence[MapPair], pictures: FileTree, maps: FileTree, *, names: ClassNames | None, found: Findings
) -> MappedPictures:
    """The list of pairs; its classes are those that the settings of maps choose later.

    Args:
        pairs: a picture or map that is not there stays in the list.
        pictures: the folder of the pictures.
        maps: the folder of the maps.
        names: of the values of the maps.
        found: what was found so far; whoever uses the list raises its faults.
    """
    records = [
        MapRecord(
            path=located.path,
            label=NO_SINGLE_LABEL,
            video_id=pair.picture,
            member=located.member,
            byte_range=located.byte_range,
            is_picture=True,
            picture_id=pair.stem,
            map_file=_map_file(pair.labels, maps),
        )
        for pair in pairs
        for located in [pictures.find(pair.picture) or Located(pictures.place / pair.picture)]
    ]
    return MappedPictures(
        records=tuple(records),
        classes=(),
        multi_label=True,
        read_file=read_stored_map,
        names=names,
        faults=tuple(found.faults),
        warnings=tuple(found.warnings),
    )


def _map_file(name: str, tree: FileTree) -> VideoRecord:
    located = tree.find(name) or Located(tree.place / name)
    return VideoRecord(
        located.path, NO_SINGLE_LABEL, name, member=located.member, byte_range=located.byte_range, is_picture=True
    )


def _by_stem(tree: FileTree, suffix: str, kind: str, part: str, found: Findings) -> dict[str, str]:
    """Common name -> name, of the files of a folder that end so."""
    names = [name for name in tree.all_names() if is_picture_file(name) and _stem(name).endswith(suffix)]
    stems = [_stem(name).removesuffix(suffix) for name in names]
    if twice := doubles(stems):
        both = [name for stem, name in zip(stems, names, strict=True) if stem == twice[0]]
        found.faults.append(
            f"{len(twice)} names of {part} {kind} stand twice with different endings, first: {' and '.join(both)}; "
            "keep one of each, or give data.map_suffix"
        )
    return dict(zip(stems, names, strict=True))


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _why_none(pictures: FileTree, maps: FileTree, ours: dict[str, str], theirs: dict[str, str], part: str) -> str:
    """Why no picture has a map."""
    for names, kind, tree in ((ours, "pictures", pictures), (theirs, "label maps", maps)):
        if not names:
            return f"there are no {part} {kind} in {tree.place}; correct the folder, or the ending of their names"
    one, other = next(iter(ours.values())), next(iter(theirs.values()))
    return (
        f"no {part} picture has a label map of the same name: {pictures.place} has {len(ours)} such as {one}, "
        f"{maps.place} {len(theirs)} such as {other}; give them the same names, or the ends that differ: "
        "data.picture_suffix=_image data.map_suffix=_mask"
    )
