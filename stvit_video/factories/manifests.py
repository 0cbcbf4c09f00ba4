"""Build manifests from the `data` settings; `data.source` names the kind of source."""

import logging
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stvit_video.data.layouts.class_folders import read_folder_manifest
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.hmdb51 import read_hmdb51_manifest
from stvit_video.data.layouts.image_folder import read_image_manifest
from stvit_video.data.layouts.kinetics import read_kinetics_manifest
from stvit_video.data.layouts.pytorchvideo import read_pytorchvideo_manifest
from stvit_video.data.layouts.something_something import read_something_manifest
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.layouts.ucf101 import read_ucf101_manifest
from stvit_video.data.loading.clip_dataset import FrameReader
from stvit_video.data.loading.pytorchvideo_reader import PytorchvideoFrames, make_clip_sampler
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest, check_classes
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.data.synthetic.dataset import write_synthetic_dataset
from stvit_video.settings.paths import PATHS
from stvit_video.utils.addresses import is_address

Settings = Mapping[str, Any]
Reading = Callable[[], Manifest]
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
    if source not in SOURCES:
        raise ValueError(f"data.source={source!r} is unknown; choose one of {', '.join(sorted(SOURCES))}")
    return SOURCES[source](absolute_paths(data), part, classes)


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


def _csv(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    column, fold, separator = data.get("fold_column"), data.get("fold"), data.get("label_separator")
    if (column is None) != (fold is None):
        raise ValueError("data.fold_column and data.fold belong together; give both (cross-validation) or neither")
    if column is None:
        path = _existing(data, part)
        return partial(read_csv_manifest, path, root=data.get("root"), classes=classes, label_separator=separator)
    if data.get("val"):
        raise ValueError("data.fold takes the validation rows from data.train; leave data.val out")
    rows = {column: (str(fold),)}
    return partial(
        read_csv_manifest,
        _existing(data, "train"),
        root=data.get("root"),
        classes=classes,
        keep=rows if part == "val" else None,
        drop=rows if part == "train" else None,
        label_separator=separator,
    )


def _folder(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    folder = _existing(data, part) if data.get(part) else Path(_existing(data, "root")) / part
    return partial(read_folder_manifest, folder, classes=classes)


def _image_folder(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    if data.get(part):
        return partial(read_image_manifest, _existing(data, part), classes=classes)
    return partial(read_image_manifest, _existing(data, "root"), part=part, classes=classes)


def _kinetics(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    root, videos = Path(_existing(data, "root")), f"{part}_videos"
    path = _existing(data, part) if data.get(part) else root / f"{part}.csv"
    folder = _existing(data, videos) if data.get(videos) else root / part

    def read() -> Manifest:
        missing, expected = data.get("missing", "error"), data.get("expected_classes")
        manifest = read_kinetics_manifest(path, video_dir=folder, classes=classes, missing=missing)
        if classes is None and expected and len(manifest.classes) != expected:
            text = "%s has %d classes, not the %d of the published data set; check the list, unless it is a part on "
            _log.warning(text + "purpose", path, len(manifest.classes), expected)
        return manifest

    return read


def _official_split(
    read: Callable[..., Manifest],
    lists: str,
    videos: str,
    data: Settings,
    part: str,
    classes: tuple[str, ...] | None,
) -> Reading:
    return partial(
        read,
        _place(data, "lists", lists),
        video_dir=_place(data, "videos", videos),
        part=part,
        split=data.get("split", 1),
        classes=classes,
        missing=data.get("missing", "error"),
    )


def _shards(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    keys = {"train": ("shards", "train"), "val": ("val_shards", "val")}[part]  # stvit_video.evaluate gives data.val
    pattern = next((data[key] for key in keys if data.get(key)), None) or f"{_required(data, 'root')}/{part}"
    return partial(
        read_shard_manifest,
        pattern,
        classes=classes,
        names_file=data.get("classes"),
        allow_addresses=data.get("allow_addresses", False),
    )


def _something_something_v2(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    lists, name = _place(data, "lists", ""), {"train": "train", "val": "validation"}[part]
    prefix = "" if (lists / "labels.json").is_file() else "something-something-v2-"  # the later release has none
    return partial(
        read_something_manifest,
        lists / f"{prefix}{name}.json",
        labels=lists / f"{prefix}labels.json",
        video_dir=_place(data, "videos", "20bn-something-something-v2"),
        classes=classes,
        missing=data.get("missing", "error"),
    )


def _pytorchvideo(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    if data["dataset"] == "hmdb51":
        path, prefix = _place(data, "lists", "testTrainMulti_7030_splits"), _place(data, "videos", "hmdb51_org")
    else:
        path = Path(_existing(data, part) if data.get(part) else Path(_existing(data, "root")) / part)
        prefix = Path(data.get("videos") or data.get("root") or "")
    return partial(
        read_pytorchvideo_manifest,
        path,
        dataset=data["dataset"],
        prefix=prefix,
        part=part,
        split=data["split"],
        classes=classes,
    )


def _synthetic(data: Settings, part: str, classes: tuple[str, ...] | None) -> Reading:
    place = _required(data, "root")

    def read() -> Manifest:
        root = write_synthetic_dataset(
            place,
            num_train=data["num_train"],
            num_val=data["num_val"],
            image_size=(data["image_size"], data["image_size"]),
            num_frames=data["video_frames"],
            seed=data["generation_seed"],
        )
        return read_csv_manifest(root / f"{part}.csv", classes=classes)

    return read


SOURCES: dict[str, Callable[[Settings, str, tuple[str, ...] | None], Reading]] = {
    "csv": _csv,
    "folder": _folder,
    "hmdb51": partial(_official_split, read_hmdb51_manifest, "testTrainMulti_7030_splits", "hmdb51_org"),
    "image_folder": _image_folder,
    "kinetics": _kinetics,
    "shards": _shards,
    "pytorchvideo": _pytorchvideo,
    "something_something_v2": _something_something_v2,
    "synthetic": _synthetic,
    "ucf101": partial(_official_split, read_ucf101_manifest, "ucfTrainTestlist", "UCF-101"),
}


def _required(data: Settings, key: str) -> str:
    value = data.get(key)
    if not value:
        raise ValueError(f"data.source={data['source']} needs data.{key}; give it, for example data.{key}=/path")
    return str(value)


def _place(data: Settings, key: str, name: str) -> Path:
    """The folder that `data[key]` gives, or the published folder `name` in data.root."""
    for other in ("train", "val", "train_videos", "val_videos"):
        if data.get(other):
            raise ValueError(
                f"data.source={data['source']} has lists of its own; leave data.{other} out, and give data.lists or "
                "data.videos where they are not in data.root"
            )
    if data.get(key):
        return Path(_existing(data, key))
    folder = Path(_existing(data, "root"), name)
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder}; correct data.root, or give the folder as data.{key}")
    return folder


def _existing(data: Settings, key: str) -> str:
    path = _required(data, key)
    if not Path(path).exists():
        also = "" if key == "root" else ", or in data.root"
        raise ManifestError(
            f"data.{key}: there is no {path}; correct the path "
            f"(a relative one starts in the working directory, {Path.cwd()}{also})"
        )
    return path
