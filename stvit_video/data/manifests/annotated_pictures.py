"""Listed pictures with the objects in them: boxes, labels, crowd flags and outlines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.packed_texts import PackedTexts
from stvit_video.data.manifests.picture_sequences import FrameRecord

__all__ = [
    "AnnotatedPictures",
    "ListedObject",
    "Objects",
    "PictureObjects",
    "PictureRecord",
    "object_limit",
    "pack_objects",
]

Id = int | str
MAX_MASK_BYTES = 2**30  # of the masks of one picture


@dataclass(frozen=True)
class PictureRecord(FrameRecord):
    """One listed picture; its labels are those of its objects, each once.

    Attributes:
        picture_id: as the file of annotations has it.
        stated_size: height and width in pixels, as the file of annotations has them.
        span: the first of its objects in the list of all, and the one behind the last.
    """

    picture_id: Id = 0
    stated_size: tuple[int, int] = (0, 0)
    span: tuple[int, int] = (0, 0)


class ListedObject(NamedTuple):
    """One object as it was read.

    `bbox` is x, y, width, height in pixels; `label` counts from 0; `segmentation` is that of COCO, None = none.
    """

    bbox: tuple[float, float, float, float]
    label: int
    area: float
    crowd: bool = False
    segmentation: Any = None


@dataclass(frozen=True, eq=False)
class Objects:
    """The M objects of all pictures, those of a picture one behind the other.

    Attributes:
        bbox: (M, 4) float64, x, y, width, height in pixels, as they are written.
        labels: (M,) int64, from 0.
        areas: (M,) float64, pixels, as they are written.
        crowd: (M,) bool, True = a group or a difficult object: never learned, never counted against a model.
        sound: (M,) bool, True = the box has an area inside its picture.
        outlines: segmentations as JSON, "" = none; None = no object has one.
    """

    bbox: NDArray[np.float64]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    sound: NDArray[np.bool_]
    outlines: PackedTexts | None = None

    def __len__(self) -> int:
        return len(self.labels)


class PictureObjects(NamedTuple):
    """The N objects of one picture; `boxes` (N, 4) float64 are x1, y1, x2, y2, the others as in `Objects`."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    sound: NDArray[np.bool_]
    segmentations: list[Any] | None

    def only(self, chosen: NDArray[Any]) -> "PictureObjects":
        """Those that are chosen: (N,) bool, or positions."""
        positions = np.arange(len(self.labels))[chosen]
        outlines = None if self.segmentations is None else [self.segmentations[position] for position in positions]
        return PictureObjects(
            self.boxes[positions],
            self.labels[positions],
            self.areas[positions],
            self.crowd[positions],
            self.sound[positions],
            outlines,
        )


@dataclass(frozen=True, kw_only=True)
class AnnotatedPictures(Manifest):
    """A list of pictures whose labels are objects in boxes.

    Attributes:
        records: `PictureRecord`s; a list without some of them keeps `objects` whole.
        objects: of all pictures.
        category_ids: of the classes, in their order, as the file of annotations has them.
        warnings: what was found that does not keep the list from being used.
    """

    objects: Objects = field(compare=False, repr=False)
    category_ids: tuple[Id, ...]
    warnings: tuple[str, ...] = ()

    @property
    def has_outlines(self) -> bool:
        """Whether any object has a segmentation."""
        return self.objects.outlines is not None

    @property
    def pictures(self) -> tuple[PictureRecord, ...]:
        """The records."""
        return tuple(record for record in self.records if isinstance(record, PictureRecord))

    def objects_of(self, record: PictureRecord, *, outlines: bool = True) -> PictureObjects:
        """The objects of a listed picture.

        Args:
            record: of this list.
            outlines: False = leave the segmentations out.
        """
        rows, packed = slice(*record.span), self.objects.outlines
        boxes = self.objects.bbox[rows].copy()  # (N, 4)
        boxes[:, 2:] += boxes[:, :2]
        texts = [packed[row] for row in range(*record.span)] if packed is not None and outlines else None
        return PictureObjects(
            boxes,
            self.objects.labels[rows],
            self.objects.areas[rows],
            self.objects.crowd[rows],
            self.objects.sound[rows],
            None if texts is None else [json.loads(text) if text else None for text in texts],
        )

    def learned(self) -> NDArray[np.bool_]:
        """(M,) True = the object can be learned from: its box is sound, and it is no crowd."""
        return self.objects.sound & ~self.objects.crowd

    def without_empty(self) -> "AnnotatedPictures":
        """The list without pictures that have nothing to learn."""
        learned = self.learned()
        return replace(self, records=tuple(r for r in self.pictures if learned[slice(*r.span)].any()))


def pack_objects(listed: Sequence[ListedObject], sound: NDArray[np.bool_]) -> Objects:
    """Objects as arrays.

    Args:
        listed: those of a picture one behind the other.
        sound: (M,) True = the box has an area inside its picture.
    """
    given = [item.segmentation for item in listed]
    texts = None if all(item is None for item in given) else PackedTexts(map(_text, given))
    return Objects(
        bbox=np.array([item.bbox for item in listed], dtype=np.float64).reshape(-1, 4),
        labels=np.array([item.label for item in listed], dtype=np.int64),
        areas=np.array([item.area for item in listed], dtype=np.float64),
        crowd=np.array([item.crowd for item in listed], dtype=np.bool_),
        sound=sound,
        outlines=texts,
    )


def object_limit(size: tuple[int, int], *, max_objects: int | None, masks: bool) -> int:
    """How many objects of a picture are learned from at once.

    Args:
        size: its height and width in pixels.
        max_objects: the most; None = any number.
        masks: whether each has a mask of the picture's size; then they have MAX_MASK_BYTES together.
    """
    most = 2**31 if max_objects is None else max_objects
    return min(most, max(1, MAX_MASK_BYTES // (size[0] * size[1]))) if masks else most


def _text(segmentation: Any) -> str:
    return "" if segmentation is None else json.dumps(segmentation, separators=(",", ":"))
