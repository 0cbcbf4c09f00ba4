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

    def truth(self, *, length_seconds: float) -> LabelledTime:
        """What is labelled; a segment without an end goes on to the end of the file.

        Args:
            length_seconds: of the file.

        Raises:
            ValueError: such a segment starts behind the end of the file.
        """
        segments = []
        for record in self.records:
            start = record.start_seconds or 0.0
            end = length_seconds if record.end_seconds is None else record.end_seconds
            names: list[str | None] = [self.classes[label] for label in record.labels]
            segments += [LabelledSegment(name, start, end) for name in names or [None]]
        try:
            return LabelledTime.of(segments)
        except ValueError as error:
            raise ValueError(f"{self.name} lasts {length_seconds:g} s, and {error}") from error


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


def _name_of(record: VideoRecord) -> str:
    """The path as the list writes it, without the times of a segment."""
    is_segment = (record.start_seconds, record.end_seconds) != (None, None)
    return record.video_id.rpartition("#t=")[0] if is_segment else record.video_id
