"""Whether the objects of a list have outlines that can be learned."""

from collections import Counter, defaultdict
from typing import Any

from stvit_video.data.decoding.segmentations import segmentation_fault
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.data.manifests.findings import Findings, first_of

MAX_BAD_SHARE = 0.01
_NONE = "there is none"


def check_segmentations(pictures: AnnotatedPictures) -> Findings:
    """Find objects without an outline, or with one that can't be a mask of their picture.

    Crowds are passed over: nothing is learned from them. Up to MAX_BAD_SHARE of the others are left out of training,
    with a warning; more are a fault.

    Args:
        pictures: the list.
    """
    learned = pictures.learned()
    counts, places = Counter[str](), defaultdict[str, list[str]](list)
    for record in pictures.pictures:
        height, width = record.stated_size
        for row, segmentation in zip(range(*record.span), _segmentations(pictures, record), strict=True):
            fault = segmentation_fault(segmentation, height=height, width=width) if learned[row] else ""
            if fault:
                kind = fault.partition(" (")[0] if "size" not in fault else "its run lengths are of another size"
                counts[kind] += 1
                places[kind].append(f"{record.video_id} ({fault})" if kind != fault else record.video_id)
    found, total = Findings(), int(learned.sum())
    for kind, count in counts.items():
        _tell(kind, count, total, places[kind], found)
    return found


def _segmentations(pictures: AnnotatedPictures, record: PictureRecord) -> list[Any]:
    objects = pictures.objects_of(record)
    return [None] * len(objects.labels) if objects.segmentations is None else objects.segmentations


def _tell(kind: str, count: int, total: int, places: list[str], found: Findings) -> None:
    what = "have no segmentation" if kind == _NONE else f"have a segmentation that can't be used: {kind}"
    sentence = f"{count} of {total} objects {what}, {first_of(dict.fromkeys(places))}"
    if count > MAX_BAD_SHARE * total:
        way_out = "add them, or train a detector of boxes" if kind == _NONE else "correct them"
        found.faults.append(f"{sentence}; {way_out} (up to {MAX_BAD_SHARE:.0%} are left out)")
    else:
        found.warnings.append(f"{sentence}; they are left out of training")
