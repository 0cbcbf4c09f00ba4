"""Pictures with a COCO file of annotations: boxes, and outlines where it has them."""

from collections.abc import Sequence
from pathlib import Path

from stvit_video.data.layouts.coco_reading import PictureReading
from stvit_video.data.layouts.places import existing
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.file_tree import ARCHIVE_ENDING, FileTree, FolderTree, open_tree, trees_within
from stvit_video.utils.addresses import Place

__all__ = ["find_coco", "find_coco_folders"]

PART_NAMES = {"train": ("train",), "val": ("val", "valid", "validation", "test")}
# the file of annotations and the folder of the pictures; {} is the name of a part
PUBLISHED = (
    ("annotations/instances_{}2017.json", "{}2017"),
    ("annotations/instances_{}2014.json", "{}2014"),
    ("annotations/instances_{}.json", "{}"),
    ("annotations/{}.json", "{}"),
    ("{}/_annotations.coco.json", "{}"),
    ("{}.json", "{}"),
)
OTHER_FOLDERS = ("images/{}", "images", "")  # where the pictures may be besides
PUBLISHED_LISTS = ("annotations_trainval2017.zip", "annotations_trainval2014.zip")


def find_coco(part: str, *, known_classes: Sequence[str] | None, root: Place | None = None) -> PictureReading:
    """Find a part of a data set in COCO's layout, on disk or in a .zip.

    The names are those of COCO (annotations/instances_train2017.json with train2017, or the archives that COCO
    publishes), the same without a year, or those that Roboflow exports (train/_annotations.coco.json).

    Args:
        part: "train" or "val".
        known_classes: names of the categories in the order of a model's outputs; None = those of the file.
        root: the folder or .zip with both parts.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    place = existing(root, "root", source="coco")
    for tree in trees_within(open_tree(place)):
        for lists in (tree, *_published_lists(tree)):
            for written, folder in PUBLISHED:
                for name in PART_NAMES[part]:
                    if lists.find(written.format(name)) is not None:
                        pictures = _picture_trees(tree, name, folder)
                        return PictureReading(lists, written.format(name), pictures, known_classes)
    looked_for = ", ".join(written.format(PART_NAMES[part][0]) for written, _ in PUBLISHED[:3])
    raise ManifestError(
        f"{place} has no {part} annotations ({looked_for}, ...); correct data.root, or name file and folder: "
        f"data=coco_folders data.{part}_json=FILE data.{part}_images=FOLDER"
    )


def find_coco_folders(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train_json: Place | None = None,
    train_images: Place | None = None,
    val_json: Place | None = None,
    val_images: Place | None = None,
    root: Place | None = None,
) -> PictureReading:
    """Find any file in COCO's format, and the folder or .zip that its pictures are in.

    Args:
        part: "train" or "val".
        known_classes: names of the categories in the order of a model's outputs; None = those of the file.
        train_json: annotations of the training pictures.
        train_images: folder or .zip of the training pictures; None = the folder of train_json.
        val_json: annotations of the validation pictures.
        val_images: folder or .zip of the validation pictures; None = the folder of val_json.
        root: folder that the other paths may start from.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": (train_json, train_images), "val": (val_json, val_images)}[part]
    path = Path(existing(given[0], f"{part}_json", source="coco_folders"))
    if path.is_dir():
        raise ManifestError(f"data.{part}_json={path} is a folder; give the .json file of annotations in it")
    folder = existing(given[1], f"{part}_images", source="coco_folders") if given[1] else path.parent
    return PictureReading(FolderTree(path.parent), path.name, trees_within(open_tree(folder)), known_classes)


def _published_lists(tree: FileTree) -> list[FileTree]:
    """The archives of annotations that COCO publishes, where they lie unopened in a folder."""
    found = [tree.find(name) for name in PUBLISHED_LISTS] if isinstance(tree, FolderTree) else []
    return [open_tree(located.path) for located in found if located is not None]


def _picture_trees(tree: FileTree, name: str, folder: str) -> list[FileTree]:
    """Where the pictures of a part may be, the likeliest first; also in an archive of the folder's name."""
    folders = [text.format(name) for text in (folder, *OTHER_FOLDERS)]
    archive = tree.find(folders[0] + ARCHIVE_ENDING) if isinstance(tree, FolderTree) else None
    packed = [] if archive is None else trees_within(open_tree(archive.path))
    return [tree.below(folders[0]), *packed, *(tree.below(text) for text in folders[1:])]
