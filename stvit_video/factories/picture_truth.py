"""The true objects of listed pictures, in the form that the scores take."""

from typing import Any

from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.evaluation.detection.run_lengths import Rle, encode_masks

__all__ = ["picture_truth"]


def picture_truth(pictures: AnnotatedPictures, *, masks: bool) -> list[dict[str, Any]]:
    """The true objects of listed pictures, see `stvit_video.evaluation.detection.instances.true_instances`.

    Args:
        pictures: the list.
        masks: whether the objects have their outlines, as run lengths.
    """
    return [_truth_of(pictures, record, masks=masks) for record in pictures.pictures]


def _truth_of(pictures: AnnotatedPictures, record: PictureRecord, *, masks: bool) -> dict[str, Any]:
    objects = pictures.objects_of(record, outlines=masks)
    truth: dict[str, Any] = {
        "picture_id": record.picture_id,
        "boxes": objects.boxes,
        "labels": objects.labels,
        "areas": objects.areas,
        "crowd": objects.crowd,
    }
    if masks:
        outlines = objects.segmentations or [None] * len(objects.labels)
        truth["masks"] = encode_masks([_run_lengths(outline, record.stated_size) for outline in outlines])
    return truth


def _run_lengths(segmentation: Any, size: tuple[int, int]) -> Rle:
    """A segmentation of COCO as run lengths; one that is not there covers nothing."""
    from faster_coco_eval.core import mask as library

    height, width = size
    if isinstance(segmentation, dict):
        return segmentation
    if not segmentation:
        return {"size": [height, width], "counts": [height * width]}
    return dict(library.merge(library.frPyObjects(segmentation, height, width)))
