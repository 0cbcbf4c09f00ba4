"""The files of a data set, on disk or in a .zip, under one set of names."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.zip_members import list_members
from stvit_video.utils.written_paths import PathFinder

MAX_LIST_BYTES = 2**32  # of a list in an archive, unpacked; that of COCO has 450 million
ARCHIVE_ENDING = ".zip"


class Located(NamedTuple):
    """Where a file is: on disk, or as a member of an archive, see `VideoRecord`."""

    path: Path
    member: str = ""
    byte_range: tuple[int, int] | None = None


class FileTree(Protocol):
    """Files by names with "/" between folders."""

    @property
    def place(self) -> Path:
        """The folder, or the archive."""

    def find(self, name: str) -> Located | None:
        """Where a file is; None = it is not there in any form of its name."""

    def below(self, folder: str) -> "FileTree":
        """The files of a folder, by names that begin in it."""

    def names(self, folder: str = "") -> list[str]:
        """The names of all files in a folder, sorted; those of deeper folders are left out."""

    def all_names(self) -> list[str]:
        """The names of all files, those in deeper folders included, sorted; hidden ones are left out."""

    def folders(self) -> list[str]:
        """The names of the folders at the top, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of a file that `find` finds.

        Raises:
            ManifestError: it can't be read.
        """


class FolderTree:
    """The files of a folder on disk.

    Args:
        place: the folder.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._finder = PathFinder(place)
        self._seen: dict[str, frozenset[str]] = {}

    def find(self, name: str) -> Located | None:
        """Where a file is; each folder is listed once, which is quicker than to ask for each of many files."""
        folder, _, own = name.rpartition("/")
        if own in self._files(folder):
            return Located(self.place / name)
        found = self._finder.find(name)
        return None if found is None else Located(found)

    def below(self, folder: str) -> "FolderTree":
        """The files of a folder in this one."""
        return FolderTree(self.place / folder) if folder else self

    def names(self, folder: str = "") -> list[str]:
        """The names of the files in a folder."""
        return sorted(self._files(folder))

    def all_names(self) -> list[str]:
        """The names of the files in this folder and all below."""
        found = []
        for where, folders, files in os.walk(self.place, followlinks=True):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(where).relative_to(self.place).as_posix()
            found += [name if below == "." else f"{below}/{name}" for name in files if not name.startswith(".")]
        return sorted(found)

    def folders(self) -> list[str]:
        """The names of the folders in this one."""
        return sorted(entry.name for entry in self.place.iterdir() if entry.is_dir())

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        found = self.find(name)
        try:
            if found is None:
                raise FileNotFoundError(2, os.strerror(2))
            return found.path.read_bytes()
        except OSError as error:
            raise ManifestError(f"{self.place / name} can't be read ({error.strerror or error})") from error

    def _files(self, folder: str) -> frozenset[str]:
        if folder not in self._seen:
            try:
                with os.scandir(self.place / folder) as entries:
                    self._seen[folder] = frozenset(entry.name for entry in entries if entry.is_file())
            except (OSError, ValueError):  # not there, or no name of a file
                self._seen[folder] = frozenset()
        return self._seen[folder]


@dataclass(frozen=True)
class ArchiveTree:
    """The files in a .zip.

    Attributes:
        place: the archive.
        members: name -> first byte and how many, of all its files.
        base: what the names of the tree's files begin with: "", or a folder and "/".
    """

    place: Path
    members: dict[str, tuple[int, int]]
    base: str = ""

    def find(self, name: str) -> Located | None:
        """Where a file is."""
        ways = (self.base + text for text in (name, name.replace("\\", "/").removeprefix("./")))
        member = next((text for text in ways if text in self.members), None)
        return None if member is None else Located(self.place, member, self.members[member])

    def below(self, folder: str) -> "ArchiveTree":
        """The files of a folder in this one."""
        return ArchiveTree(self.place, self.members, f"{self.base}{folder}/" if folder else self.base)

    def names(self, folder: str = "") -> list[str]:
        """The names of the files in a folder."""
        return sorted(name for name in self._below(f"{folder}/" if folder else "") if "/" not in name)

    def all_names(self) -> list[str]:
        """The names of the files in this folder and all below, without what macOS adds."""
        return sorted(name for name in self._below("") if not name.startswith(("__MACOSX/", ".")) and "/." not in name)

    def folders(self) -> list[str]:
        """The names of the folders in this one, without what macOS adds."""
        return sorted({name.partition("/")[0] for name in self._below("") if "/" in name} - {"__MACOSX"})

    def read(self, name: str) -> bytes:
        """The bytes of a file, its checksum compared."""
        found = self.find(name)
        assert found is not None, name
        try:
            with zipfile.ZipFile(self.place) as archive:
                size = archive.getinfo(found.member).file_size
                if size > MAX_LIST_BYTES:
                    raise ManifestError(f"{self.place}: {found.member} has {size} bytes, at most {MAX_LIST_BYTES} fit")
                return archive.read(found.member)
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            raise ManifestError(f"{self.place}: {found.member} can't be read ({error})") from error

    def _below(self, folder: str) -> Iterator[str]:
        base = self.base + folder
        return (name[len(base) :] for name in self._sorted if name.startswith(base))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.members)


def open_tree(place: str | os.PathLike[str]) -> FileTree:
    """The files of a folder, or of a .zip; of an archive with one folder at its top those in it, too.

    Raises:
        ManifestError: it is not there, or is neither.
    """
    path = Path(place)
    if path.is_dir():
        return FolderTree(path)
    if not path.exists():
        raise ManifestError(f"there is no folder or {ARCHIVE_ENDING} {path}; correct the path")
    return ArchiveTree(path, dict(list_members(path)))


def open_place(place: str | os.PathLike[str]) -> FileTree:
    """The files of a folder, of a .zip, or of a folder in a .zip: "set.zip/images/train".

    Raises:
        ManifestError: it is not there, or is neither.
    """
    archive = archive_of(place)
    if archive is None:
        return open_tree(place)
    inner = Path(place).relative_to(archive).as_posix()
    found = [part for tree in trees_within(open_tree(archive)) if (part := tree.below(inner)).all_names()]
    if not found:
        raise ManifestError(f"{archive} holds no files in a folder {inner}; correct the path")
    return found[0]


def archive_of(place: str | os.PathLike[str]) -> Path | None:
    """The .zip that a path goes into; None = it goes into none."""
    above = Path(place).parents
    return next((path for path in above if path.suffix.lower() == ARCHIVE_ENDING and path.is_file()), None)


def trees_within(tree: FileTree) -> list[FileTree]:
    """The tree, and those of its folder where it is an archive with one folder at the top, and nothing beside it."""
    folders: list[str] = tree.folders() if isinstance(tree, ArchiveTree) else []
    return [tree, tree.below(folders[0])] if len(folders) == 1 and not tree.names() else [tree]
