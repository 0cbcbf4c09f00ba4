"""Which videos there are and what they show: CSV with header, folder per class, or the Kinetics CSV.

All faults of a manifest are collected and raised together, before anything is decoded.
"""

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from stvit_video.data.csv_rows import (
    NUM_FAULTS_SHOWN,
    CsvRow,
    Faults,
    ManifestError,
    filter_rows,
    read_labels,
    read_rows,
    read_segment,
)
from stvit_video.data.listing import (
    VIDEO_EXTENSIONS,
    Listed,
    Manifest,
    Missing,
    VideoRecord,
    build_manifest_of,
    check_missing,
    index_videos,
    settle_missing,
)

__all__ = [
    "Manifest",
    "ManifestError",
    "VideoRecord",
    "check_classes",
    "read_csv_manifest",
    "read_folder_manifest",
    "read_kinetics_manifest",
]

_log = logging.getLogger(__name__)


def read_csv_manifest(
    path: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    classes: Sequence[str] | None = None,
    split: str | None = None,
    keep: Mapping[str, Collection[str | int]] | None = None,
    drop: Mapping[str, Collection[str | int]] | None = None,
    label_separator: str | None = None,
) -> Manifest:
    """Read a CSV with a header: `path,label`, optionally `start_seconds,end_seconds,split`, and any others.

    Args:
        path: the CSV, UTF-8. A path with a comma in it stands in double quotes.
        root: folder that relative paths start from; None = the folder of the CSV.
        classes: class names in the order of the labels (validation: those of training);
            None = the labels found, sorted.
        split: keep only the rows with this value in the column `split`.
        keep: column -> values: keep the rows that have one of the values, e.g. {"fold": (1, 2)}.
        drop: column -> values: leave out the rows that have one of the values, e.g. {"fold": (0,)}.
        label_separator: what stands between the labels of a video, such as "|" in `run|jump`: the list is multi-label
            then, and a video whose field is empty has no label. None = each field is one label.

    Raises:
        ManifestError: every fault of the file, in one error.
        ValueError: label_separator is blank or no text.
    """
    if label_separator is not None and (not isinstance(label_separator, str) or not label_separator.strip()):
        raise ValueError(f"label_separator={label_separator!r} must be a text that is not blank, such as '|', or null")
    csv_path = Path(path)
    faults = Faults(csv_path)
    rows = read_rows(csv_path, needed=("path", "label"), faults=faults)
    rows = filter_rows(rows, _with_split(keep, split), wanted=True, source=csv_path)
    rows = filter_rows(rows, drop or {}, wanted=False, source=csv_path)
    folder = csv_path.parent if root is None else Path(root)
    listed = [_from_csv_row(row, folder, label_separator, faults) for row in rows]
    if label_separator is not None and not any(label_separator in row.fields["label"] for row in rows):
        _log.warning("%s: no label holds %r, so each video has one label or none", csv_path, label_separator)
    return build_manifest_of(listed, classes, faults, multi_label=label_separator is not None)


def read_folder_manifest(root: str | os.PathLike[str], *, classes: Sequence[str] | None = None) -> Manifest:
    """Read a folder that holds a folder of videos for each class; deeper folders are not searched.

    What is no video (by its extension) is left out, and counted in one warning.

    Args:
        root: the folder.
        classes: class names in the order of the labels; None = the folder names, sorted.

    Raises:
        ManifestError: every fault of the folder, in one error.
    """
    folder = Path(root)
    faults = Faults(folder)
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder}; give one that holds a folder of videos for each class")
    listed: list[Listed] = []
    ignored: list[str] = []
    for class_folder in sorted(folder.iterdir()):
        if not class_folder.is_dir() or class_folder.name.startswith("."):
            ignored.append(class_folder.name)
            continue
        videos = _videos_in(class_folder, folder, ignored)
        listed += [Listed(0, written, folder / written, class_folder.name) for written in videos]
        if not videos:
            faults.add(0, f"class folder {class_folder.name} holds no video; add some or remove the folder")
    _warn_of_ignored(folder, ignored)
    return build_manifest_of(listed, classes, faults)


def read_kinetics_manifest(
    path: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    split: str | None = None,
    untrimmed: bool = False,
    missing: Missing = "error",
) -> Manifest:
    """Read the CSV that Kinetics is published with: `label,youtube_id,time_start,time_end,split`.

    A video is `<id>_<start>_<end>.mp4` (seconds, six digits) or `<id>.mp4`, of any video extension,
    in `video_dir` or in a folder there with the label's name (spaces may be underscores).

    Args:
        path: the CSV.
        video_dir: folder of the videos.
        classes: class names in the order of the labels; None = the labels found.
        split: keep only the rows of this split.
        untrimmed: True = `<id>.mp4` is the whole YouTube video, of which time_start to time_end is used.
        missing: a listed video that is not there is an error, is dropped with one warning that counts them,
            or is kept, so that an evaluation reports it as missing.

    Raises:
        ManifestError: every fault of the file, in one error.
    """
    check_missing(missing)
    csv_path, folder = Path(path), Path(video_dir)
    faults = Faults(csv_path)
    rows = read_rows(csv_path, needed=("label", "youtube_id", "time_start", "time_end"), faults=faults)
    rows = filter_rows(rows, _with_split(None, split), wanted=True, source=csv_path)
    files = index_videos(folder)
    listed = [_from_kinetics_row(row, folder, files, untrimmed, faults) for row in rows]
    listed = settle_missing(listed, files, video_dir=folder, missing=missing, faults=faults)
    return build_manifest_of(listed, classes, faults)


def check_classes(train: Manifest, val: Manifest) -> None:
    """Make sure that what `val` holds can be learned from `train`, under the same labels.

    Raises:
        ManifestError: one of them is multi-label and the other not, a class of a `val` video has no `train` video,
            the two number classes differently, or no `val` video has any label.
    """
    if train.multi_label != val.multi_label:
        one, other = ("training", "validation") if train.multi_label else ("validation", "training")
        raise ManifestError(
            f"the {one} list is multi-label and the {other} list has one label a video; "
            "read both with the same label_separator"
        )
    learned = {name for record in train.records for name in train.label_names(record)}
    shown = {name for record in val.records for name in val.label_names(record)}
    if val.records and not shown:
        raise ManifestError(f"not one of {len(val.records)} validation videos has a label; name what they show")
    lacking = sorted(shown - learned)
    if lacking:
        names = ", ".join(repr(name) for name in lacking[:NUM_FAULTS_SHOWN])
        raise ManifestError(
            f"{len(lacking)} class(es) of the validation videos have no training video: {names}"
            f"{', ...' if len(lacking) > NUM_FAULTS_SHOWN else ''}; add training videos or remove the classes"
        )
    if train.classes != val.classes:
        raise ManifestError(
            f"the training manifest has {len(train.classes)} classes, the validation manifest "
            f"{len(val.classes)}, or in another order; "
            "read the validation manifest with classes=<the training manifest's classes>"
        )


def _with_split(
    keep: Mapping[str, Collection[str | int]] | None, split: str | None
) -> dict[str, Collection[str | int]]:
    return dict(keep or {}) | ({} if split is None else {"split": (split,)})


def _from_csv_row(row: CsvRow, folder: Path, label_separator: str | None, faults: Faults) -> Listed:
    written = row.fields["path"]
    if not (folder / written).is_file():  # blanks around a path are taken off, unless they belong to the name
        written = written.strip()
    path = folder / written
    start, end = read_segment(row, start_column="start_seconds", end_column="end_seconds", faults=faults)
    if not written:
        faults.add(row.line, "the path is empty; name the file")
    elif not path.is_file():
        faults.add(row.line, f"there is no file {path}; correct the path, or set root to the videos' folder")
    labels = None if label_separator is None else read_labels(row, separator=label_separator, faults=faults)
    return Listed(row.line, written, path, row.fields["label"].strip(), start, end, labels)


def _videos_in(class_folder: Path, root: Path, ignored: list[str]) -> list[str]:
    """Paths of a class's videos relative to `root`; other entries are appended to `ignored`."""
    videos: list[str] = []
    for entry in sorted(class_folder.iterdir()):
        written = entry.relative_to(root).as_posix()
        is_video = entry.suffix.lower() in VIDEO_EXTENSIONS and entry.is_file() and not entry.name.startswith(".")
        (videos if is_video else ignored).append(written)
    return videos


def _warn_of_ignored(folder: Path, ignored: Sequence[str]) -> None:
    if ignored:
        first = ", ".join(ignored[:NUM_FAULTS_SHOWN])
        _log.warning("%s: %d entries are no videos of a class and left out, first: %s", folder, len(ignored), first)


def _from_kinetics_row(
    row: CsvRow, video_dir: Path, files: Mapping[tuple[str, str], Path], untrimmed: bool, faults: Faults
) -> Listed:
    label, name = row.fields["label"].strip(), row.fields["youtube_id"].strip()
    start, end = read_segment(row, start_column="time_start", end_column="time_end", faults=faults)
    trimmed = f"{name}_{int(start or 0):06d}_{int(end or 0):06d}"
    for stem in (trimmed, name):
        for folder in (label, label.replace(" ", "_"), ""):
            path = files.get((folder, stem))
            if path is not None:
                written = path.relative_to(video_dir).as_posix()
                segment = (start, end) if untrimmed and stem == name else (None, None)
                return Listed(row.line, written, path, label, *segment)
    written = f"{trimmed}.mp4"
    return Listed(row.line, written, video_dir / written, label)
