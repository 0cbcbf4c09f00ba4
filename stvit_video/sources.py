"""From the `data` settings to manifests: each source of videos by its name."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stvit_video.data.layouts import read_hmdb51_manifest, read_ucf101_manifest
from stvit_video.data.manifest import (
    Manifest,
    ManifestError,
    check_classes,
    read_csv_manifest,
    read_folder_manifest,
    read_kinetics_manifest,
)
from stvit_video.data.quarantine import drop_quarantined
from stvit_video.data.something_something import read_something_manifest
from stvit_video.data.synthetic import write_synthetic_dataset

Settings = Mapping[str, Any]
# paths of the `data` settings, apart from root
PATHS = ("train", "val", "train_videos", "val_videos", "videos", "lists", "quarantine")
_log = logging.getLogger(__name__)


def absolute_paths(data: Settings) -> dict[str, Any]:
    """The `data` settings with absolute paths; what is not given stays so.

    A relative path starts in the working directory, or, where it is not there but in `data.root`, in that.

    Args:
        data: the `data` group of the configuration.
    """
    found = dict(data)
    if found.get("root"):
        found["root"] = str(Path(found["root"]).expanduser().absolute())
    for key in PATHS:
        if found.get(key):
            here = Path(found[key]).expanduser().absolute()
            there = Path(found.get("root") or "", Path(found[key]).expanduser()).absolute()
            found[key] = str(there if there.exists() and not here.exists() else here)
    return found


def build_manifests(data: Settings, *, classes: tuple[str, ...] | None = None) -> tuple[Manifest, Manifest]:
    """Training and validation manifests of the `data` settings.

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
    return train, val


def build_manifest(data: Settings, part: str, *, classes: tuple[str, ...] | None = None) -> Manifest:
    """One manifest of the `data` settings.

    Args:
        data: the `data` group of the configuration.
        part: "train" or "val".
        classes: labels in the order of a model's logits; None = inferred and sorted.

    Raises:
        ValueError: an unknown source or part, or a setting that the source needs and lacks.
        ManifestError: faults in the listed files, or a file or folder that is not there.
    """
    if part not in ("train", "val"):
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    source = data["source"]
    if source not in SOURCES:
        raise ValueError(f"data.source={source!r} is unknown; choose one of {', '.join(sorted(SOURCES))}")
    manifest = SOURCES[source](absolute_paths(data), part, classes)
    if part == "train" and data.get("quarantine"):  # evaluation lists every video, the broken ones as missing
        return drop_quarantined(manifest, absolute_paths(data)["quarantine"])
    return manifest


def _csv(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    column, fold = data.get("fold_column"), data.get("fold")
    if (column is None) != (fold is None):
        raise ValueError("data.fold_column and data.fold belong together; give both (cross-validation) or neither")
    if column is None:
        return read_csv_manifest(_existing(data, part), root=data.get("root"), classes=classes)
    if data.get("val"):
        raise ValueError("data.fold takes the validation rows from data.train; leave data.val out")
    rows = {column: (str(fold),)}
    return read_csv_manifest(
        _existing(data, "train"),
        root=data.get("root"),
        classes=classes,
        keep=rows if part == "val" else None,
        drop=rows if part == "train" else None,
    )


def _folder(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    folder = _existing(data, part) if data.get(part) else Path(_required(data, "root")) / part
    return read_folder_manifest(folder, classes=classes)


def _kinetics(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    root, videos = Path(_required(data, "root")), f"{part}_videos"
    path = _existing(data, part) if data.get(part) else root / f"{part}.csv"
    manifest = read_kinetics_manifest(
        path,
        video_dir=_existing(data, videos) if data.get(videos) else root / part,
        classes=classes,
        missing=data.get("missing", "error"),
    )
    expected = data.get("expected_classes")
    if classes is None and expected and len(manifest.classes) != expected:
        _log.warning(
            "%s has %d classes, not the %d of the published data set; check the list, unless it is a part on purpose",
            *(path, len(manifest.classes), expected),
        )
    return manifest


def _official_split(
    read: Callable[..., Manifest],
    lists: str,
    videos: str,
    data: Settings,
    part: str,
    classes: tuple[str, ...] | None,
) -> Manifest:
    return read(
        _place(data, "lists", lists),
        video_dir=_place(data, "videos", videos),
        part=part,
        split=data.get("split", 1),
        classes=classes,
        missing=data.get("missing", "error"),
    )


def _something_something_v2(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    lists, name = _place(data, "lists", ""), {"train": "train", "val": "validation"}[part]
    prefix = "" if (lists / "labels.json").is_file() else "something-something-v2-"  # the later release has none
    return read_something_manifest(
        lists / f"{prefix}{name}.json",
        labels=lists / f"{prefix}labels.json",
        video_dir=_place(data, "videos", "20bn-something-something-v2"),
        classes=classes,
        missing=data.get("missing", "error"),
    )


def _synthetic(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    root = write_synthetic_dataset(
        _required(data, "root"),
        num_train=data["num_train"],
        num_val=data["num_val"],
        image_size=(data["image_size"], data["image_size"]),
        num_frames=data["video_frames"],
        seed=data["generation_seed"],
    )
    return read_csv_manifest(root / f"{part}.csv", classes=classes)


SOURCES: dict[str, Callable[[Settings, str, tuple[str, ...] | None], Manifest]] = {
    "csv": _csv,
    "folder": _folder,
    "hmdb51": partial(_official_split, read_hmdb51_manifest, "testTrainMulti_7030_splits", "hmdb51_org"),
    "kinetics": _kinetics,
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
    folder = Path(_required(data, "root"), name)
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder}; correct data.root, or give the folder as data.{key}")
    return folder


def _existing(data: Settings, key: str) -> str:
    path = _required(data, key)
    if not Path(path).exists():
        raise ManifestError(
            f"data.{key}: there is no {path}; correct the path "
            f"(a relative one starts in the working directory, {Path.cwd()}, or in data.root)"
        )
    return path
