"""Whether lists of annotated pictures have what a training needs, and fit each other."""

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, object_limit
from stvit_video.data.manifests.findings import Findings, first_of
from stvit_video.data.manifests.manifest import Manifest

__all__ = ["check_categories", "check_counts", "check_parts"]

SHOWN = 6  # categories in a message
SAME_CATEGORIES = "write the same list of categories into both files of annotations"
CLASS_WITHOUT_OBJECTS = {"train": "learned", "val": "scored"}
PICTURES_WITHOUT_OBJECTS = {
    "train": "they teach the background (data.drop_empty=true leaves them out)",
    "val": "they are scored, and detections in them count as false",
}


def check_counts(pictures: AnnotatedPictures, part: str, *, max_objects: int | None, masks: bool = False) -> Findings:
    """Find out whether pictures, or classes, have nothing to learn, and pictures with more than training takes.

    Args:
        pictures: the list.
        part: "train" or "val", for messages.
        max_objects: of a picture in training; None = any number.
        masks: whether masks are learned, see `object_limit`.
    """
    found, learned = Findings(), pictures.learned()
    spans = np.array([record.span for record in pictures.pictures]).reshape(-1, 2)
    starts = np.concatenate([[0], np.cumsum(learned)])
    counts = starts[spans[:, 1]] - starts[spans[:, 0]]  # of objects to learn, a picture
    if not counts.any():
        found.faults.append(_why_nothing(pictures, part))
        return found
    rows = _rows(pictures)
    times = np.bincount(pictures.objects.labels[rows[learned[rows]]], minlength=len(pictures.classes))
    lacking = [name for name, count in zip(pictures.classes, times, strict=True) if not count]
    if lacking:
        found.warnings.append(
            f"{len(lacking)} of {len(pictures.classes)} classes have no {part} object, {first_of(lacking)}; "
            f"they can't be {CLASS_WITHOUT_OBJECTS[part]}: add some, or remove the categories"
        )
    if empty := int((counts == 0).sum()):
        found.warnings.append(
            f"{empty} of {len(counts)} {part} pictures have no object; {PICTURES_WITHOUT_OBJECTS[part]}"
        )
    sizes = [record.stated_size for record in pictures.pictures]
    limits = np.array([object_limit(size, max_objects=max_objects, masks=masks) for size in sizes])
    if part == "train" and (over := counts > limits).any():
        largest = int(np.where(over, counts, 0).argmax())
        name = pictures.records[largest].video_id
        found.warnings.append(
            f"{over.sum()} train pictures have more objects than are learned at once (data.max_objects={max_objects}"
            f"{', and 2^30 bytes of masks' if masks else ''}), at most {counts[largest]} "
            f"({name}: {limits[largest]}); each epoch learns from as many, drawn at random"
        )
    return found


def _rows(pictures: AnnotatedPictures) -> NDArray[np.int64]:
    """Positions of the objects of the listed pictures."""
    return np.concatenate([np.arange(*record.span, dtype=np.int64) for record in pictures.pictures])


def _why_nothing(pictures: AnnotatedPictures, part: str) -> str:
    """Why a list has nothing to learn."""
    crowd, num_pictures = pictures.objects.crowd[_rows(pictures)], len(pictures.records)
    if len(crowd) and crowd.all():
        return (
            f"all {len(crowd)} objects of the {num_pictures} {part} pictures are crowds or difficult ones, which are "
            "neither learned nor scored; set iscrowd or difficult to 0 for single objects"
        )
    what = "has an object in a sound box" if len(crowd) else "has an object"
    return f"none of the {num_pictures} {part} pictures {what}; check that the file of annotations is the right one"


def check_categories(train: AnnotatedPictures, val: AnnotatedPictures) -> Findings:
    """Find out whether two lists have the same classes in the same order.

    Category ids may differ: they are numbers of the file.
    """
    return category_faults(train.classes, val.classes, names=("train", "val"))


def category_faults(
    expected: tuple[str, ...],
    found: tuple[str, ...],
    *,
    names: tuple[str, str],
    kind: str = "categories",
    way_out: str = SAME_CATEGORIES,
) -> Findings:
    """As `check_categories`, of names alone.

    Args:
        expected: classes in their order.
        found: those of another list.
        names: whose the two are, for the message.
        kind: what they are called there.
        way_out: what to do.
    """
    if expected == found:
        return Findings()
    only = [[name for name in one if name not in other] for one, other in ((expected, found), (found, expected))]
    if only[0] or only[1]:
        parts = [f"{name} alone has {_some(names_only)}" for name, names_only in zip(names, only, strict=True)]
        what = " and ".join(text for text, lone in zip(parts, only, strict=True) if lone)
    else:
        place = next(n for n, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1])
        what = f"they stand in another order: number {place} is {expected[place]!r} and {found[place]!r}"
    return Findings(
        [f"the {kind} of {names[0]} ({len(expected)}) and {names[1]} ({len(found)}) differ: {what}; {way_out}"]
    )


def check_parts(train: Manifest, val: Manifest) -> Findings:
    """Find pictures that stand in both lists, by their files.

    Copies under other names are found by the doctor, which compares what is in the files.
    """
    known = {record.place for record in train.records}
    both = [record.video_id for record in val.records if record.place in known]
    if not both:
        return Findings()
    return Findings(
        warnings=[
            f"{len(both)} of the {len(val.records)} val pictures are train pictures, too, {first_of(both)}; on those "
            "the scores say nothing: take them out of one part"
        ]
    )


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(map(repr, names[:SHOWN])) + (f" and {more} more" if more > 0 else "")
