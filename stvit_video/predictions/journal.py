"""The journal of a result file: every prediction as a line, on the disk as soon as it is made.

It is the one thing that a killed run leaves behind and that the next one reads: the result files are written from it.
The first line says with what the predictions are made and lists the videos. A prediction is a line; a line that was
cut short by a kill or a power cut is taken away. A third kind of line holds the digest of a finished result file, so
that a file of somebody else is never written over.
"""

import base64
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.disk_writes import file_digest, no_room_is_told, write_all
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.utils.atomic_files import atomically

ENDING = ".journal"
VERSION = 1
HEAD_KEY = "stvit_video.predict"
SYNC_SECONDS = 5.0  # so much of the work a power cut may cost


class Journal:
    """Predictions on the disk, by the number of their video.

    Attributes:
        path: the file.
        made_with: what the predictions depend on, see `made_with`.
        videos: all that are to be predicted, in the order of the result.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Read what is there; use `create` and `read`."""
        self.path = path
        made_with, videos = _head_of(file.readline(), path)
        self.made_with, self.videos = made_with, tuple(videos)
        self._places: dict[int, int] = {}  # number of a video -> where its line begins, in the order of the lines
        self._failed: set[int] = set()
        self._digests: set[str] = set()
        self._end = file.tell()
        self._file: IO[bytes] | None = None
        self._synced = time.monotonic()
        for line in file:
            if not self._take(line):
                break

    @classmethod
    def create(
        cls,
        path: Path,
        made_with: Mapping[str, Any],
        videos: Sequence[ListedVideo],
        *,
        predictions: Iterable[tuple[int, Prediction]] = (),
        digests: Iterable[str] = (),
    ) -> "Journal":
        """Write a new one in one step; one that is there is replaced.

        Args:
            predictions: to begin with, by the number of their video.
            digests: of result files.

        Raises:
            DiskFullError: there is no room.
            OSError: it can't be written.
        """
        head = {HEAD_KEY: VERSION, "made_with": dict(made_with), "videos": [video.stored() for video in videos]}
        lines = (_line(_stored(number, prediction)) for number, prediction in predictions)
        notes = (_line({"result_sha256": digest}) for digest in sorted(digests))
        with no_room_is_told(path, kept_in=path.name), atomically(path) as part, part.open("wb") as file:
            for line in (_line(head), *notes):
                file.write(line)
            for line in lines:
                file.write(line)
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """Read one, and cut off what was not written to its end.

        Raises:
            ValueError: the file is no journal.
            OSError: it can't be read.
        """
        with path.open("rb") as file:
            journal = cls(path, file)
        if path.stat().st_size > journal.num_bytes:
            os.truncate(path, journal.num_bytes)
        return journal

    @property
    def num_bytes(self) -> int:
        """Bytes of its whole lines."""
        return self._end

    @property
    def num_failed(self) -> int:
        """Predictions that are an error."""
        return len(self._failed)

    @property
    def digests(self) -> frozenset[str]:
        """Of the result files that were written from this journal."""
        return frozenset(self._digests)

    def missing(self) -> list[int]:
        """Numbers of the videos without a prediction."""
        return [number for number in range(len(self.videos)) if number not in self._places]

    def has_failed(self, number: int) -> bool:
        """Whether the prediction of a video is an error."""
        return number in self._failed

    def append(self, number: int, prediction: Prediction) -> None:
        """Add the prediction of a video.

        Raises:
            DiskFullError: there is no room; the line is taken away by the next reading.
            OSError: the file can't be written.
        """
        self._append(_stored(number, prediction))

    def note_result(self, path: Path) -> None:
        """Add the digest of a result file that is about to take its place.

        Raises:
            DiskFullError: there is no room.
            OSError: a file can't be read or written.
        """
        self._append({"result_sha256": file_digest(path)})
        self.sync()

    def sync(self) -> None:
        """Bring all lines to the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def close(self) -> None:
        """Bring all lines to the disk and close the file."""
        if self._file is not None:
            try:
                self.sync()
            finally:
                self._file.close()
                self._file = None

    def written(self) -> Iterator[tuple[int, Prediction]]:
        """Predictions with the number of their video, in the order of the lines."""
        return self._read(list(self._places))

    def in_order(self) -> Iterator[tuple[int, Prediction]]:
        """Predictions with the number of their video, in the order of the videos."""
        return self._read(sorted(self._places))

    def _read(self, numbers: Iterable[int]) -> Iterator[tuple[int, Prediction]]:
        with self.path.open("rb") as file:
            for number in numbers:
                file.seek(self._places[number])
                yield number, _prediction(json.loads(file.readline()), self.videos[number])

    def _append(self, values: Mapping[str, Any]) -> None:
        line = _line(values)
        with no_room_is_told(self.path, kept_in=self.path.name):
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            write_all(self._file, line)
            if time.monotonic() - self._synced > SYNC_SECONDS:
                self.sync()
        assert self._take(line)

    def _take(self, line: bytes) -> bool:
        """Note a line that begins at the end; False = it is damaged."""
        try:
            values = json.loads(line if line.endswith(b"\n") else b"")
            if "result_sha256" in values:
                self._digests.add(values["result_sha256"])
            else:
                number = values["video"]
                _prediction(values, self.videos[number])
                self._places[number] = self._end
                (self._failed.add if values["error"] is not None else self._failed.discard)(number)
        except (ValueError, KeyError, TypeError, IndexError):
            return False
        self._end += len(line)
        return True


def _head_of(line: bytes, path: Path) -> tuple[dict[str, Any], list[ListedVideo]]:
    try:
        head = json.loads(line)
        if head[HEAD_KEY] != VERSION:
            raise ValueError(f"its version is {head[HEAD_KEY]}, this program reads {VERSION}")
        return dict(head["made_with"]), [ListedVideo.of_stored(values) for values in head["videos"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no journal of stvit_video.predict, or a damaged one ({error}); give another out=, or delete it"
        ) from error


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def _stored(number: int, prediction: Prediction) -> dict[str, Any]:
    features = prediction.features
    return {
        "video": number,
        "labels": list(prediction.labels),
        "probabilities": [float(value) for value in prediction.probabilities],
        "seconds": None if np.isnan(prediction.seconds) else float(prediction.seconds),
        "error": prediction.error,
        "features": None if features is None else base64.b64encode(features.astype("<f4").tobytes()).decode("ascii"),
    }


def _prediction(values: Mapping[str, Any], video: ListedVideo) -> Prediction:
    features, seconds = values["features"], values["seconds"]
    return Prediction(
        file=Path(video.path),
        labels=tuple(values["labels"]),
        probabilities=tuple(values["probabilities"]),
        seconds=float("nan") if seconds is None else float(seconds),
        error=values["error"],
        features=None if features is None else np.frombuffer(base64.b64decode(features), "<f4"),
    )
