"""Build manifests from the `data` settings; `data.source` names the kind of source."""

import inspect
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.layouts.class_folders import find_class_folders
from stvit_video.data.layouts.csv_list import find_csv_list
from stvit_video.data.layouts.embedded import find_embedded
from stvit_video.data.layouts.hmdb51 import find_hmdb51
from stvit_video.data.layouts.image_folder import find_image_folder
from stvit_video.data.layouts.kinetics import find_kinetics
from stvit_video.data.layouts.places import Reading
from stvit_video.data.layouts.pytorchvideo import find_pytorchvideo
from stvit_video.data.layouts.something_something import find_something_something
from stvit_video.data.layouts.tar_shards import find_tar_shards
from stvit_video.data.layouts.ucf101 import find_ucf101
from stvit_video.data.loading.clip_dataset import FrameReader
from stvit_video.data.loading.pytorchvideo_reader import PytorchvideoFrames, make_clip_sampler
from stvit_video.data.manifests.manifest import Manifest, check_classes
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.settings.paths import PATHS
from stvit_video.utils.addresses import is_address

Settings = Mapping[str, Any]
# data.source -> what finds the lists and videos of a part; its other keywords are the settings that it reads
LAYOUTS: dict[str, Callable[..., Reading]] = {
    "csv": find_csv_list,
    "folder": find_class_folders,
    "hmdb51": find_hmdb51,
    "image_folder": find_image_folder,
    "kinetics": find_kinetics,
    "shards": find_tar_shards,
    "pytorchvideo": find_pytorchvideo,
    "something_something_v2": find_something_something,
    "synthetic": find_embedded,
    "ucf101": find_ucf101,
}
_PATTERN = re.compile(r"[{*?\[]")  # what a pattern of names has in it
_log = logging.getLogger(__name__)


def absolute_paths(data: Settings) -> dict[str, Any]:
    """Make the paths in the `data` settings absolute; a path that is not given stays null.

    A relative path starts in the working directory, or, where it is not there but in `data.root`, in that. Addresses
    stay as they are.

    Args:
        data: the `data` group of the configuration.
    """
    found = dict(data)
    if found.get("root") and not is_address(str(found["root"])):
        found["root"] = str(Path(found["root"]).expanduser().absolute())
    for key in PATHS:
        if found.get(key) and not is_address(str(found[key])):
            here = Path(found[key]).expanduser().absolute()
            there = Path(found.get("root") or "", Path(found[key]).expanduser()).absolute()
            found[key] = str(there if _is_there(there) and not _is_there(here) else here)
    return found


def _is_there(path: Path) -> bool:
    """True = the path exists, or the folder of a pattern of names does."""
    before = _PATTERN.split(str(path))[0]
    return path.exists() or (before != str(path) and os.path.isdir(os.path.dirname(before)))


def build_manifests(data: Settings, *, classes: tuple[str, ...] | None = None) -> tuple[Manifest, Manifest]:
    """Build the training and validation manifests of the `data` settings.

    Args:
        data: the `data` group of the configuration; `data["source"]` says which kind it is.
        classes: labels in the order of a model's logits; None = those of the training manifest, sorted.

    Returns:
        The two manifests, with the same classes.

    Raises:
        ValueError: an unknown source, or training videos of one class only.
        ManifestError: faults in the listed files.
    """
    train = build_manifest(data, "train", classes=classes)
    if len(train.classes) < 2:
        raise ValueError(f"the training list has one class, {train.classes[0]!r}; at least two are needed")
    val = build_manifest(data, "val", classes=train.classes)
    check_classes(train, val)
    known = {(record.place, record.start_seconds, record.end_seconds) for record in train.records}
    both = sum((record.place, record.start_seconds, record.end_seconds) in known for record in val.records)
    if both:
        text = "%d of the %d validation videos are training videos, too; on those, accuracy says nothing"
        _log.warning(text, both, len(val.records))
    return train, val


def find_manifest(data: Settings, part: str, *, classes: tuple[str, ...] | None = None) -> Reading:
    """Find the list and the videos of a part, without reading them.

    Args:
        data: the `data` group of the configuration.
        part: "train" or "val".
        classes: labels in the order of a model's logits; None = inferred and sorted.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: an unknown source or part, or a setting that the source needs and lacks.
        ManifestError: a file or folder that is given and not there.
    """
    if part not in ("train", "val"):
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    source = data["source"]
    if source not in LAYOUTS:
        raise ValueError(f"data.source={source!r} is unknown; choose one of {', '.join(sorted(LAYOUTS))}")
    find, settings = LAYOUTS[source], absolute_paths(data)
    read = [name for name in inspect.signature(find).parameters if name in settings]
    return find(part, known_classes=classes, **{name: settings[name] for name in read})


def build_manifest(data: Settings, part: str, *, classes: tuple[str, ...] | None = None) -> Manifest:
    """Build one manifest of the `data` settings.

    Args:
        data: with part and classes: see `find_manifest`.

    Raises:
        ValueError: as `find_manifest`.
        ManifestError: as `find_manifest`, or faults in the listed files.
    """
    manifest = find_manifest(data, part, classes=classes)()
    if part == "train" and data.get("quarantine"):  # evaluation lists every video, the broken ones as missing
        return drop_quarantined(manifest, absolute_paths(data)["quarantine"])
    return manifest


def build_frame_reader(data: Settings, manifest: Manifest) -> FrameReader | None:
    """Build the reader of training videos for this source; None = our own decoders.

    Args:
        data: the `data` group of the configuration.
        manifest: the training videos.

    Raises:
        ValueError: a setting is unknown or out of range, or has no effect with this source.
        MissingLibraryError: the library that reads does not import.
    """
    if data["source"] != "pytorchvideo":
        return None
    for key, plain in (("sampling", "dense"), ("target_fps", None), ("short_video", "repeat_last")):
        if data[key] != plain:
            raise ValueError(
                f"data.{key}={data[key]} has no effect with data.source=pytorchvideo, whose clip sampler chooses the "
                f"frames; leave it out, or use another source"
            )
    seconds = data["clip_seconds"] or data["num_frames"] * data["frame_stride"] / 30
    sampler = make_clip_sampler(data["clip_sampler"], clip_seconds=seconds, clips_per_video=data["clips_per_video"])
    return PytorchvideoFrames(manifest, num_frames=data["num_frames"], clip_sampler=sampler, decoder=data["decoder"])
