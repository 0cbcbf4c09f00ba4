"""Files as others write their paths: with accents in another encoding, with odd spaces, or the Windows way.

A Mac stores the name "fête.mp4" decomposed (NFD), a list from elsewhere writes it composed (NFC), and Linux takes these
for two names. A folder is asked for its names only where a file is not there as it is written, and once.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from stvit_video.utils.label_text import normal_label

MAX_SHOWN = 300  # characters of a path in a message
_DRIVE_WITHIN = re.compile(r"(?:^|/)(?:[A-Za-z]:[\\/]|\\\\)")  # also behind a folder that was put before it
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")  # C:\, D:/, and \\server\share


class PathFinder:
    r"""Finds files that are written relative to a folder, or absolute.

    As it is written, without the blanks around it, with "/" for "\"; then the same with each name in another form of
    the same text (see `stvit_video.utils.label_text`). Where a folder has several names of that text, the one that
    differs by composition (NFC) alone counts, if it is the only such one.

    Args:
        folder: that relative paths start from.
        is_there: what counts as found.
    """

    def __init__(self, folder: str | os.PathLike[str], *, is_there: Callable[[str], bool] = os.path.isfile) -> None:
        self.folder = os.fspath(folder)
        self.elsewhere: dict[str, str] = {}  # as it is written -> as it is on disk, where that differs
        self._is_there = is_there
        self._names: dict[str, dict[str, list[str]]] = {}  # folder -> the form of a name -> names

    def find(self, written: str) -> Path | None:
        """The file; None = it is not there in any form."""
        if written and self._is_there(os.path.join(self.folder, written)):
            return Path(self.folder, written)
        for text in _ways_to_write(written):
            path = os.path.join(self.folder, text)
            found = path if self._is_there(path) else self._in_another_form(path)
            if found is not None:
                if text != written.strip() or found != path:
                    self.elsewhere[written] = found
                return Path(found)
        return None

    def notice(self) -> str:
        """What to tell of files that have another form of their name on disk; "" = there are none."""
        if not self.elsewhere:
            return ""
        (written, found), *_ = self.elsewhere.items()
        return (
            f"{len(self.elsewhere)} files are not there as they are written, and are read where the same name is in "
            f"another form (accents, spaces, / for \\), first: {shortened(ascii(written))} is {found!a}"
        )

    def _in_another_form(self, path: str) -> str | None:
        place, names = _split(path)
        for name in names:
            here = os.path.join(place, name)
            if not os.path.lexists(here):
                same = self._same_text(place, name)
                if same is None:
                    return None
                here = os.path.join(place, same)
            place = here
        return place if self._is_there(place) else None

    def _same_text(self, place: str, name: str) -> str | None:
        """The name in a folder that is another form of this one."""
        if place not in self._names:
            self._names[place] = _by_form(place)
        names = self._names[place].get(normal_label(name), [])
        composed = unicodedata.normalize("NFC", name)
        equal = [other for other in names if unicodedata.normalize("NFC", other) == composed]
        found = equal or names
        return found[0] if len(found) == 1 else None


def on_disk(path: str | os.PathLike[str]) -> Path:
    """A path that is given to a command in the form that it has on disk; as it is where it is not there in any form."""
    if os.path.lexists(path):
        return Path(path)
    return PathFinder("", is_there=os.path.lexists).find(os.fspath(path)) or Path(path)


def why_absent(written: str, path: str | os.PathLike[str], *, way_out: str) -> str:
    r"""The sentence for a listed file that is not there in any form; of a Windows path it says what to do instead.

    Args:
        written: as the list has it.
        path: where it was looked for.
        way_out: what to do about any other path.
    """
    text = written.strip()
    if os.name == "nt" or not ("\\" in text or _DRIVE.match(text)):
        return f"there is no file {shortened(os.fspath(path))}; {way_out}"
    if _DRIVE.match(text):
        return (
            f"there is no file {shortened(text)}: the path is written the Windows way, with a drive or server, which "
            "this system does not have; write it relative to the folder of the videos, with / between the names, and "
            "give that folder as root=FOLDER"
        )
    return (
        f"there is no file {shortened(os.fspath(path))}, nor one with / for \\; the path is written the Windows way, "
        f"write it with / between the names, and {way_out}"
    )


def windows_way(path: str | os.PathLike[str]) -> str:
    """What to add to the sentence that a file is not there, where its path is a Windows one; else ""."""
    text = os.fspath(path)
    is_drive = bool(_DRIVE_WITHIN.search(text))
    if os.name == "nt" or not (is_drive or "\\" in text):
        return ""
    what = ", with a drive or server, which this system does not have" if is_drive else ""
    return f" (the path is written the Windows way{what}; give it as it is here, with / between the names)"


def shortened(text: str) -> str:
    """A text for a message: of a long one its beginning and length."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"


def _ways_to_write(written: str) -> Iterable[str]:
    """The text as it is, without blanks around it, and each with "/" for "\\"."""
    plain = (written, written.strip())
    return [text for text in dict.fromkeys([*plain, *(text.replace("\\", "/") for text in plain)]) if text]


def _split(path: str) -> tuple[str, list[str]]:
    """Where a path begins, and the names behind that."""
    parts = Path(path).parts
    start = Path(path).anchor
    return start, list(parts[1:] if start else parts)


def _by_form(place: str) -> dict[str, list[str]]:
    """The names in a folder by their form; none where it can't be read."""
    found: dict[str, list[str]] = {}
    try:
        names = os.listdir(place or os.curdir)
    except (OSError, ValueError):
        return found
    for name in names:
        found.setdefault(normal_label(name), []).append(name)
    return found
