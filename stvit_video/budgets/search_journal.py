"""The journal of a search: what settings said of videos, on the disk as soon as it is known.

Its first line says what is searched: checkpoint, videos, lists of settings and their costs. Every other line holds what
a look at a video gave. A line that was cut short by a kill is taken away, and the same command goes on behind it.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.budgets.video_values import Value
from stvit_video.predictions.disk_writes import no_room_is_told, write_all
from stvit_video.predictions.made_with import describe_differences
from stvit_video.utils.atomic_files import write_text

VERSION = 1
HEAD_KEY = "stvit_video.budget"
SYNC_SECONDS = 5.0  # so much of the work a power cut may cost


class Looked(NamedTuple):
    """What a look at a video gave.

    Attributes:
        values: by the number of the setting.
        error: why the video could not be read; None = it was.
        views_at_once: by the number of a setting whose views did not fit into memory, how many did.
        lost: by the number of a setting that can't be run, why.
    """

    values: Mapping[int, Value]
    error: str | None = None
    views_at_once: Mapping[int, int] = {}
    lost: Mapping[int, str] = {}


class SearchJournal:
    """What was looked at.

    Attributes:
        path: the file.
        searched: what is searched, by names that a user knows.
        costs: GMACs of a video for every combination of settings; None = it can't be run.
        notes: why some can't be run.
        values: of each video, by the number of the setting.
        errors: of videos that could not be read.
        views_at_once: of settings whose views did not fit.
        lost: settings that can't be run.
    """

    def __init__(self, path: Path) -> None:
        """Read one that is there, and cut off what was not written to its end; use `create` or `reopen`.

        Raises:
            ValueError: the file is no journal.
            OSError: it can't be read.
        """
        self.path = path
        self.values: dict[int, dict[int, Value]] = {}
        self.errors: dict[int, str] = {}
        self.views_at_once: dict[int, int] = {}
        self.lost: dict[int, str] = {}
        self._synced = time.monotonic()
        with path.open("rb") as file:
            self._read_head(file.readline())
            end = file.tell()
            for line in file:
                if not self._take(line):
                    break
                end += len(line)
        if path.stat().st_size > end:
            os.truncate(path, end)
        self._file = path.open("ab", buffering=0)

    @classmethod
    def create(
        cls, path: Path, searched: Mapping[str, Any], *, costs: Iterable[float | None], notes: Iterable[str]
    ) -> "SearchJournal":
        """Begin one.

        Raises:
            OSError: it can't be written.
        """
        head = {HEAD_KEY: VERSION, "searched": dict(searched), "costs": list(costs), "notes": list(notes)}
        write_text(path, _line(head).decode("ascii"))
        return cls(path)

    @classmethod
    def reopen(cls, path: Path, searched: Mapping[str, Any]) -> "SearchJournal | None":
        """The journal of a search that was begun, once it is known to be of this one; None = there is none.

        Raises:
            ValueError: it is of another search, whose differences are named; or no journal.
            OSError: it can't be read.
        """
        if not path.exists():
            return None
        journal = cls(path)
        differences = describe_differences(journal.searched, searched)
        if differences:
            journal.close()
            raise ValueError(
                f"the search in {path.parent} was begun with other settings: {differences}; go on with those of then, "
                f"give another out=FOLDER, or delete {path}"
            )
        return journal

    def append(self, video: int, looked: Looked) -> None:
        """Add what a look at a video gave.

        Raises:
            DiskFullError: there is no room; the line is taken away by the next reading.
            OSError: the file can't be written.
        """
        line = _line(_stored(video, looked))
        with no_room_is_told(self.path, kept_in=self.path.name):
            write_all(self._file, line)
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        assert self._take(line)

    def missing(self, video: int, settings: Iterable[int]) -> list[int]:
        """Settings that have not looked at a video; none of one that could not be read."""
        if video in self.errors:
            return []
        known = self.values.get(video, {})
        return [number for number in settings if number not in known and number not in self.lost]

    def close(self) -> None:
        """Bring all lines to the disk and close the file."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _read_head(self, line: bytes) -> None:
        try:
            head = json.loads(line)
            if head[HEAD_KEY] != VERSION:
                raise ValueError(f"its version is {head[HEAD_KEY]}, this program reads {VERSION}")
            self.searched, self.costs, self.notes = dict(head["searched"]), list(head["costs"]), list(head["notes"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path} is no journal of stvit_video.budget, or a damaged one ({error}); give another "
                "out=FOLDER, or delete it"
            ) from error

    def _take(self, line: bytes) -> bool:
        """Note a line; False = it is damaged."""
        try:
            stored = json.loads(line if line.endswith(b"\n") else b"")
            video = int(stored["video"])
            values = {int(number): [float(x) for x in value] for number, value in stored["values"].items()}
            fitted = {int(number): int(count) for number, count in stored.get("views_at_once", {}).items()}
            lost = {int(number): str(reason) for number, reason in stored.get("lost", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        if stored.get("error") is not None:
            self.errors[video] = str(stored["error"])
        self.values.setdefault(video, {}).update(values)
        self.views_at_once.update(fitted)
        self.lost.update(lost)
        return True


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def _stored(video: int, looked: Looked) -> dict[str, Any]:
    stored: dict[str, Any] = {"video": video, "values": {str(key): value for key, value in looked.values.items()}}
    if looked.error is not None:
        stored["error"] = looked.error
    for name in ("views_at_once", "lost"):
        if own := getattr(looked, name):
            stored[name] = {str(key): value for key, value in own.items()}
    return stored
