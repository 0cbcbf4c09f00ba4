"""What a data set with boxes holds, in lines for the doctor."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.curation.duplicates import DuplicateGroup
from stvit_video.data.curation.scan import VideoReport
from stvit_video.data.loading.picture_checks import copy_findings, size_findings
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.manifests.picture_sequences import describe_sequences
from stvit_video.utils.atomic_files import write_table

__all__ = [
    "check_scanned_copies",
    "check_scanned_sizes",
    "count_objects",
    "describe_annotations",
    "sizes_text",
    "write_class_table",
]

HEADER = ("class", "category_id", "train_objects", "train_pictures", "val_objects", "val_pictures")
SMALL, MEDIUM = 32**2, 96**2  # pixels: COCO's limits of small and medium areas
NUM_SHOWN = 10
Parts = Mapping[str, AnnotatedPictures]


def describe_annotations(parts: Parts) -> list[str]:
    """The summary: pictures, sizes, objects a picture and their sizes, and a line for each of the first classes.

    Args:
        parts: part ("train", "val") -> its list.
    """
    lines = [line for part, pictures in parts.items() for line in _describe_part(part, pictures)]
    counts = {part: count_objects(pictures) for part, pictures in parts.items()}
    classes = next(iter(parts.values())).classes
    order = sorted(range(len(classes)), key=lambda label: -max(int(count[0][label]) for count in counts.values()))
    for label in order[:NUM_SHOWN]:
        each = ", ".join(f"{c[0][label]} {part} objects in {c[1][label]} pictures" for part, c in counts.items())
        lines.append(f"  {classes[label]}: {each}")
    if len(classes) > NUM_SHOWN:
        lines.append(f"  and {len(classes) - NUM_SHOWN} more classes, see classes.csv")
    return lines


def count_objects(pictures: AnnotatedPictures) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(num_classes,) objects of each class that can be learned from, and (num_classes,) pictures that have one."""
    learned, labels = pictures.learned(), pictures.objects.labels
    objects, shown = np.zeros((2, len(pictures.classes)), dtype=np.int64)
    for record in pictures.pictures:
        rows = slice(*record.span)
        times = np.bincount(labels[rows][learned[rows]], minlength=len(pictures.classes))
        objects += times
        shown += times > 0
    return objects, shown


def write_class_table(path: Path, parts: Parts) -> None:
    """Write classes.csv: HEADER, a row a class; a part that was not looked at stays empty.

    Raises:
        OSError: the file can't be written.
    """
    counts = {part: count_objects(pictures) for part, pictures in parts.items()}
    first = next(iter(parts.values()))
    rows = [
        [name, number, *(None if part not in counts else int(counts[part][n][label]) for part, n in _COLUMNS)]
        for label, (name, number) in enumerate(zip(first.classes, first.category_ids, strict=True))
    ]
    write_table(path, header=HEADER, rows=rows)


def check_scanned_sizes(parts: Parts, reports: Mapping[str, VideoReport]) -> Findings:
    """Pictures whose annotations are for another size, of all that a scan could read.

    Args:
        parts: part -> its list.
        reports: place -> report of the scan.
    """
    found = Findings()
    for part, pictures in parts.items():
        known = {
            record.place: (report.height, report.width)
            for record in pictures.records
            if (report := reports.get(record.place)) is not None and report.height and report.width
        }
        records = [record for record in pictures.pictures if record.place in known]
        found.take(size_findings(records, known, part))
    return found


def check_scanned_copies(parts: Parts, groups: Sequence[DuplicateGroup]) -> Findings:
    """Validation pictures that a scan found to be copies of training pictures, byte by byte.

    Pictures that both parts list by the same file are told by `check_parts`.

    Args:
        parts: part -> its list.
        groups: duplicates of the scan.
    """
    if len(parts) < 2:
        return Findings()
    listed = {record.place for record in parts["train"].records}
    leaks = [group for group in groups if group.kind == "exact" and group.is_leak]
    both = {member.path for group in leaks for member in group.members if member.part == "val"} - listed
    names = [record.video_id for record in parts["val"].records if record.place in both]
    return copy_findings(names, num_val=len(parts["val"].records))


_COLUMNS = (("train", 0), ("train", 1), ("val", 0), ("val", 1))


def _describe_part(part: str, pictures: AnnotatedPictures) -> list[str]:
    learned = pictures.learned()
    counts = [int(learned[slice(*record.span)].sum()) for record in pictures.pictures]
    rows = np.concatenate([np.arange(*record.span) for record in pictures.pictures]).astype(np.int64)
    areas = pictures.objects.areas[rows[learned[rows]]]
    crowds = int(pictures.objects.crowd[rows].sum())
    sizes = sizes_text(Counter(record.stated_size for record in pictures.pictures))
    lines = [
        f"{part}: {len(counts)} pictures of {sizes}, {len(areas)} objects, {np.mean(counts):.1f} a picture "
        f"(at most {max(counts)}), {sum(count == 0 for count in counts)} pictures without any"
    ]
    if len(areas):
        shares = [float(np.mean(areas < SMALL)), float(np.mean((areas >= SMALL) & (areas < MEDIUM)))]
        large = 1 - sum(shares)
        lines.append(
            f"  area: {shares[0]:.0%} small (below 32x32 pixels), {shares[1]:.0%} medium, {large:.0%} large (96x96 or "
            f"more); median {np.sqrt(np.median(areas)):.0f} x {np.sqrt(np.median(areas)):.0f} pixels"
        )
        outlines = pictures.objects.outlines
        num_outlined = 0 if outlines is None else sum(bool(outlines[row]) for row in rows[learned[rows]].tolist())
        needed = "" if num_outlined == len(areas) else "; task=instance needs them"
        lines.append(f"  objects with outlines: {num_outlined} of {len(areas)}{needed}")
    if frames := describe_sequences(pictures):
        lines.append(f"  {frames}")
    if crowds:
        lines.append(f"  {crowds} crowds or difficult objects: not learned, and not counted in the AP")
    return lines


def sizes_text(counted: Counter[tuple[int, int]]) -> str:
    """Sizes of pictures in words.

    Args:
        counted: height and width -> pictures, one at least.
    """
    sizes = counted.most_common()
    (height, width), count = sizes[0]
    if len(sizes) == 1:
        return f"{width}x{height} pixels"
    shorts, longs = zip(*((min(size), max(size)) for size, _ in sizes), strict=True)
    return (
        f"{len(sizes)} sizes (short side {min(shorts)} to {max(shorts)}, long side {min(longs)} to {max(longs)} "
        f"pixels, most often {width}x{height}: {count} times)"
    )
