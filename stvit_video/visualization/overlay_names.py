"""What the drawn pictures and videos are called, and the folder that they go to."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

__all__ = ["ENDINGS", "overlay_names", "prepare_folder", "remove_empty"]

ENDINGS = (".mp4", ".jsonl", ".png", ".json")
MAX_NAME_BYTES = 180  # a system allows 255, and a file that is being written has a longer name

Scheme = Callable[[Path], str]


def overlay_names(
    paths: Sequence[str | os.PathLike[str]], *, folder: Path, endings: Sequence[str] = ENDINGS
) -> list[str]:
    """A name without ending for the results of each file; no two results are equal, not even where case is ignored.

    The name is that of the file without its ending. Files that share it get the ending behind it (a_jpg), or the
    folder before it (left_a), or both; in the end a number.

    Args:
        paths: files, each once.
        folder: where the results go.
        endings: of the results of a file, behind its name.

    Raises:
        ValueError: a result would be written over one of the files.
    """
    files = [Path(path).absolute() for path in paths]
    groups: dict[str, list[int]] = {}
    for place, file in enumerate(files):
        groups.setdefault(_same(file.stem), []).append(place)
    names = [""] * len(files)
    taken: set[str] = set()
    for places in sorted(groups.values(), key=len):  # names that stay as they are come first
        scheme = _distinct_scheme([files[place] for place in places])
        for place in places:
            names[place] = _free_name(scheme(files[place]), taken, endings)
            taken |= _results(names[place], endings)
    _check_sources(files, names, folder, endings)
    return names


def prepare_folder(folder: Path) -> list[Path]:
    """Make the folder of the results where it is missing.

    Returns:
        The folders that were made, the innermost one first.

    Raises:
        ValueError: it is a file, or can't be made or written.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out={folder} is a file; give a folder")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.part"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"the folder {folder} can't be made or written ({error.strerror}); give another out="
        ) from error
    return made


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders as far as they are empty.

    Args:
        folders: the innermost one first.
    """
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _distinct_scheme(files: Sequence[Path]) -> Scheme:
    """The shortest way to name these files by which all names differ."""
    if len(files) == 1:
        return partial(_named, num_folders=0, has_ending=False)
    depth = max(len(file.parts) for file in files)
    counts = [(0, True), *((count, has_ending) for count in range(1, depth) for has_ending in (False, True))]
    for num_folders, has_ending in counts:
        scheme = partial(_named, num_folders=num_folders, has_ending=has_ending)
        if len({_same(scheme(file)) for file in files}) == len(files):
            return scheme
    return scheme  # a file that is named twice; a number tells the names apart


def _named(file: Path, *, num_folders: int, has_ending: bool) -> str:
    """The name with so many of the folders before it, and with its ending or not."""
    name = f"{file.stem}_{file.suffix[1:]}" if has_ending and file.suffix else file.stem
    folders = file.parent.parts[1:]
    return "_".join([*folders[len(folders) - min(num_folders, len(folders)) :], name])


def _free_name(name: str, taken: set[str], endings: Sequence[str]) -> str:
    name = _cut(name)
    numbered, number = name, 1
    while _results(numbered, endings) & taken:
        number += 1
        numbered = f"{name}_{number}"
    return numbered


def _results(name: str, endings: Sequence[str]) -> set[str]:
    """What the results of a file may be called, as names are compared."""
    return {_same(f"{name}{ending}") for ending in endings}


def _cut(name: str) -> str:
    """The name, or its beginning where it is too long for a file."""
    content = os.fsencode(name)
    return name if len(content) <= MAX_NAME_BYTES else content[:MAX_NAME_BYTES].decode("utf-8", errors="ignore")


def _same(name: str) -> str:
    """What is equal for names that a system may take for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _check_sources(files: Sequence[Path], names: Sequence[str], folder: Path, endings: Sequence[str]) -> None:
    sources = {_same(os.path.realpath(file)): file for file in files}
    for name in names:
        for ending in endings:
            source = sources.get(_same(os.path.realpath(folder / f"{name}{ending}")))
            if source is not None:
                raise ValueError(
                    f"a result would be written over {source}, which is to be predicted; give an out= that is not the "
                    "folder of the pictures and videos"
                )
