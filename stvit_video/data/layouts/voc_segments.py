"""Pictures with label maps as Pascal VOC keeps them: JPEGImages, SegmentationClass, ImageSets/Segmentation."""

from collections.abc import Callable, Sequence

from stvit_video.data.layouts.class_files import class_names_of
from stvit_video.data.layouts.coco_reading import tell_absent
from stvit_video.data.layouts.map_reading import MapPair, list_maps
from stvit_video.data.layouts.places import existing
from stvit_video.data.layouts.voc_folders import find_voc_list, find_voc_tree, read_voc_list
from stvit_video.data.manifests.class_names import ClassNames
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.shards.file_tree import FileTree
from stvit_video.utils.addresses import Place

__all__ = ["VOC_CLASSES", "find_voc_segments"]

PICTURES, MAPS, LISTS = "JPEGImages", "SegmentationClass", "ImageSets/Segmentation"
VOC_CLASSES = (  # of the values of Pascal VOC's maps; 255 is the border of objects
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def find_voc_segments(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = None,
    train_set: str = "train",
    val_set: str = "val",
    classes: Place | None = None,
) -> Callable[[], MappedPictures]:
    """Find a part of a data set with label maps in Pascal VOC's layout, on disk or in a .zip.

    Args:
        part: "train" or "val".
        known_classes: not used; the classes are those of the file of names.
        root: the folder or .zip with JPEGImages, SegmentationClass and ImageSets/Segmentation, or with
            VOCdevkit/VOC2012.
        train_set: name of the list of training pictures in ImageSets/Segmentation, for example trainval.
        val_set: name of the list of validation pictures there, for example test.
        classes: file of the class names; None = classes.json or classes.txt beside the folders, else the 21 classes of
            Pascal VOC.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    place = existing(root, "root", source="voc_segments")
    tree = find_voc_tree(place, (PICTURES, MAPS, "ImageSets"))
    file = find_voc_list(tree, LISTS, {"train": train_set, "val": val_set}[part], part=part, place=place)

    def read() -> MappedPictures:
        names = class_names_of(classes, tree) or ClassNames("Pascal VOC", dict(enumerate(VOC_CLASSES)))
        return _read_list(tree, file, names)

    return read


def _read_list(tree: FileTree, file: str, names: ClassNames) -> MappedPictures:
    """The listed pictures; one that is not there, or has no map, stays in the list.

    Raises:
        ManifestError: the list is empty, or none of its files is there.
    """
    found, pictures, maps = Findings(), tree.below(PICTURES), tree.below(MAPS)
    pairs = [MapPair(stem, f"{stem}.jpg", f"{stem}.png") for stem in read_voc_list(tree, file, found)]
    for kind, files, folder, tells_some in (
        ("pictures", [pair.picture for pair in pairs], pictures, True),
        ("label maps", [pair.labels for pair in pairs], maps, False),  # the check of all maps tells of some
    ):
        way_out = f"put them into the folder {folder.place.name}"
        places = [folder.find(name) for name in files]
        found.take(tell_absent(files, places, folder, way_out=way_out, kind=kind, tells_some=tells_some))
    found.raise_if_any(f"{tree.place}, {file}")
    return list_maps(pairs, pictures, maps, names=names, found=found)
