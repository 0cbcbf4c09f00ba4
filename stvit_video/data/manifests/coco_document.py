"""Annotated pictures as COCO's document, for its evaluation."""

from collections.abc import Iterable
from typing import Any

from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures

__all__ = ["as_coco"]


def as_coco(pictures: AnnotatedPictures, *, positions: Iterable[int] | None = None) -> dict[str, list[dict[str, Any]]]:
    """The pictures as a document with images, annotations and categories.

    Boxes, areas and outlines are those that were read, to the last digit; ids of pictures and categories, too.

    Args:
        pictures: the list.
        positions: of the records that are wanted; None = all.
    """
    records = pictures.pictures
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for record in records if positions is None else [records[n] for n in positions]:
        height, width = record.stated_size
        images.append({"id": record.picture_id, "file_name": record.video_id, "height": height, "width": width})
        outlines = pictures.objects_of(record).segmentations
        for place, row in enumerate(range(*record.span)):
            annotation = {
                "id": len(annotations) + 1,
                "image_id": record.picture_id,
                "category_id": pictures.category_ids[pictures.objects.labels[row]],
                "bbox": pictures.objects.bbox[row].tolist(),
                "area": float(pictures.objects.areas[row]),
                "iscrowd": int(pictures.objects.crowd[row]),
            }
            outline = None if outlines is None else outlines[place]
            annotations.append(annotation if outline is None else annotation | {"segmentation": outline})
    categories = [{"id": n, "name": name} for n, name in zip(pictures.category_ids, pictures.classes, strict=True)]
    return {"images": images, "annotations": annotations, "categories": categories}
