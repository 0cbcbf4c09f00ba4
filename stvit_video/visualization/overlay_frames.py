"""A video with what was found in its frames: NAME.mp4 to look at, NAME.jsonl to work with."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import Video, open_video
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.visualization.kept_files import kept_on_error
from stvit_video.visualization.overlay_files import FULL_ADVICE
from stvit_video.visualization.video_writer import VideoWriter, video_writer

__all__ = ["Drawing", "Find", "OverlayOutcome", "overlay_frames"]

Find = Callable[[Sequence[np.ndarray]], Sequence[Mapping[str, Any]]]
MAX_CHUNK_BYTES = 2**27  # of frames in memory
SECONDS_DIGITS = 6


class Drawing(Protocol):
    """How what was found in a frame is shown and told."""

    def draw(self, frame: np.ndarray, found: Mapping[str, Any]) -> np.ndarray:
        """The frame (H, W, 3) uint8 with what was found, as a new array of the same size."""
        ...

    def record(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The entries of its line of JSON."""
        ...


@dataclass(frozen=True)
class OverlayOutcome:
    """What was made of a video.

    Attributes:
        video_path: NAME.mp4.
        lines_path: NAME.jsonl.
        num_frames: that were written.
        num_listed: frames of the source.
        error: why the frames after those can't be read; "" = all were written.
        notes: sentences on what differs from the source.
    """

    video_path: Path
    lines_path: Path
    num_frames: int
    num_listed: int
    error: str
    notes: tuple[str, ...]


def overlay_frames(
    source: str | os.PathLike[str],
    find: Find,
    drawing: Drawing,
    *,
    folder: Path,
    name: str,
    every: int = 1,
    batch_size: int = 8,
    report: Callable[[int], object] = lambda num_frames: None,
) -> OverlayOutcome:
    """Draw what is found in every frame.

    The .mp4 has the size, the rate and the time stamps of the source, and no sound. The .jsonl has a line for each
    frame that was looked at: "frame", "seconds" (from the first frame), "drawn_until_frame" (the last frame that shows
    what was found in it) and the entries of `Drawing.record`. When the work is stopped or a frame can't be read, both
    files hold the frames until then.

    Args:
        source: the video.
        find: takes frames (H, W, 3) uint8, in the order of the video, and gives for each what `drawing` takes.
        drawing: shows it.
        folder: where the files go; it must exist.
        name: of the files, without ending.
        every: 1 = look at every frame, 5 = at every fifth; what is found stays drawn until the next one of these.
        batch_size: frames in one call of `find`, at most.
        report: called with the number of frames that were finished since the last call.

    Raises:
        ValueError: `every` or `batch_size` below 1, `find` gives another number than it got, or of `drawing`.
        DecodeError: the video can't be opened, or not even its first frame can be read; no file is written.
        DiskFullError: there is no room; the .mp4 is deleted, since it can't be finished.
        OSError: a file can't be written.
    """
    for setting, value in (("every", every), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{setting} must be at least 1, got {value}")
    video_path, lines_path = folder / f"{name}.mp4", folder / f"{name}.jsonl"
    with (
        open_video(source) as video,
        full_disk_is_told(lines_path, advice=FULL_ADVICE),
        kept_on_error(lines_path) as lines_part,
        lines_part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as lines,
        full_disk_is_told(video_path, advice=FULL_ADVICE),
        kept_on_error(video_path) as video_part,
        video_writer(
            video_part, height=video.height, width=video.width, times=video.times, pixel_aspect=video.pixel_aspect
        ) as writer,
    ):
        work = _Work(video, find, drawing, writer, lines, every)
        error = ""
        try:
            for count in work.chunks(batch_size):
                report(count)
        except DecodeError as cause:
            if not writer.num_frames:
                raise
            error = str(cause)
        finally:
            if not writer.num_frames:
                lines_part.unlink()  # there is nothing to keep
        notes = (*writer.notes, *_scaled_frames(video))
        return OverlayOutcome(video_path, lines_path, writer.num_frames, video.num_frames, error, notes)


@dataclass
class _Work:
    """The frames of one video, from reading to writing."""

    video: Video
    find: Find
    drawing: Drawing
    writer: VideoWriter
    lines: IO[str]
    every: int
    shown: Mapping[str, Any] | None = None  # what was found in the last frame that was looked at

    def chunks(self, batch_size: int) -> Iterator[int]:
        """Do the work, chunk by chunk: how many frames each had."""
        frame_bytes = max(self.video.height * self.video.width * 3, 1)
        size = max(min(batch_size * self.every, MAX_CHUNK_BYTES // frame_bytes), 1)
        for start in range(0, self.video.num_frames, size):
            positions = range(start, min(start + size, self.video.num_frames))
            for part, frames in self._read(positions):
                self._take(part, frames)
                yield len(part)

    def _read(self, positions: range) -> Iterator[tuple[range, np.ndarray]]:
        """The frames, (n, H, W, 3); where one of them can't be read, each of those before it by itself."""
        try:
            frames = self.video.read(positions)
        except DecodeError:
            for position in positions:
                yield range(position, position + 1), self.video.read([position])
            return
        yield positions, frames

    def _take(self, positions: range, frames: np.ndarray) -> None:
        looked_at = [place for place, position in enumerate(positions) if position % self.every == 0]
        found = list(self.find([frames[place] for place in looked_at])) if looked_at else []
        if len(found) != len(looked_at):
            raise ValueError(f"find got {len(looked_at)} frames and gave {len(found)} results; it must give one each")
        results = dict(zip(looked_at, found, strict=True))
        for place, position in enumerate(positions):
            if place in results:
                self.shown = results[place]
                self._write_line(position)
            assert self.shown is not None  # the first frame is looked at
            self.writer.write(self.drawing.draw(frames[place], self.shown))
        self.lines.flush()

    def _write_line(self, position: int) -> None:
        assert self.shown is not None
        line = {
            "frame": position,
            "seconds": round(float(self.video.times.seconds[position]), SECONDS_DIGITS),
            "drawn_until_frame": min(position + self.every, self.video.num_frames) - 1,
            **self.drawing.record(self.shown),
        }
        self.lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def _scaled_frames(video: Video) -> list[str]:
    if not video.other_sizes:
        return []
    sizes = ", ".join(f"{width}x{height}" for width, height in sorted(video.other_sizes))
    return [f"the size of the pictures changes: those of {sizes} are scaled to {video.width}x{video.height}"]
