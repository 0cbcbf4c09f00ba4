"""What every reader of a list of videos ends with: records, class numbers, and all faults in one error."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord

VIDEO_EXTENSIONS = (
    *(".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov"),
    *(".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv"),
)
Missing = Literal["error", "drop", "keep"]
_log = logging.getLogger(__name__)


class Listed(NamedTuple):
    """One entry of a list, as it was read: nothing is numbered or compared yet."""

    line: int  # 0 = the manifest has no lines
    written: str  # the path as the manifest gives it
    path: Path
    label: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    labels: tuple[str, ...] | None = None  # None = `label` is the only one
    member: str = ""  # this and the next two as in `VideoRecord`
    byte_range: tuple[int, int] | None = None
    address: str = ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """All labels of the entry."""
        return (self.label,) if self.labels is None else self.labels


def build_manifest_of(
    listed: Sequence[Listed], classes: Sequence[str] | None, faults: Faults, *, multi_label: bool = False
) -> Manifest:
    """Number the labels, find doubles and unknown labels, and raise whatever was found wrong until here.

    Args:
        listed: the entries; in a multi-label list each has its `labels`.
        classes: class names in the order of the labels; None = those of the entries, sorted.
        faults: what was found wrong before.
        multi_label: whether an entry can have no label, or several.

    Raises:
        UnknownLabelError: every fault, in one error that shows a label which is none of `classes`.
        ManifestError: every fault, in one error.
    """
    names = _sorted_classes({name for video in listed for name in video.label_names}) if classes is None else classes
    names = tuple(names)
    if classes is None:
        _warn_of_similar(names, faults.source)
    index = {name: number for number, name in enumerate(names)}
    if len(index) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ManifestError(f"classes holds {double!r} more than once; name each class once")
    if not listed and not faults.found:
        faults.add(0, "it lists no video; add at least one")
    if listed and not names and not faults.found:
        faults.add(0, f"not one of its {len(listed)} videos has a label; name what they show")
    _find_bad_labels(listed, names, faults)
    _find_doubles(listed, faults, multi_label)
    faults.raise_if_any()
    return Manifest(tuple(_record(video, index, multi_label) for video in listed), names, multi_label)


def index_videos(video_dir: Path) -> dict[tuple[str, str], Path]:
    """(folder name or "", file name without extension) -> path, for `video_dir` and the folders in it.

    Raises:
        ManifestError: there is no such folder.
    """
    if not video_dir.is_dir():
        raise ManifestError(f"there is no folder {video_dir}; correct the folder of the videos")
    folders = [video_dir, *sorted(entry for entry in video_dir.iterdir() if entry.is_dir())]
    files: dict[tuple[str, str], Path] = {}
    for folder in folders:
        for entry in sorted(folder.iterdir()):
            if entry.suffix.lower() in VIDEO_EXTENSIONS:
                files.setdefault(("" if folder == video_dir else folder.name, entry.stem), entry)
    return files


def settle_missing(
    listed: Sequence[Listed],
    files: Mapping[tuple[str, str], Path],
    *,
    video_dir: Path,
    missing: Missing,
    faults: Faults,
) -> list[Listed]:
    """The listed videos that stay, by what is wished for those that are not there.

    Args:
        listed: what the list holds.
        files: the videos that are there, from `index_videos`.
        video_dir: where they were looked for.
        missing: "error" notes a fault for each absent one, "drop" leaves them out with one warning that counts them,
            "keep" keeps them, so that an evaluation reports them as missing.
        faults: where faults go.
    """
    present = set(files.values())
    absent = [video for video in listed if video.path not in present]
    if missing == "keep" or not absent:
        return list(listed)
    if missing == "error":
        for video in absent:
            faults.add(video.line, f"there is no video {video.path}; get it, or use data.missing=drop")
        return list(listed)
    stay = [video for video in listed if video.path in present]
    if not stay:
        faults.add(0, f"none of its {len(absent)} videos is in {video_dir}; correct the folder of the videos")
    _log.warning("%s: %d videos are not in %s and left out, %d stay", faults.source, len(absent), video_dir, len(stay))
    return stay


def check_missing(missing: str) -> None:
    """Refuse a wish for missing videos that is unknown.

    Raises:
        ValueError: it is none of error, drop, keep.
    """
    if missing not in ("error", "drop", "keep"):
        raise ValueError(f"missing={missing!r} is unknown; use one of error, drop, keep")


def _find_bad_labels(listed: Sequence[Listed], names: Sequence[str], faults: Faults) -> None:
    known = set(names)
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    for video in listed:
        if video.labels is None and not video.label:
            faults.add(video.line, f"the label of {video.written} is empty; name the class")
            continue
        for label in video.label_names:
            if label not in known:
                text = f"unknown label {label!r}; the {len(names)} known classes are {some}"
                faults.add_unknown_label(video.line, text)


def _find_doubles(listed: Sequence[Listed], faults: Faults, multi_label: bool) -> None:
    hint = "write all labels of a video into one row" if multi_label else "remove one of the two"
    first: dict[tuple[str, str, float | None, float | None], Listed] = {}
    for video in listed:
        key = (os.path.normpath(video.path), video.member, video.start_seconds, video.end_seconds)
        other = first.setdefault(key, video)
        if other is not video and video.written:
            faults.add(video.line, f"{video.written} is listed already in line {other.line}; {hint}")


def _record(video: Listed, index: Mapping[str, int], multi_label: bool) -> VideoRecord:
    labels = tuple(sorted(index[name] for name in video.label_names))
    start, end = video.start_seconds, video.end_seconds
    video_id = video.written
    if start is not None or end is not None:
        begin = "" if start is None else f"{start:.12g}"
        video_id += f"#t={begin}" + ("" if end is None else f",{end:.12g}")
    label = NO_SINGLE_LABEL if multi_label else labels[0]
    archive = (video.member, video.byte_range, video.address)
    return VideoRecord(video.path, label, video_id, start, end, *archive, labels=labels)


def _warn_of_similar(names: Sequence[str], source: str | os.PathLike[str]) -> None:
    """Log once which class names differ in capitals only: "Run" beside "run" is likely one class written twice."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(name.casefold(), []).append(name)
    pairs = [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]
    if pairs:
        _log.warning(
            "%s: these labels differ in capitals only and count as several classes: %s", source, "; ".join(pairs)
        )


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    """Sorted by name, or by value where all names are whole numbers (so that "10" follows "9")."""
    named = sorted(labels - {""})
    return tuple(sorted(named, key=int) if all(label.isdecimal() for label in named) else named)
