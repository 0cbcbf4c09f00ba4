"""Any two folders of pictures and label maps whose files have equal names."""

from collections.abc import Callable, Sequence

from stvit_video.data.layouts.class_files import class_names_of
from stvit_video.data.layouts.map_reading import read_pairs
from stvit_video.data.layouts.places import existing_place
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.shards.file_tree import open_place, open_tree
from stvit_video.utils.addresses import Place

__all__ = ["find_label_maps"]


def find_label_maps(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    train_images: Place | None = None,
    train_maps: Place | None = None,
    val_images: Place | None = None,
    val_maps: Place | None = None,
    root: Place | None = None,
    classes: Place | None = None,
    picture_suffix: str = "",
    map_suffix: str = "",
) -> Callable[[], MappedPictures]:
    """Find the folders of pictures and of label maps, on disk or in a .zip; folders in them are searched, too.

    Args:
        part: "train" or "val".
        known_classes: not used; the classes are those of the file of names.
        train_images: folder of the training pictures, for example set.zip/images/train.
        train_maps: folder of their label maps.
        val_images: folder of the validation pictures.
        val_maps: folder of their label maps.
        root: folder or .zip that the other paths may start from.
        classes: file of the class names: a name a line, those of the values 0, 1, ...; or a JSON list; None =
            classes.json or classes.txt in root.
        picture_suffix: end of the names of pictures that those of maps don't have, such as _leftImg8bit.
        map_suffix: end of the names of maps that those of pictures don't have, such as _gtFine_labelTrainIds.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
        ManifestError: a file or folder does not exist.
    """
    given = {"train": (train_images, train_maps), "val": (val_images, val_maps)}[part]
    folders = [
        existing_place(place, f"{part}_{kind}", source="label_maps")
        for place, kind in zip(given, ("images", "maps"), strict=True)
    ]
    top = None if root is None else existing_place(root, "root", source="label_maps")

    def read() -> MappedPictures:
        names = class_names_of(classes, None if top is None else open_tree(top))
        pictures, maps = map(open_place, folders)
        return read_pairs(pictures, maps, part=part, names=names, picture_suffix=picture_suffix, map_suffix=map_suffix)

    return read
