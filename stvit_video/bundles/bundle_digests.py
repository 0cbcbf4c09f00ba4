"""Digests of the files of a folder: which files there are, and whether they are as they were written."""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

CHUNK_BYTES = 2**20


def digests_of(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """SHA-256 of every file in a folder and its subfolders.

    Args:
        folder: that is read.
        without: relative names that are left out.

    Returns:
        {relative name with "/" between folders: 64 hex digits}, sorted by name.

    Raises:
        OSError: a file can't be read.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    return {name: _digest(folder / name) for name in names if name not in without}


def digest_faults(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """A few words for every listed file that is missing, changed or outside of the folder; other files may be there.

    Args:
        folder: that the names start in.
        digests: as `digests_of` gives them.

    Raises:
        OSError: a file can't be read.
    """
    return [f"{name} {fault}" for name, digest in digests.items() if (fault := _fault(folder, name, digest))]


def is_within(name: str) -> bool:
    """Whether a relative name leads to a place within its folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _fault(folder: Path, name: str, digest: str) -> str:
    if not is_within(name):
        return "lies outside of the folder"
    if not (folder / name).is_file():
        return "is missing"
    return "" if _digest(folder / name) == digest else "was changed"


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
