"""From a COCO file of annotations to a list of annotated pictures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from stvit_video.data.manifests.annotated_pictures import (
    AnnotatedPictures,
    ListedObject,
    PictureRecord,
    pack_objects,
)
from stvit_video.data.manifests.annotation_counts import category_faults
from stvit_video.data.manifests.box_checks import check_boxes
from stvit_video.data.manifests.coco_structure import check_ids, parse_coco
from stvit_video.data.manifests.findings import Findings, first_of
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL
from stvit_video.data.manifests.picture_sequences import FramePlace, coco_frames
from stvit_video.data.shards.file_tree import FileTree, FolderTree, Located

__all__ = ["PictureReading", "picture_record", "read_coco", "tell_absent"]

NUM_TRIED = 50  # names by which the folder of the pictures is told
FOLDER_SETTINGS = (
    "name the folder that these names start from: data=coco_folders data.train_images=FOLDER, or data.val_images=FOLDER"
)
NO_FRAME = FramePlace()
Row = Mapping[str, Any]


@dataclass(frozen=True)
class PictureReading:
    """Reads a COCO file of annotations when it is called.

    Attributes:
        lists: holds the file.
        name: of the file in it.
        pictures: where the pictures may be.
        classes: names that the categories must have, in this order; None = any.
    """

    lists: FileTree
    name: str
    pictures: Sequence[FileTree]
    classes: Sequence[str] | None

    def __call__(self) -> AnnotatedPictures:
        """The list.

        Raises:
            ManifestError: see `read_coco`.
        """
        place = self.lists.place
        source = str(place / self.name) if isinstance(self.lists, FolderTree) else f"{place}: {self.name}"
        return read_coco(self.lists.read(self.name), self.pictures, source=source, classes=self.classes)


def read_coco(
    content: bytes, pictures: Sequence[FileTree], *, source: str, classes: Sequence[str] | None = None
) -> AnnotatedPictures:
    """Read a COCO file of annotations.

    Labels are the positions of the categories in the file, whatever their ids. Listed pictures that are not there stay
    in the list, so that an evaluation tells that they are missing.

    Args:
        content: of the file.
        pictures: where its pictures may be; the first that has one of them counts.
        source: its name, for messages.
        classes: names that the categories must have, in this order; None = any.

    Raises:
        ManifestError: every fault of the file, in one error.
    """
    document = parse_coco(content, source=source)
    found = check_ids(document)
    found.raise_if_any(source)
    names = tuple(row["name"] for row in document["categories"])
    if classes is not None:
        found.take(category_faults(tuple(classes), names, names=("the model", "the file")))
    images = document["images"]
    by_picture = _by_picture(document)
    spans = list(pairwise(accumulate(map(len, by_picture), initial=0)))
    ordered = [annotation for own in by_picture for annotation in own]
    listed = _objects(ordered, document["categories"])
    sizes = np.array([(row["height"], row["width"]) for row in images], dtype=np.float64).reshape(-1, 2)
    boxes = np.array([item.bbox for item in listed], dtype=np.float64).reshape(-1, 4)
    ids = [row.get("id", "without id") for row in ordered]
    sound, about_boxes = check_boxes(boxes, sizes.repeat([len(own) for own in by_picture], axis=0), ids)
    found.take(about_boxes)
    tree = _tree_of(images, pictures)
    places = [tree.find(row["file_name"]) for row in images]
    found.take(tell_absent([row["file_name"] for row in images], places, tree))
    frames, about_frames = coco_frames(document)
    found.take(about_frames)
    found.raise_if_any(source)
    labels = [{item.label for item in listed[slice(*span)]} for span in spans]
    records = [
        picture_record(
            row["file_name"], place, tree, row["id"], (int(row["height"]), int(row["width"])), span, own, frame=frame
        )
        for row, place, span, own, frame in zip(images, places, spans, labels, frames, strict=True)
    ]
    return AnnotatedPictures(
        records=tuple(records),
        classes=names,
        multi_label=True,
        objects=pack_objects(listed, sound),
        category_ids=tuple(row["id"] for row in document["categories"]),
        warnings=tuple(found.warnings),
    )


def picture_record(
    name: str,
    place: Located | None,
    tree: FileTree,
    picture_id: int | str,
    size: tuple[int, int],
    span: tuple[int, int],
    labels: set[int],
    *,
    frame: FramePlace = NO_FRAME,
) -> PictureRecord:
    """A listed picture.

    Args:
        name: as it is written.
        place: where it is; None = it is not there.
        tree: where it was looked for.
        picture_id: as it is written.
        size: height and width in pixels, as they are written.
        span: its objects in the list of all.
        labels: of its objects.
        frame: of which video it is.
    """
    located = place or Located(tree.place / name)
    return PictureRecord(
        path=located.path,
        label=NO_SINGLE_LABEL,
        video_id=name,
        member=located.member,
        byte_range=located.byte_range,
        labels=tuple(sorted(labels)),
        is_picture=True,
        picture_id=picture_id,
        stated_size=size,
        span=span,
        sequence=frame.sequence,
        frame_place=frame.place,
    )


def tell_absent(
    names: Sequence[str],
    places: Sequence[Located | None],
    tree: FileTree,
    *,
    way_out: str = FOLDER_SETTINGS,
    kind: str = "pictures",
    tells_some: bool = True,
) -> Findings:
    """That listed files are not there: a fault where none is, else a warning.

    Args:
        names: of the files, as they are written.
        places: where they are; None = one is not there.
        tree: where they were looked for.
        way_out: what to do where none is there.
        kind: of the files, in the plural.
        tells_some: False = no warning, as a later check tells of each file.
    """
    absent = [name for name, place in zip(names, places, strict=True) if place is None]
    if not absent:
        return Findings()
    if len(absent) == len(names):
        return Findings([f"none of its {len(names)} {kind} is in {tree.place}, {first_of(absent)}; {way_out}"])
    if not tells_some:
        return Findings()
    where = f"{len(absent)} of {len(names)} {kind} are not in {tree.place}, {first_of(absent)}"
    return Findings(warnings=[f"{where}; they count as unreadable"])


def _by_picture(document: Mapping[str, Sequence[Row]]) -> list[list[Row]]:
    """The annotations of each picture, in the order of the pictures."""
    found: dict[int | str, list[Row]] = defaultdict(list)
    for row in document["annotations"]:
        found[row["image_id"]].append(row)
    return [found.get(row["id"], []) for row in document["images"]]


def _objects(annotations: Sequence[Row], categories: Sequence[Row]) -> list[ListedObject]:
    labels = {row["id"]: label for label, row in enumerate(categories)}
    return [
        ListedObject(
            bbox=_four(row["bbox"]),
            label=labels[row["category_id"]],
            area=_area(row),
            crowd=bool(row.get("iscrowd", 0)),
            segmentation=row.get("segmentation") or None,
        )
        for row in annotations
    ]


def _four(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, width, height = map(float, bbox)
    return left, top, width, height


def _area(row: Row) -> float:
    """As it is written; else that of the box."""
    area = row.get("area")
    return float(area) if isinstance(area, int | float) else float(row["bbox"][2] * row["bbox"][3])


def _tree_of(images: Sequence[Row], trees: Sequence[FileTree]) -> FileTree:
    """The first of the places that holds one of the pictures; else the first place."""
    tried = [row["file_name"] for row in images[:: max(1, len(images) // NUM_TRIED)]]
    return next((tree for tree in trees if any(tree.find(name) is not None for name in tried)), trees[0])
