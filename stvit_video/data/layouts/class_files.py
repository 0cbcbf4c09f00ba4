"""Where a data set with label maps keeps the names of its classes."""

from pathlib import Path

from stvit_video.data.manifests.class_names import ClassNames, Palette, parse_class_names, parse_palette
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.file_tree import FileTree, archive_of, open_tree, trees_within

__all__ = ["class_names_of", "find_class_file", "read_palette"]

USUAL = ("classes.json", "classes.txt")
TABLE = ("objectInfo", ".txt")  # objectInfo150.txt of ADE20K


def find_class_file(tree: FileTree) -> str | None:
    """The usual file of class names at the top of a data set; None = there is none."""
    names = tree.names()
    tables = [name for name in names if name.startswith(TABLE[0]) and name.endswith(TABLE[1])]
    return next((name for name in (*tables, *USUAL) if name in names), None)


def class_names_of(place: str | None, tree: FileTree | None) -> ClassNames | None:
    """The names of a file that is given, else those of the usual file of a data set; None = there is none.

    Args:
        place: of the file, on disk or in a .zip ("set.zip/classes.txt").
        tree: the data set.

    Raises:
        ManifestError: the file can't be read, or holds no names, see `parse_class_names`.
    """
    if place:
        return parse_class_names(_read(place, "classes"), source=str(place))
    name = None if tree is None else find_class_file(tree)
    if tree is None or name is None:
        return None
    return parse_class_names(tree.read(name), source=f"{tree.place}/{name}")


def read_palette(place: str) -> Palette:
    """The colours of a file, on disk or in a .zip.

    Raises:
        ManifestError: the file can't be read, or holds no colours, see `parse_palette`.
    """
    return parse_palette(_read(place, "palette"), source=place)


def _read(place: str, setting: str) -> bytes:
    archive = archive_of(place)
    if archive is None:
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise ManifestError(
                f"data.{setting}={place} can't be read ({error.strerror or error}); correct the path"
            ) from error
    inner = Path(place).relative_to(archive).as_posix()
    tree = next((tree for tree in trees_within(open_tree(archive)) if tree.find(inner) is not None), None)
    if tree is None:
        raise ManifestError(f"data.{setting}={place}: {archive} has no {inner}; correct the path")
    return tree.read(inner)
