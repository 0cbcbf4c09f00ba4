"""Pictures with boxes as Pascal VOC keeps them: JPEGImages, Annotations, ImageSets/Main."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from stvit_video.data.layouts.coco_reading import picture_record, tell_absent
from stvit_video.data.layouts.places import existing
from stvit_video.data.layouts.voc_folders import find_voc_list, find_voc_tree, read_voc_list
from stvit_video.data.layouts.voc_xml import VocPicture, read_voc_xml
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, ListedObject, pack_objects
from stvit_video.data.manifests.box_checks import check_boxes
from stvit_video.data.manifests.findings import Findings, first_of
from stvit_video.data.manifests.picture_endings import is_picture_file
from stvit_video.data.shards.file_tree import FileTree
from stvit_video.utils.addresses import Place

__all__ = ["VocReading", "find_voc_boxes"]

NEEDED = ("Annotations", "JPEGImages", "ImageSets")
LISTS = "ImageSets/Main"


@dataclass(frozen=True)
class VocReading:
    """Reads the boxes of a part when it is called.

    Attributes:
        tree: holds the three folders.
        file: of the list.
        classes: names in the order of the labels; None = those of all annotations of the part, sorted.
    """

    tree: FileTree
    file: str
    classes: Sequence[str] | None

    def __call__(self) -> AnnotatedPictures:
        """The list; difficult objects count as crowds, as VOC's own evaluation passes them over.

        Raises:
            ManifestError: every fault of the files, in one error.
        """
        found = Findings()
        stems = read_voc_list(self.tree, self.file, found)
        pictures = [_annotations(self.tree, stem, found) for stem in stems]
        source = f"{self.tree.place}, {self.file}"
        found.raise_if_any(source)
        names = sorted({item.name for picture in pictures for item in picture.objects})
        return _listed(self.tree, stems, pictures, tuple(self.classes or names), names, found, source)


def find_voc_boxes(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = None,
    train_set: str = "train",
    val_set: str = "val",
) -> VocReading:
    """Find a part of a data set with boxes in Pascal VOC's layout, on disk or in a .zip.

    Args:
        part: "train" or "val".
        known_classes: names of the classes in the order of a model's outputs; None = those of the objects, sorted.
        root: the folder or .zip with Annotations, JPEGImages and ImageSets/Main, or with VOCdevkit/VOC2012.
        train_set: name of the list of training pictures in ImageSets/Main, for example trainval.
        val_set: name of the list of validation pictures there, for example test.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    place = existing(root, "root", source="voc_boxes")
    tree = find_voc_tree(place, NEEDED)
    name = {"train": train_set, "val": val_set}[part]
    return VocReading(tree, find_voc_list(tree, LISTS, name, part=part, place=place), known_classes)


def _annotations(tree: FileTree, stem: str, found: Findings) -> VocPicture:
    name = f"Annotations/{stem}.xml"
    if tree.find(name) is None:
        found.faults.append(f"there is no {name} for the listed picture {stem}; add it, or take {stem} off the list")
        return VocPicture("", (1, 1), [])
    try:
        return read_voc_xml(tree.read(name))
    except ValueError as error:
        found.faults.append(f"{name}: {error}; correct it")
        return VocPicture("", (1, 1), [])


def _listed(
    tree: FileTree,
    stems: Sequence[str],
    pictures: Sequence[VocPicture],
    classes: tuple[str, ...],
    names: Sequence[str],
    found: Findings,
    source: str,
) -> AnnotatedPictures:
    if strangers := [name for name in names if name not in classes]:
        found.faults.append(
            f"{len(strangers)} classes of the objects are none of the {len(classes)} that are learned, "
            f"{first_of(strangers)}; add training objects of them, or remove these"
        )
        found.raise_if_any(source)
    labels = {name: label for label, name in enumerate(classes)}
    objects = [
        ListedObject(item.bbox, labels[item.name], item.bbox[2] * item.bbox[3], item.difficult)
        for picture in pictures
        for item in picture.objects
    ]
    counts = [len(picture.objects) for picture in pictures]
    sizes = np.array([picture.size for picture in pictures], dtype=np.float64).reshape(-1, 2).repeat(counts, axis=0)
    boxes = np.array([item.bbox for item in objects], dtype=np.float64).reshape(-1, 4)
    owners = [stem for stem, count in zip(stems, counts, strict=True) for _ in range(count)]
    sound, about_boxes = check_boxes(boxes, sizes, owners)
    found.take(about_boxes)
    folder = tree.below("JPEGImages")
    files = [_file_of(folder, stem, picture) for stem, picture in zip(stems, pictures, strict=True)]
    places = [folder.find(name) for name in files]
    found.take(tell_absent(files, places, folder, way_out="put them into the folder JPEGImages"))
    found.raise_if_any(source)
    spans = pairwise(accumulate(counts, initial=0))
    records = [
        picture_record(name, place, folder, stem, picture.size, span, {labels[item.name] for item in picture.objects})
        for name, place, stem, picture, span in zip(files, places, stems, pictures, spans, strict=True)
    ]
    return AnnotatedPictures(
        records=tuple(records),
        classes=classes,
        multi_label=True,
        objects=pack_objects(objects, sound),
        category_ids=tuple(range(1, len(classes) + 1)),
        warnings=tuple(found.warnings),
    )


def _file_of(folder: FileTree, stem: str, picture: VocPicture) -> str:
    """The name of a picture: that of its annotations with .jpg, else the one that is written there."""
    usual, written = f"{stem}.jpg", picture.file_name
    if folder.find(usual) is not None or not is_picture_file(written):
        return usual
    own = f"{stem}.{written.rpartition('.')[2]}"  # annotations whose picture was renamed
    return own if folder.find(own) is not None else written
