"""A CSV of videos: path, label, and where wanted a segment, a split, several labels."""

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from stvit_video.data.layouts.places import Reading, existing
from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.csv_rows import CsvRow, filter_rows, read_labels, read_rows, read_segment, with_split
from stvit_video.data.manifests.faults import Faults
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place
from stvit_video.utils.written_paths import PathFinder, why_absent

_log = logging.getLogger(__name__)


def find_csv_list(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train: Place | None = None,
    val: Place | None = None,
    root: Place | None = None,
    fold_column: str | None = None,
    fold: str | int | None = None,
    label_separator: str | None = None,
) -> Reading:
    """Find the CSV of a part: train and val are files of their own, or train has a column of folds.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        train: the training list; with folds the list of both parts.
        val: the validation list; not with folds.
        root: folder that relative paths in the lists start from; None = the folder of the list.
        fold_column: column of the folds; with fold.
        fold: the fold that validates, the others train.
        label_separator: "|" for several labels a video, run|jump in the column label (an empty field = no label), which
            are learnt by sigmoid, BCE and mAP; None = one label a video.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    if (fold_column is None) != (fold is None):
        raise ValueError("data.fold_column and data.fold belong together; give both (cross-validation) or neither")
    reader = partial(read_csv_manifest, root=root, classes=known_classes, label_separator=label_separator)
    if fold_column is None:
        return partial(reader, existing({"train": train, "val": val}[part], part, source="csv"))
    if val:
        raise ValueError("data.fold takes the validation rows from data.train; leave data.val out")
    rows = {fold_column: (str(fold),)}
    return partial(
        reader,
        existing(train, "train", source="csv"),
        keep=rows if part == "val" else None,
        drop=rows if part == "train" else None,
    )


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
    rows = filter_rows(rows, with_split(keep, split), wanted=True, source=csv_path)
    rows = filter_rows(rows, drop or {}, wanted=False, source=csv_path)
    folder = csv_path.parent if root is None else Path(root)
    finder = PathFinder(folder)
    listed = [_from_csv_row(row, finder, label_separator, faults) for row in rows]
    if notice := finder.notice():
        _log.warning("%s: %s", csv_path, notice)
    if label_separator is not None and not any(label_separator in row.fields["label"] for row in rows):
        _log.warning("%s: no label holds %r, so each video has one label or none", csv_path, label_separator)
    return build_manifest_of(listed, classes, faults, multi_label=label_separator is not None)


def _from_csv_row(row: CsvRow, finder: PathFinder, label_separator: str | None, faults: Faults) -> Listed:
    written = row.fields["path"]
    path = finder.find(written)
    if path != Path(finder.folder, written):  # blanks around a path are taken off, unless they belong to the name
        written = written.strip()
    start, end = read_segment(row, start_column="start_seconds", end_column="end_seconds", faults=faults)
    if not written:
        faults.add(row.line, "the path is empty; name the file")
    elif path is None:
        path = Path(finder.folder, written)
        way_out = "correct the path, or give the folder of the videos as root=FOLDER"
        faults.add(row.line, why_absent(written, path, way_out=way_out))
    labels = None if label_separator is None else read_labels(row, separator=label_separator, faults=faults)
    return Listed(row.line, written, path or Path(), row.fields["label"].strip(), start, end, labels)
