"""What every reader of a list of videos ends with: records, class numbers, and all faults in one error."""

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.look_alikes import class_names_by_label, look_alike_of, note_look_alikes
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord
from stvit_video.data.manifests.video_endings import USUAL, is_video_file
from stvit_video.utils.label_text import normal_label

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
        classes: class names in the order of the labels; None = those of the entries in their normal form (see
            `stvit_video.utils.label_text`), sorted. A label in another form of a class's text is that class.
        faults: what was found wrong before.
        multi_label: whether an entry can have no label, or several.

    Raises:
        UnknownLabelError: every fault, in one error that shows a label which is none of `classes`.
        ManifestError: every fault, in one error.
    """
    counts = Counter(label for video in listed for label in video.label_names)
    names = _sorted_classes(set(map(normal_label, counts))) if classes is None else tuple(classes)
    if classes is None:
        note_look_alikes(names, faults)
    chosen = class_names_by_label(counts, names, source=faults.source)
    listed = [_with_classes(video, chosen) for video in listed]
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

    Names stand there as they are on disk, and in their normal form, by which `find_video` finds them.

    Raises:
        ManifestError: there is no such folder.
    """
    if not video_dir.is_dir():
        raise ManifestError(f"there is no folder {video_dir}; correct the folder of the videos")
    folders = [video_dir, *sorted(entry for entry in video_dir.iterdir() if entry.is_dir())]
    files: dict[tuple[str, str], Path] = {}
    others: dict[tuple[str, str], Path] = {}
    for folder in folders:
        place = "" if folder == video_dir else folder.name
        found = [entry for entry in sorted(folder.iterdir()) if is_video_file(entry)]
        found.sort(key=lambda entry: entry.suffix.lower() not in USUAL)
        for entry in found:
            files.setdefault((place, entry.stem), entry)
            others.setdefault((normal_label(place), normal_label(entry.stem)), entry)
    return {**others, **files}


def find_video(files: Mapping[tuple[str, str], Path], folder: str, stem: str) -> Path | None:
    """The video of this name in `files` (from `index_videos`), in whatever form its folder and name are written."""
    return files.get((folder, stem)) or files.get((normal_label(folder), normal_label(stem)))


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
        others = _OtherEndings()
        for video in absent:
            known = others.hint(video.path)
            faults.add(video.line, f"there is no video {video.path}{known}; get it, or use data.missing=drop")
        return list(listed)
    stay = [video for video in listed if video.path in present]
    if not stay:
        faults.add(0, f"none of its {len(absent)} videos is in {video_dir}; correct the folder of the videos")
    _log.warning("%s: %d videos are not in %s and left out, %d stay", faults.source, len(absent), video_dir, len(stay))
    return stay


class _OtherEndings:
    """Looks for files of the name of an absent video that have no known ending; asks each folder once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, str]] = {}

    def hint(self, absent: Path) -> str:
        """What to say of such a file; "" = there is none."""
        folder = absent.parent
        if folder not in self._names:
            entries = folder.iterdir() if folder.is_dir() else ()
            self._names[folder] = {normal_label(entry.stem): entry.name for entry in entries if entry.suffix}
        other = self._names[folder].get(normal_label(absent.stem))
        return "" if other is None else f" ({other} is there, and its ending is none of a video that is known)"


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
    told: dict[str, str] = {}  # unknown label -> what is said of it
    for video in listed:
        if video.labels is None and not video.label:
            faults.add(video.line, f"the label of {video.written} is empty; name the class")
            continue
        for label in video.label_names:
            if label in known:
                continue
            if label not in told:
                other = look_alike_of(label, names)
                hint = f"; it looks like the class {other!a}, correct it if it is that" if other is not None else ""
                told[label] = f"unknown label {label!r}; the {len(names)} known classes are {some}{hint}"
            faults.add_unknown_label(video.line, told[label])


def _with_classes(video: Listed, chosen: Mapping[str, str]) -> Listed:
    """An entry with the names of its classes in place of its labels as they are written; each of several once."""
    labels = None if video.labels is None else tuple(dict.fromkeys(chosen[label] for label in video.labels))
    return video._replace(label=chosen.get(video.label, video.label), labels=labels)


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


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    """Sorted by name, or by value where all names are whole numbers (so that "10" follows "9")."""
    named = sorted(labels - {""})
    return tuple(sorted(named, key=int) if all(label.isdecimal() for label in named) else named)
