"""Whether the objects of a list have outlines that can be learned."""

from collections import Counter, defaultdict
from typing import Any

from stvit_video.data.decoding.segmentations import segmentation_box, segmentation_fault
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.data.manifests.findings import Findings, first_of

MAX_BAD_SHARE = 0.01
MIN_IOU = 0.5  # of a box and the box around its outline
SLACK_PIXELS = 2.0  # of small objects, rounding alone moves the IoU
Box = tuple[float, float, float, float]
_NONE = "there is none"
WITH_MASKS = {  # what becomes of a few objects
    "train": "task=instance leaves them out of training, task=detection learns their boxes",
    "val": "the AP of masks counts them as missed",
}


def check_segmentations(pictures: AnnotatedPictures, part: str) -> Findings:
    """Find objects without an outline, with one that can't be a mask of their picture, or with one beside their box.

    Crowds are passed over: nothing is learned from them. Up to MAX_BAD_SHARE of the others are left out of training,
    with a warning; more are a fault. Outlines beside their box are a warning.

    Args:
        pictures: the list.
        part: "train" or "val", for messages.
    """
    learned = pictures.learned()
    counts, places = Counter[str](), defaultdict[str, list[str]](list)
    beside = list[str]()
    for record in pictures.pictures:
        height, width = record.stated_size
        for row, segmentation in zip(range(*record.span), _segmentations(pictures, record), strict=True):
            fault = segmentation_fault(segmentation, height=height, width=width) if learned[row] else ""
            if fault:
                kind = fault.partition(" (")[0] if "size" not in fault else "its run lengths are of another size"
                counts[kind] += 1
                places[kind].append(f"{record.video_id} ({fault})" if kind != fault else record.video_id)
            elif learned[row]:
                x, y, w, h = pictures.objects.bbox[row].tolist()
                if _is_beside(segmentation_box(segmentation, height=height), (x, y, x + w, y + h)):
                    beside.append(record.video_id)
    found, total = Findings(), int(learned.sum())
    for kind, count in counts.items():
        _tell(kind, f"{count} of {total} {part} objects", count / total, places[kind], part, found)
    if beside:
        found.warnings.append(
            f"{len(beside)} of {total} {part} objects have an outline that does not fit their box (IoU of the box and "
            f"the box around the outline below {MIN_IOU:g}), {first_of(dict.fromkeys(beside))}; correct the "
            "outlines or the boxes"
        )
    return found


def _is_beside(outline: Box, box: Box) -> bool:
    """Whether the box around an outline is elsewhere than the box of the object."""
    if max(abs(one - other) for one, other in zip(outline, box, strict=True)) <= SLACK_PIXELS:
        return False
    shared = [max(0.0, min(outline[n + 2], box[n + 2]) - max(outline[n], box[n])) for n in (0, 1)]
    both = shared[0] * shared[1]
    return both < MIN_IOU * (_area(outline) + _area(box) - both)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _segmentations(pictures: AnnotatedPictures, record: PictureRecord) -> list[Any]:
    objects = pictures.objects_of(record)
    return [None] * len(objects.labels) if objects.segmentations is None else objects.segmentations


def _tell(kind: str, objects: str, share: float, places: list[str], part: str, found: Findings) -> None:
    what = "have no segmentation" if kind == _NONE else f"have a segmentation that can't be used: {kind}"
    sentence = f"{objects} {what}, {first_of(dict.fromkeys(places))}"
    if share > MAX_BAD_SHARE:
        way_out = "add them, or train a detector of boxes" if kind == _NONE else "correct them"
        found.faults.append(f"{sentence}; {way_out} (up to {MAX_BAD_SHARE:.0%} are a warning)")
    else:
        found.warnings.append(f"{sentence}; {WITH_MASKS[part]}")
