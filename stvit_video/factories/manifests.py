"""Build manifests from the `data` settings; `data.source` names their layout."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.loading.clip_dataset import FrameReader
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.manifests.manifest import Manifest, check_classes
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.data.shards.file_tree import archive_of
from stvit_video.factories.dividing import divided
from stvit_video.factories.layout_settings import FRAME_READERS, foreign_faults, layout_settings, path_names
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.utils.addresses import is_address
from stvit_video.utils.written_paths import on_disk

_PATTERN = re.compile(r"[{*?\[]")  # what a pattern of names has in it
_log = logging.getLogger(__name__)


def absolute_paths(data: Mapping[str, Any]) -> dict[str, Any]:
    """Make the paths in the `data` settings absolute; a path that is not given stays null.

    A relative path starts in the working directory, or, where it is not there but in `data.root`, in that. Addresses
    stay as they are. A path whose names have another form on disk, such as decomposed accents, gets that form.

    Args:
        data: the `data` group of the configuration.
    """
    found = dict(data)
    if found.get("root") and not is_address(str(found["root"])):
        found["root"] = str(_on_disk(Path(found["root"]).expanduser().absolute()))
    for key in path_names():
        if found.get(key) and not is_address(str(found[key])):
            here = _on_disk(Path(found[key]).expanduser().absolute())
            there = _on_disk(Path(found.get("root") or "", Path(found[key]).expanduser()).absolute())
            found[key] = str(there if _is_there(there) and not _is_there(here) else here)
    return found


def _on_disk(path: Path) -> Path:
    """The path in the form that it has on disk; of a pattern of names its folder."""
    before = _PATTERN.split(str(path))[0]
    if before == str(path) or path.exists():
        return on_disk(path)
    folder, _, name = before.rpartition("/")
    return Path(on_disk(folder or "/"), name + str(path)[len(before) :])


def _is_there(path: Path) -> bool:
    """True = the path exists, or the folder of a pattern of names does, or the .zip that it goes into."""
    before = _PATTERN.split(str(path))[0]
    if path.exists() or (before != str(path) and os.path.isdir(os.path.dirname(before))):
        return True
    return archive_of(path) is not None


def build_manifests(
    data: Mapping[str, Any], *, classes: tuple[str, ...] | None = None, kept: KeptSplit | None = None
) -> tuple[Manifest, Manifest]:
    """Build the training and validation manifests of the `data` settings.

    Where a layout finds no parts, a share of the videos is held back, and one line is printed that says which share.

    Args:
        data: the `data` group of the configuration; `data["source"]` says which kind it is.
        classes: labels in the order of a model's logits; None = those of the training manifest, sorted.
        kept: of a training that goes on, the parts that it has divided its videos into; None = divide them.

    Returns:
        The two manifests, with the same classes.

    Raises:
        ValueError: an unknown source, or training videos of one class only.
        ManifestError: faults in the listed files.
    """
    reading = find_manifest(data, "train", classes=classes)
    if isinstance(reading, Undivided):
        train, val = divided(reading, num_workers=data["num_workers"], kept=kept)
        train = _without_quarantined(data, train)
    else:
        train = build_manifest(data, "train", classes=classes)
        val = None
    if len(train.classes) < 2:
        raise ValueError(f"the training list has one class, {train.classes[0]!r}; at least two are needed")
    val = build_manifest(data, "val", classes=train.classes) if val is None else val
    check_classes(train, val)
    known = {(record.place, record.start_seconds, record.end_seconds) for record in train.records}
    both = sum((record.place, record.start_seconds, record.end_seconds) in known for record in val.records)
    if both:
        text = "%d of the %d validation videos are training videos, too; on those, accuracy says nothing"
        _log.warning(text, both, len(val.records))
    return train, val


def build_parts(data: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Manifest]:
    """Build the manifests of some parts, videos that are not there included.

    Args:
        data: the `data` group of the configuration.
        parts: of "train" and "val".

    Raises:
        ValueError: as `find_manifest`.
        ManifestError: as `find_manifest`, or faults in the listed files.
    """
    reading = find_manifest(data, parts[0])
    if not isinstance(reading, Undivided):
        return {part: build_manifest(data, part, keep_missing=True) for part in parts}
    both = dict(zip(("train", "val"), divided(reading, num_workers=data["num_workers"]), strict=True))
    return {part: both[part] for part in parts}


def names_held_back(data: Mapping[str, Any], val: Manifest) -> list[str] | None:
    """The names of the validation videos, where they were held back from an undivided folder; else None.

    Args:
        data: the `data` group of the configuration.
        val: the validation videos.
    """
    held = isinstance(find_manifest(data, "val"), Undivided)
    return [record.video_id for record in val.records] if held else None


def build_evaluated(
    data: Mapping[str, Any], *, classes: tuple[str, ...], held_back: Sequence[str] | None = None
) -> Manifest:
    """Build the manifest that an evaluation takes, videos that are not there included.

    Args:
        data: the `data` group of the configuration.
        classes: label names of the checkpoint.
        held_back: names of the validation videos of the training whose data these are; None = `data` says which.

    Raises:
        ValueError: as `find_manifest`.
        ManifestError: as `build_manifest`, or nothing says which videos of an undivided folder are to be evaluated.
    """
    reading = find_manifest(data, "val", classes=classes, keep_missing=True)
    if held_back is not None and isinstance(reading, Undivided):
        return reading.read_named(held_back)
    if held_back is not None:
        raise ManifestError(
            f"the training held {len(held_back)} videos of {data.get('root')} back, and this folder has parts of its "
            "own by now, so they can't be told from those it was trained on; give data.source=folder data.val=/folder"
        )
    if isinstance(reading, Undivided):
        raise ManifestError(
            f"{reading.folder} has no folder of validation videos; leave data.source out to evaluate the videos that "
            f"the training held back, or give data.val={reading.folder} for all its videos"
        )
    return reading()


def find_manifest(
    data: Mapping[str, Any], part: str, *, classes: Sequence[str] | None = None, keep_missing: bool = False
) -> Reading:
    """Find the list and the videos of a part, without reading them.

    Args:
        data: the `data` group of the configuration.
        part: "train" or "val".
        classes: labels in the order of a model's logits; None = inferred and sorted.
        keep_missing: whether listed videos that are not there stay in the list.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: an unknown source or part, a setting that the source needs and lacks, or one of another layout.
        ManifestError: a file or folder that is given and not there.
    """
    if part not in ("train", "val"):
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    source = data["source"]
    if source not in LAYOUTS:
        raise ValueError(f"data.source={source!r} is unknown; choose one of {', '.join(sorted(LAYOUTS))}")
    if faults := foreign_faults(data):
        raise ValueError("; ".join(faults))
    find, given = LAYOUTS[source], absolute_paths(data)
    taken = get_type_hints(find)
    options = {name: given[name] for name in layout_settings(source).model_fields if name in given and name in taken}
    if keep_missing and "missing" in taken:
        options["missing"] = "keep"
    return find(part, known_classes=classes, **options)


def build_manifest(
    data: Mapping[str, Any], part: str, *, classes: tuple[str, ...] | None = None, keep_missing: bool = False
) -> Manifest:
    """Build one manifest of the `data` settings.

    Args:
        data: with part, classes, keep_missing: see `find_manifest`.

    Raises:
        ValueError: as `find_manifest`.
        ManifestError: as `find_manifest`, or faults in the listed files.
    """
    manifest = find_manifest(data, part, classes=classes, keep_missing=keep_missing)()
    # evaluation lists every video, the broken ones as missing
    return _without_quarantined(data, manifest) if part == "train" else manifest


def _without_quarantined(data: Mapping[str, Any], manifest: Manifest) -> Manifest:
    return drop_quarantined(manifest, absolute_paths(data)["quarantine"]) if data.get("quarantine") else manifest


def build_frame_reader(data: Mapping[str, Any], manifest: Manifest) -> FrameReader | None:
    """Build the reader of training videos for this source; None = our own decoders.

    Args:
        data: the `data` group of the configuration.
        manifest: the training videos.

    Raises:
        ValueError: a setting is unknown or out of range, or has no effect with this source.
        MissingLibraryError: the library that reads does not import.
    """
    make = FRAME_READERS.get(data["source"])
    if make is None:
        return None
    for key in ("sampling", "target_fps", "short_video"):
        if data[key] != ClipSettings.model_fields[key].default:
            raise ValueError(
                f"data.{key}={data[key]} has no effect with data.source={data['source']}, whose clip sampler chooses "
                f"the frames; leave it out, or use another source"
            )
    own = [name for name in get_type_hints(make) if name in data]
    return make(manifest, **{name: data[name] for name in own})
