"""What a data set with label maps holds, in lines for the doctor."""

from collections.abc import Mapping
from pathlib import Path

from stvit_video.data.curation.annotation_report import sizes_text
from stvit_video.data.loading.map_checks import MapCounts
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.manifests.picture_sequences import describe_sequences
from stvit_video.utils.atomic_files import write_table

__all__ = ["describe_label_maps", "write_map_classes"]

HEADER = ("class", "label", "train_share", "train_pixels", "train_pictures", "val_share", "val_pixels", "val_pictures")
NUM_SHOWN = 10


def describe_label_maps(parts: Mapping[str, MappedPictures], counts: Mapping[str, MapCounts]) -> list[str]:
    """The summary: pictures, sizes, pixels that are not counted, and a line for each of the first classes.

    Args:
        parts: part ("train", "val") -> its list.
        counts: part -> what its maps hold.
    """
    lines = [line for part, pictures in parts.items() for line in _describe_part(part, pictures, counts[part])]
    classes = next(iter(parts.values())).classes
    order = sorted(range(len(classes)), key=lambda label: -max(_shares(found)[label] for found in counts.values()))
    for label in order[:NUM_SHOWN]:
        each = ", ".join(
            f"{_shares(found)[label]:.2%} of the {part} pixels, in {found.pictures[label]} pictures"
            for part, found in counts.items()
        )
        lines.append(f"  {classes[label]}: {each}")
    if len(classes) > NUM_SHOWN:
        lines.append(f"  and {len(classes) - NUM_SHOWN} more classes, see classes.csv")
    return lines


def write_map_classes(path: Path, classes: tuple[str, ...], counts: Mapping[str, MapCounts]) -> None:
    """Write classes.csv: HEADER, a row a class; shares are of the counted pixels, a part not looked at stays empty.

    Raises:
        OSError: the file can't be written.
    """
    rows = []
    for label, name in enumerate(classes):
        row: list[object] = [name, label]
        for part in ("train", "val"):
            if (found := counts.get(part)) is None:
                row += [None] * 3
            else:
                row += [round(_shares(found)[label], 8), int(found.labels[label]), int(found.pictures[label])]
        rows.append(row)
    write_table(path, header=HEADER, rows=rows)


def _describe_part(part: str, pictures: MappedPictures, counts: MapCounts) -> list[str]:
    read = f"{counts.num_read} label maps of {sizes_text(counts.sizes)}" if counts.num_read else "no label map read"
    lines = [f"{part}: {len(pictures.records)} pictures, {read}, {len(pictures.classes)} classes"]
    if total := int(counts.labels.sum()):
        shown = int((counts.labels[:-1] > 0).sum())
        lines.append(f"  {counts.labels[-1] / total:.1%} of the pixels are not counted; {shown} classes occur")
    if frames := describe_sequences(pictures):
        lines.append(f"  {frames}")
    return lines


def _shares(counts: MapCounts) -> list[float]:
    """Of each class, of the counted pixels."""
    return (counts.labels[:-1] / max(1, int(counts.labels[:-1].sum()))).tolist()
