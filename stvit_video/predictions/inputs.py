"""The videos that the words of a command line stand for: files, folders, patterns, lists, names from standard input."""

import glob
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from stvit_video.data.manifests.csv_rows import read_rows, read_segment
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.picture_endings import IMAGE_EXTENSIONS, is_picture_file
from stvit_video.data.manifests.video_endings import describe_endings, is_video_file
from stvit_video.predictions.folder_search import Search, endings_near, search_folder, search_pattern
from stvit_video.predictions.listed_video import Key, ListedVideo
from stvit_video.utils.addresses import is_address
from stvit_video.utils.written_paths import PathFinder, on_disk, shortened, windows_way

STANDARD_INPUT = "-"
LISTS = (".csv", ".txt")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoList:
    """What is to be predicted.

    Attributes:
        videos: each once, in the order of the words; those of a folder or pattern are sorted.
        notices: sentences on what was left out.
    """

    videos: tuple[ListedVideo, ...]
    notices: tuple[str, ...]


def read_inputs(words: Sequence[str], *, of_pictures: bool = False, names: BinaryIO | None = None) -> VideoList:
    """Find the videos that words stand for.

    A folder is searched deeply for the endings of videos. A word with *, ? or [ is a pattern, unless a file has just
    that name. A .csv with a column path (optionally start_seconds, end_seconds) and a .txt with a name a line are
    lists, whose names start from their folder. "-" is names from standard input, a line each, or with NUL between.
    Any other file is taken, whatever its ending. A file that is not there is listed, so that its row can say so.

    Args:
        words: as the command line has them.
        of_pictures: True = folders are searched for pictures, and pictures are read as such.
        names: where "-" reads; None = standard input.

    Raises:
        ValueError: a word stands for no video, or not one of the videos is there.
        ManifestError: a list is faulty.
    """
    gathering = _Gathering(of_pictures, names)
    for word in words:
        gathering.take(word)
    if not gathering.videos:
        raise ValueError("no videos are named; name files, folders, patterns, lists, or - for standard input")
    if not gathering.is_any_there:
        first = gathering.videos[0].path
        raise ValueError(
            f"{_not_one(len(gathering.videos))} there, first: {shortened(ascii(first))}{windows_way(first)}; "
            "correct the names"
        )
    return VideoList(tuple(gathering.videos), tuple(gathering.notices()))


@dataclass
class _Gathering:
    of_pictures: bool
    standard_input: BinaryIO | None
    videos: list[ListedVideo] = field(default_factory=list)
    is_any_there: bool = False
    left_out: Search = field(default_factory=Search)
    doubles: list[str] = field(default_factory=list)
    _seen: set[Key] = field(default_factory=set)
    _real_folders: dict[str, str] = field(default_factory=dict)

    def take(self, word: str) -> None:
        """Add what one word stands for."""
        if word == STANDARD_INPUT:
            self._take_names(self._read_names(), folder="", source="standard input")
            return
        if is_address(word):
            raise ValueError(f"{word} is an address, and files are read here; copy or mount it and give its path")
        path = os.fspath(on_disk(word))
        if os.path.isdir(path):
            self._take_folder(word if os.path.isdir(word) else path)
        elif os.path.lexists(path):
            self._take_file(word, path)
        elif glob.has_magic(word):
            self._take_pattern(word)
        elif self._is_wanted(word):
            self._add(word, path, is_there=False)
        else:
            raise ValueError(
                f"there is no file or folder {shortened(ascii(word))}{windows_way(word)}; correct the name"
            )

    def notices(self) -> list[str]:
        """What was left out, in sentences."""
        found = [self.left_out.notice()]
        if self.doubles:
            count, first = len(self.doubles), self.doubles[0]
            verb = "names are of a video that is" if count > 1 else "name is of a video that is"
            found.append(f"{count} {verb} listed already, and predicted once (first: {first})")
        return [notice for notice in found if notice]

    def _take_file(self, name: str, path: str) -> None:
        if Path(path).suffix.lower() in LISTS:
            self._take_list(path)
        else:
            self._add(name, path)

    def _take_folder(self, folder: str) -> None:
        found = search_folder(folder, self._is_wanted)
        self.left_out.add(found)
        for path in found.files:
            self._add(path, path)
        if not found.files:
            count = len(found.others)
            there = f": of its files {describe_endings(found.others)}" if count else ", it is empty"
            raise ValueError(
                f"the folder {folder} holds no {self._kind}{there}; {self._endings}, or give a list "
                "(.csv or .txt) or a pattern, which take any ending"
            )

    def _take_pattern(self, pattern: str) -> None:
        found = search_pattern(pattern, self._is_wanted)
        self.left_out.add(found)
        for path in found.files:
            self._take_file(path, path)
        if not found.files:
            there = describe_endings(found.others) if found.others else endings_near(pattern)
            raise ValueError(f"the pattern {pattern!r} finds no {self._kind} ({there}); correct it")

    def _take_list(self, path: str) -> None:
        folder = os.path.dirname(path)
        if path.lower().endswith(".csv"):
            self._take_csv(Path(path), folder)
            return
        try:
            text = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
        except OSError as error:
            raise ManifestError(f"{path} can't be read ({error.strerror or error}); check the file") from error
        self._take_names(_names_in(text), folder=folder, source=path)

    def _take_csv(self, path: Path, folder: str) -> None:
        faults = Faults(path)
        rows = read_rows(path, needed=("path",), faults=faults)
        listed = []
        for row in rows:
            name = row.fields["path"].strip()
            if not name:
                faults.add(row.line, "the path is empty; name the file")
            span = read_segment(row, start_column="start_seconds", end_column="end_seconds", faults=faults)
            listed.append((name, *span))
        faults.raise_if_any()
        self._take_listed(listed, folder=folder, source=str(path))

    def _take_names(self, names: Iterable[str], *, folder: str, source: str) -> None:
        self._take_listed([(name, None, None) for name in names], folder=folder, source=source)

    def _take_listed(
        self, listed: Sequence[tuple[str, float | None, float | None]], *, folder: str, source: str
    ) -> None:
        if not listed:
            raise ValueError(f"{source} names no video; it must have one name a line")
        finder = PathFinder(folder)
        for name, start, end in listed:
            path = finder.find(name)
            written = os.path.join(folder, name)
            self._add(name, written if path is None else os.fspath(path), start, end, is_there=path is not None)
        if notice := finder.notice():
            _log.warning("%s: %s", source, notice)

    def _read_names(self) -> list[str]:
        if self.standard_input is None and sys.stdin is not None and sys.stdin.isatty():
            print("reading names from the terminal, a line each; Ctrl-D ends them", file=sys.stderr, flush=True)
        stream = self.standard_input or getattr(sys.stdin, "buffer", None)
        return _names_in(stream.read()) if stream is not None else []

    def _add(
        self, name: str, path: str, start: float | None = None, end: float | None = None, *, is_there: bool = True
    ) -> None:
        self.is_any_there |= is_there
        key = (self._real(path), start, end)
        if key in self._seen:
            self.doubles.append(name)
            return
        self._seen.add(key)
        self.videos.append(ListedVideo(name, path, start, end, self.of_pictures and is_picture_file(path)))

    def _real(self, path: str) -> str:
        """The path without links; each folder is looked up once."""
        folder, name = os.path.split(os.path.abspath(path))
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        real = os.path.join(self._real_folders[folder], name)
        return os.path.realpath(real) if os.path.islink(real) else real

    def _is_wanted(self, path: str) -> bool:
        return is_picture_file(path) if self.of_pictures else is_video_file(path)

    @property
    def _kind(self) -> str:
        return "pictures" if self.of_pictures else "videos"

    @property
    def _endings(self) -> str:
        usual = ", ".join(IMAGE_EXTENSIONS) if self.of_pictures else "that of their container, such as .mp4"
        return f"give them an ending of {self._kind} ({usual})"


def _names_in(content: bytes) -> list[str]:
    """Names that are parted by NUL where there is one, else by lines; empty ones are passed over."""
    parts = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [os.fsdecode(part) for part in parts if part.strip()]


def _not_one(count: int) -> str:
    return f"not one of the {count} videos is" if count > 1 else "the video is not"
