"""From settings (plain dictionaries) to parts: where the configuration meets the library."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.manifest import (
    Manifest,
    check_classes,
    read_csv_manifest,
    read_folder_manifest,
    read_kinetics_manifest,
)
from stvit_video.data.synthetic import write_synthetic_dataset
from stvit_video.data.transforms import Preprocessing

PACKAGE_DIR = Path(__file__).resolve().parent
_INSTALLED_CONF = PACKAGE_DIR / "conf"
CONF_DIR = str(_INSTALLED_CONF if _INSTALLED_CONF.is_dir() else PACKAGE_DIR.parent / "conf")

Settings = Mapping[str, Any]


def build_manifests(data: Settings, *, classes: tuple[str, ...] | None = None) -> tuple[Manifest, Manifest]:
    """Training and validation manifests of the `data` settings.

    Args:
        data: the `data` group of the configuration; `data["source"]` says which kind it is.
        classes: labels in the order of a model's logits; None = those of the training manifest, sorted.

    Returns:
        The two manifests, with the same classes.

    Raises:
        ValueError: an unknown source.
        ManifestError: faults in the listed files.
    """
    train = build_manifest(data, "train", classes=classes)
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
        ManifestError: faults in the listed files.
    """
    if part not in ("train", "val"):
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    source = data["source"]
    if source not in SOURCES:
        raise ValueError(f"data.source={source!r} is unknown; choose one of {', '.join(sorted(SOURCES))}")
    return SOURCES[source](data, part, classes)


def _csv(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    column, fold = data.get("fold_column"), data.get("fold")
    if (column is None) != (fold is None):
        raise ValueError("data.fold_column and data.fold belong together; give both (cross-validation) or neither")
    if column is None:
        return read_csv_manifest(_required(data, part), root=data.get("root"), classes=classes)
    rows = {column: (str(fold),)}
    return read_csv_manifest(
        _required(data, "train"),
        root=data.get("root"),
        classes=classes,
        keep=rows if part == "val" else None,
        drop=rows if part == "train" else None,
    )


def _folder(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    folder = data.get(part) or Path(_required(data, "root")) / part
    return read_folder_manifest(folder, classes=classes)


def _kinetics(data: Settings, part: str, classes: tuple[str, ...] | None) -> Manifest:
    root = Path(_required(data, "root"))
    return read_kinetics_manifest(
        data.get(part) or root / f"{part}.csv",
        video_dir=data.get(f"{part}_videos") or root / part,
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
    "kinetics": _kinetics,
    "synthetic": _synthetic,
}


def _required(data: Settings, key: str) -> str:
    value = data.get(key)
    if not value:
        raise ValueError(f"data.source={data['source']} needs data.{key}; give it, for example data.{key}=/path")
    return str(value)


def build_preprocessing(data: Settings) -> Preprocessing:
    """Frames, sizes and normalisation of the `data` settings.

    Raises:
        ValueError: a value is out of range.
    """
    return Preprocessing(
        num_frames=data["num_frames"],
        frame_stride=data["frame_stride"],
        short_side=data["short_side"],
        crop_size=data["crop_size"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
    )
