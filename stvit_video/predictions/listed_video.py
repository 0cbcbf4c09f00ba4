"""One video that is to be predicted, as the user named it and as it is read."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.data.manifests.manifest import VideoRecord

Key = tuple[str, float | None, float | None]
NUMBER = (int, float, type(None))


class ListedVideo(NamedTuple):
    """A video, or a segment of one.

    Attributes:
        name: as the command line, the list or standard input has it; a video of a folder begins with the folder's name.
        path: the file, relative to the working folder or absolute.
        start_seconds: begin of the segment; None = begin of the file.
        end_seconds: end of the segment; None = end of the file.
        is_picture: whether it is read as a picture.
    """

    name: str
    path: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    is_picture: bool = False

    @property
    def key(self) -> Key:
        """What tells it from others: equal names in other folders are other videos."""
        return os.path.abspath(self.path), self.start_seconds, self.end_seconds

    @property
    def has_segment(self) -> bool:
        """Whether it is a part of a file."""
        return self.start_seconds is not None or self.end_seconds is not None

    @property
    def title(self) -> str:
        """Its name, with the segment where it has one, such as "a.mp4#t=2,7.5"."""
        if not self.has_segment:
            return self.name
        end = "" if self.end_seconds is None else f"{self.end_seconds:g}"
        return f"{self.name}#t={self.start_seconds or 0:g},{end}"

    def record(self) -> VideoRecord:
        """What the engine reads; its label is not looked at."""
        return VideoRecord(
            path=Path(self.path),
            label=0,
            video_id=self.title,
            start_seconds=self.start_seconds,
            end_seconds=self.end_seconds,
            is_picture=self.is_picture,
        )

    def stored(self) -> list[Any]:
        """Its values as JSON has them, with the absolute path."""
        return [self.name, *self.key, self.is_picture]

    @classmethod
    def of_stored(cls, values: Sequence[Any]) -> "ListedVideo":
        """The inverse of `stored`.

        Raises:
            ValueError: the values are not those of a video.
        """
        kinds: tuple[tuple[type, ...], ...] = ((str,), (str,), NUMBER, NUMBER, (bool,))
        if len(values) != len(kinds) or not all(isinstance(x, kind) for x, kind in zip(values, kinds, strict=True)):
            raise ValueError(f"{values!r} is no listed video")
        return cls(*values)
