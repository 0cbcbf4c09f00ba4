"""ImageNet-style pictures, a folder for each class: on disk, or inside a .zip."""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from stvit_video.data.layouts.part_folders import PART_FOLDERS, warn_of_other_name
from stvit_video.data.layouts.places import Reading, existing
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, Faults, ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_endings import is_picture_file
from stvit_video.data.shards.zip_members import list_members
from stvit_video.utils.addresses import Place

_log = logging.getLogger(__name__)


def find_image_folder(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train: Place | None = None,
    val: Place | None = None,
    root: Place | None = None,
) -> Reading:
    """Find the pictures of a part: a folder or .zip of its own, or `part` in a common one.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        train: the folder or .zip of the training pictures; None = the part of root.
        val: the folder or .zip of the validation pictures; None = the part of root.
        root: a folder or .zip with both parts.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": train, "val": val}[part]
    if given:
        return partial(read_image_manifest, existing(given, part, source="image_folder"), classes=known_classes)
    common = existing(root, "root", source="image_folder")
    return partial(read_image_manifest, common, part=part, classes=known_classes)


def read_image_manifest(
    place: str | os.PathLike[str], *, part: str | None = None, classes: Sequence[str] | None = None
) -> Manifest:
    """Read a folder, or a .zip, that holds a folder of pictures for each class; deeper folders are searched, too.

    In an archive the tree may stand below one top folder. What is no picture (by its extension) or hidden is left
    out, and counted in one warning.

    Args:
        place: the folder, or the .zip.
        part: "train" or "val" = the class folders are in the folder of this name (for "val" also "valid",
            "validation" or "test"); None = directly in `place`.
        classes: class names in the order of the labels; None = the folder names, sorted (by value where all are
            whole numbers).

    Raises:
        ManifestError: every fault of the folder or archive, in one error.
        ValueError: an unknown part.
    """
    if part is not None and part not in PART_FOLDERS:
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    source = Path(place)
    return _read_archive(source, part, classes) if source.is_file() else _read_folder(source, part, classes)


def _read_folder(source: Path, part: str | None, classes: Sequence[str] | None) -> Manifest:
    if not source.exists():
        raise ManifestError(f"there is no folder or archive {source}; correct the path")
    wanted = PART_FOLDERS[part] if part else ("",)
    name = next((name for name in wanted if (source / name).is_dir()), None)
    if name is None:
        looked_for = " or ".join(str(source / name) for name in wanted)
        raise ManifestError(f"there is no folder {looked_for}; correct the path, or give data.train and data.val")
    if part == "val":
        warn_of_other_name(source, name)
    folder, names = source / name, []
    for class_folder in sorted(folder.iterdir()):
        names.append(f"{class_folder.name}/" if class_folder.is_dir() else class_folder.name)
        for where, _, files in os.walk(class_folder):
            below = Path(where).relative_to(folder).as_posix()
            names += [f"{below}/{file}" for file in sorted(files)]
    manifest = _manifest(folder, names, classes)
    return replace(manifest, records=tuple(replace(record, is_picture=True) for record in manifest.records))


def _read_archive(source: Path, part: str | None, classes: Sequence[str] | None) -> Manifest:
    ranges = {}
    for name, byte_range in list_members(source):
        if name in ranges:
            raise ManifestError(f"{source} holds two files of the name {name}; make the archive again")
        ranges[name] = byte_range
    base = _archive_base(source, list(ranges), part)
    below = sorted(name.removeprefix(base) for name in ranges if name.startswith(base))
    manifest = _manifest(source / base, below, classes)
    members = (base + record.video_id for record in manifest.records)
    records = (
        replace(record, path=source, member=member, byte_range=ranges[member], is_picture=True)
        for record, member in zip(manifest.records, members, strict=True)
    )
    return replace(manifest, records=tuple(records))


def _archive_base(source: Path, names: Sequence[str], part: str | None) -> str:
    """What the names of all members of the part begin with, up to the class folders: "", "train/", "top/train/"."""
    tops = sorted({name.partition("/")[0] for name in names if "/" in name and not _is_hidden(name)})
    only = f"{tops[0]}/" if len(tops) == 1 else ""
    if part is None:
        holds_pictures = any(name.startswith(only) and name.count("/") == 1 and _is_picture(name) for name in names)
        return "" if holds_pictures else only
    wanted = PART_FOLDERS[part]
    bases = [(prefix, name) for prefix in dict.fromkeys(("", only)) for name in wanted]
    for prefix, name in bases:
        if any(member.startswith(f"{prefix}{name}/") for member in names):
            if part == "val":
                warn_of_other_name(source, name)
            return f"{prefix}{name}/"
    raise ManifestError(
        f"{source} holds no folder {' or '.join(wanted)}, neither at its top nor below one top folder; "
        f"at its top are {', '.join(tops[:NUM_FAULTS_SHOWN]) or 'no folders'}"
    )


def _manifest(folder: Path, names: Sequence[str], classes: Sequence[str] | None) -> Manifest:
    """The pictures among `names`, which are relative to `folder`; a name that ends in "/" is a folder."""
    faults = Faults(folder)
    class_names = {name.partition("/")[0] for name in names if "/" in name and not _is_hidden(name)}
    pictures = [name for name in names if "/" in name and _is_picture(name)]
    ignored = [name for name in names if not name.endswith("/") and not ("/" in name and _is_picture(name))]
    listed = [Listed(0, name, folder / name, name.partition("/")[0]) for name in pictures]
    for empty in sorted(class_names - {picture.label for picture in listed}):
        faults.add(0, f"class folder {empty} holds no picture; add some or remove the folder")
    if ignored:
        first = ", ".join(ignored[:NUM_FAULTS_SHOWN])
        _log.warning("%s: %d files are no pictures of a class and left out, first: %s", folder, len(ignored), first)
    return build_manifest_of(listed, classes, faults)


def _is_picture(name: str) -> bool:
    return is_picture_file(name) and not _is_hidden(name)


def _is_hidden(name: str) -> bool:
    """Whether a part of the name begins with a dot, or the name is of what macOS adds to archives."""
    return name.startswith(("__MACOSX/", ".")) or "/." in name
