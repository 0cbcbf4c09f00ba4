"""The Kinetics CSV and its folder of downloads."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from stvit_video.data.layouts.places import Reading, existing
from stvit_video.data.manifests.builder import (
    Listed,
    Missing,
    build_manifest_of,
    check_missing,
    find_video,
    index_videos,
    settle_missing,
)
from stvit_video.data.manifests.csv_rows import CsvRow, filter_rows, read_rows, read_segment, with_split
from stvit_video.data.manifests.faults import Faults
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place
from stvit_video.utils.label_text import normal_label

_log = logging.getLogger(__name__)


def find_kinetics(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train: Place | None = None,
    val: Place | None = None,
    train_videos: Place | None = None,
    val_videos: Place | None = None,
    root: Place | None = None,
    missing: Missing = "error",
    expected_classes: int | None = None,
) -> Reading:
    """Find the list and the videos of a part.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        train: the training list; None = root/train.csv.
        val: the validation list; None = root/val.csv.
        train_videos: folder of the training videos; None = root/train.
        val_videos: folder of the validation videos; None = root/val.
        root: holds lists and videos.
        missing: listed videos that are not there: "error", or "drop" = leave them out.
        expected_classes: of the published data set; another number of classes is a warning. None = any number.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    base = Path(existing(root, "root", source="kinetics"))
    written = {"train": train, "val": val}[part]
    videos = {"train": train_videos, "val": val_videos}[part]
    path = Path(existing(written, part, source="kinetics")) if written else base / f"{part}.csv"
    folder = Path(existing(videos, f"{part}_videos", source="kinetics")) if videos else base / part

    def read() -> Manifest:
        manifest = read_kinetics_manifest(path, video_dir=folder, classes=known_classes, missing=missing)
        if known_classes is None and expected_classes and len(manifest.classes) != expected_classes:
            _log.warning(
                "%s has %d classes, not the %d of the published data set; check the list, unless it is a part on "
                "purpose",
                path,
                len(manifest.classes),
                expected_classes,
            )
        return manifest

    return read


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
    rows = filter_rows(rows, with_split(None, split), wanted=True, source=csv_path)
    files = index_videos(folder)
    listed = [_from_kinetics_row(row, folder, files, untrimmed, faults) for row in rows]
    listed = settle_missing(listed, files, video_dir=folder, missing=missing, faults=faults)
    return build_manifest_of(listed, classes, faults)


def _from_kinetics_row(
    row: CsvRow, video_dir: Path, files: Mapping[tuple[str, str], Path], untrimmed: bool, faults: Faults
) -> Listed:
    label, name = row.fields["label"].strip(), row.fields["youtube_id"].strip()
    start, end = read_segment(row, start_column="time_start", end_column="time_end", faults=faults)
    trimmed = f"{name}_{int(start or 0):06d}_{int(end or 0):06d}"
    for stem in (trimmed, name):
        for folder in (label, normal_label(label).replace(" ", "_"), ""):
            path = find_video(files, folder, stem)
            if path is not None:
                written = path.relative_to(video_dir).as_posix()
                segment = (start, end) if untrimmed and stem == name else (None, None)
                return Listed(row.line, written, path, label, *segment)
    written = f"{trimmed}.mp4"
    return Listed(row.line, written, video_dir / written, label)
