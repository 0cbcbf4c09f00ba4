"""From a list of segments to the files that hold them, each to be read once."""

from dataclasses import dataclass
from pathlib import Path

from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime

__all__ = ["ListedStream", "listed_streams"]


@dataclass(frozen=True)
class ListedStream:
    """A file with its listed segments.

    Attributes:
        path: where it is.
        name: as the list writes it.
        records: of the list, in its order.
        classes: label names of the list.
    """

    path: Path
    name: str
    records: tuple[VideoRecord, ...]
    classes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether a row of it has no times, so that its label is that of the whole file."""
        return any((record.start_seconds, record.end_seconds) == (None, None) for record in self.records)

    def truth(self, *, length_seconds: float) -> LabelledTime:
        """What is labelled; a segment ends with the file at the latest, and one that begins behind it is left out.

        Args:
            length_seconds: of the file.
        """
        segments = []
        for record in self.records:
            start, end = record.start_seconds or 0.0, _end_of(record, length_seconds)
            if start < length_seconds:
                names: list[str | None] = [self.classes[label] for label in record.labels]
                segments += [LabelledSegment(name, start, end) for name in names or [None]]
        return LabelledTime.of(segments)

    def beyond(self, *, length_seconds: float, slack_seconds: float) -> list[str]:
        """A sentence for each segment that `truth` leaves out or cuts.

        Args:
            length_seconds: of the file.
            slack_seconds: an end that is no more than that beyond the file's is as good as the same.
        """
        found = []
        for record in self.records:
            if (record.start_seconds or 0.0) >= length_seconds:
                found.append(
                    f"{self._row(record)} begins behind the end of the video, which lasts {length_seconds:.2f} s; it "
                    "is left out"
                )
            elif record.end_seconds is not None and record.end_seconds > length_seconds + slack_seconds:
                found.append(f"{self._row(record)} is cut at the end of the video, {length_seconds:.2f} s")
        return found

    def _row(self, record: VideoRecord) -> str:
        """Path, labels, start and end, much as the list writes them."""
        times = ["" if one is None else f"{one:g}" for one in (record.start_seconds, record.end_seconds)]
        return ",".join([self.name, "|".join(self.classes[label] for label in record.labels), *times])


def listed_streams(manifest: Manifest) -> list[ListedStream]:
    """The files of a list, each once, in its order.

    Raises:
        ValueError: a picture, or a video in an archive.
    """
    found: dict[str, list[VideoRecord]] = {}
    for record in manifest.records:
        if record.member:
            raise ValueError(
                f"{record.place} is in an archive, and stream=true reads files; unpack it, and name the files in a csv"
            )
        if record.is_picture:
            raise ValueError(f"{record.place} is a picture, and stream=true reads videos; leave pictures out")
        found.setdefault(record.place, []).append(record)
    return [
        ListedStream(records[0].path, _name_of(records[0]), tuple(records), manifest.classes)
        for records in found.values()
    ]


def _end_of(record: VideoRecord, length_seconds: float) -> float:
    return length_seconds if record.end_seconds is None else min(record.end_seconds, length_seconds)


def _name_of(record: VideoRecord) -> str:
    """The path as the list writes it, without the times of a segment."""
    is_segment = (record.start_seconds, record.end_seconds) != (None, None)
    return record.video_id.rpartition("#t=")[0] if is_segment else record.video_id
