"""The folders of Pascal VOC, and its lists of pictures."""

from collections.abc import Sequence

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings, doubles, first_of
from stvit_video.data.shards.file_tree import FileTree, open_tree

__all__ = ["find_voc_list", "find_voc_tree", "read_voc_list"]

MAX_DEPTH = 2  # VOCdevkit/VOC2012


def find_voc_tree(place: str, needed: Sequence[str]) -> FileTree:
    """The folder that holds those of VOC, at or below a folder, or in a .zip.

    Args:
        place: the folder or .zip.
        needed: names of the folders that it must hold.

    Raises:
        ManifestError: there is none, or there are several.
    """
    trees = _trees_with(open_tree(place), set(needed), MAX_DEPTH)
    if len(trees) != 1:
        what = f"{len(trees)} times" if trees else "not"
        raise ManifestError(
            f"{place} holds the folders {', '.join(needed)} {what}; give as data.root the one folder that they are in"
        )
    return trees[0]


def find_voc_list(tree: FileTree, folder: str, name: str, *, part: str, place: str) -> str:
    """The file of a list of pictures.

    Args:
        tree: of the data set.
        folder: of the lists, such as ImageSets/Main.
        name: of the list.
        part: "train" or "val", whose list it is.
        place: of the data set, for the message.

    Raises:
        ManifestError: there is no such list.
    """
    lists = [text.removesuffix(".txt") for text in tree.names(folder) if text.endswith(".txt")]
    if name not in lists:
        raise ManifestError(
            f"data.{part}_set={name}: {place} has no list {folder}/{name}.txt; choose one of "
            f"{', '.join(lists[:20]) or 'none, as there is no list'}"
        )
    return f"{folder}/{name}.txt"


def read_voc_list(tree: FileTree, file: str, found: Findings) -> list[str]:
    """The listed names; of a list of one class, which has a second column, all of them.

    Args:
        tree: of the data set.
        file: of the list.
        found: where faults go.
    """
    text = tree.read(file).decode(errors="replace")
    stems = [line.split()[0] for line in text.splitlines() if line.strip()]
    if not stems:
        found.faults.append(f"{file} is empty; list the names of the pictures")
    if twice := doubles(stems):
        found.faults.append(f"{len(twice)} pictures are listed more than once, {first_of(twice)}; list each once")
    return stems


def _trees_with(tree: FileTree, needed: set[str], depth: int) -> list[FileTree]:
    """The folders at or below `tree` that hold those that are needed."""
    folders = tree.folders()
    if needed <= set(folders):
        return [tree]
    return [found for name in folders if depth for found in _trees_with(tree.below(name), needed, depth - 1)]
