"""Videos in a folder and the folders in it, or those that a pattern names; what is left out is told by ending."""

import glob
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stvit_video.data.manifests.video_endings import describe_endings

IsWanted = Callable[[str], bool]  # of a file's path


@dataclass
class Search:
    """What a search has found.

    Attributes:
        files: that are wanted, in order.
        others: files with other endings.
        hidden: files and folders whose names begin with a dot, such as the "._a.mp4" that a Mac leaves.
        closed: folders that can't be read.
    """

    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def add(self, found: "Search") -> None:
        """Put another search behind this one."""
        self.files += found.files
        self.others += found.others
        self.hidden += found.hidden
        self.closed += found.closed

    def notice(self) -> str:
        """What was left out, in a sentence; "" = nothing."""
        others, hidden, closed = (list(dict.fromkeys(paths)) for paths in (self.others, self.hidden, self.closed))
        parts = []
        if others:
            parts.append(f"{_count(others, 'file')} of other endings ({describe_endings(others)})")
        if hidden:
            parts.append(f"{len(hidden)} hidden (first: {hidden[0]})")
        if closed:
            parts.append(f"{_count(closed, 'folder')} that can't be read (first: {closed[0]})")
        return f"left out: {', '.join(parts)}" if parts else ""


def search_folder(folder: str, is_wanted: IsWanted) -> Search:
    """Search a folder and all folders in it, linked ones too, each once.

    Args:
        folder: found files begin with it.
        is_wanted: True = a file of this path is one.

    Returns:
        Its files are sorted by path.
    """
    found = Search()
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            status = os.stat(place)
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                waiting += _search_one(place, is_wanted, found)
        except OSError:
            found.closed.append(place)
    found.files.sort()
    return found


def _search_one(place: str, is_wanted: IsWanted, found: Search) -> list[str]:
    """Note the files of one folder; gives the folders in it."""
    folders = []
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                found.hidden.append(entry.path)
            elif _is_folder(entry):
                folders.append(entry.path)
            elif is_wanted(entry.path):
                found.files.append(entry.path)
            else:
                found.others.append(entry.path)
    return folders[::-1]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def search_pattern(pattern: str, is_wanted: IsWanted) -> Search:
    """Files of a pattern with *, ?, [...] and ** (folders of any depth); folders that it names are searched, too.

    A pattern that says the ending, such as "clips/*.dat", takes files of any; one that does not takes wanted ones.
    """
    found = Search()
    says_ending = _says_ending(pattern)
    for path in sorted(set(glob.glob(pattern, recursive=True))):
        if os.path.isdir(path):
            if "**" not in pattern:  # which goes into the folders itself
                found.add(search_folder(path, is_wanted))
        elif says_ending or is_wanted(path):
            found.files.append(path)
        else:
            found.others.append(path)
    return found


def endings_near(pattern: str) -> str:
    """What files lie in the folder where a pattern begins, by ending; "" = there are none."""
    parts = Path(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    folder = Path(*parts[:fixed])
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except OSError:
        return f"there is no folder {folder}"
    return f"in {folder} {describe_endings(names)}" if names else f"{folder} holds no files"


def _says_ending(pattern: str) -> bool:
    ending = Path(pattern).suffix
    return len(ending) > 1 and not glob.has_magic(ending)


def _count(names: list[str], word: str) -> str:
    return f"{len(names)} {word}{'s' * (len(names) > 1)}"
