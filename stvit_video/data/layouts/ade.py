"""Pictures with label maps as ADE20K has them: images/training, annotations/training, objectInfo150.txt."""

from collections.abc import Callable, Sequence

from stvit_video.data.layouts.class_files import class_names_of
from stvit_video.data.layouts.map_reading import read_pairs
from stvit_video.data.layouts.places import existing_place
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.shards.file_tree import FileTree, open_place, trees_within
from stvit_video.utils.addresses import Place

__all__ = ["find_ade"]

PART_NAMES = {"train": ("training", "train"), "val": ("validation", "val", "test")}
PICTURES, MAPS = "images", "annotations"


def find_ade(
    part: str, *, known_classes: Sequence[str] | None, root: Place | None = None, classes: Place | None = None
) -> Callable[[], MappedPictures]:
    """Find a part of a data set with label maps in the layout of ADE20K, on disk or in a .zip.

    Args:
        part: "train" or "val".
        known_classes: not used; the classes are those of the file of names.
        root: the folder or .zip with images/training, annotations/training and the same for validation.
        classes: file of the class names; None = objectInfo150.txt (or of another number), classes.json or classes.txt
            in root.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    place = existing_place(root, "root", source="ade")
    tree, name = _part_of(open_place(place), part)

    def read() -> MappedPictures:
        pictures, maps = tree.below(f"{PICTURES}/{name}"), tree.below(f"{MAPS}/{name}")
        return read_pairs(pictures, maps, part=part, names=class_names_of(classes, tree))

    return read


def _part_of(tree: FileTree, part: str) -> tuple[FileTree, str]:
    """The files of the data set, and the name of the part.

    Raises:
        ManifestError: it has no such part.
    """
    for found in trees_within(tree):
        if {PICTURES, MAPS} <= set(found.folders()):
            both = set(found.below(PICTURES).folders()) & set(found.below(MAPS).folders())
            if name := next((name for name in PART_NAMES[part] if name in both), ""):
                return found, name
    name = PART_NAMES[part][0]
    raise ManifestError(
        f"{tree.place} has no folders {PICTURES}/{name} and {MAPS}/{name}; correct data.root, or name the folders: "
        f"data=label_maps data.{part}_images=FOLDER data.{part}_maps=FOLDER"
    )
