"""Pictures to an .mp4 that players can show: same size, rate and time stamps as the video that they are from."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.data.sampling.frame_times import FrameTimes

__all__ = ["VideoWriter", "video_writer"]

# of these the first that PyAV was built with; without B-frames, so that packets stand in the order of display
CODECS = {
    "libx264": {"crf": "20", "preset": "veryfast", "bf": "0"},
    "mpeg4": {"q": "3"},
}
BT601, LIMITED_RANGE = 6, 1  # how ffmpeg makes YUV of RGB; unsaid, players take HD pictures for BT.709
TICKS = 60_000  # a second, of a variable rate: MPEG-4 allows no more than 65,535
MAX_DENOMINATOR = 1001  # of a constant rate, such as 30000 / 1001
RATE_TOLERANCE = 1e-6


class VideoWriter:
    """Encodes frames one by one; made by `video_writer`.

    Attributes:
        num_frames: that were written.
        notes: sentences on what differs from an ordinary file.
    """

    def __init__(
        self, path: Path, *, height: int, width: int, times: FrameTimes, pixel_aspect: tuple[int, int]
    ) -> None:
        import av
        from av.codec.context import Flags

        self._path, self._times, self._size = path, times, (height, width)
        self.num_frames = 0
        self.notes: list[str] = []
        codec = next(name for name in CODECS if name in av.codecs_available)
        if codec != "libx264":
            self.notes.append(
                f"PyAV was built without libx264 here, so the video is encoded by {codec}, which browsers don't play; "
                "install PyAV from its wheel (pip install av)"
            )
        rate = _even_rate(times)
        self._is_even = rate is not None
        self._clock = 1 / rate if rate else Fraction(1, TICKS)
        self._last_ticks = -1
        # "file:" and an absolute path: no name can be taken for an address or an option
        self._container = av.open(f"file:{path.absolute()}", "w", format="mp4", options={"movflags": "faststart"})
        self._stream: Any = self._container.add_stream(
            codec, rate=rate or max(round(times.fps), 1), options=CODECS[codec]
        )
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = self._pixel_format(codec)
        self._stream.codec_context.time_base = self._clock
        self._stream.codec_context.flags |= Flags.frame_duration
        self._stream.codec_context.colorspace, self._stream.codec_context.color_range = BT601, LIMITED_RANGE
        if pixel_aspect != (1, 1):
            self._stream.codec_context.sample_aspect_ratio = Fraction(*pixel_aspect)

    def write(self, picture: np.ndarray) -> None:
        """Encode the next frame.

        Args:
            picture: (H, W, 3) uint8, RGB.

        Raises:
            OSError: it can't be written.
        """
        import av

        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        self._last_ticks = max(self._planned_ticks(self.num_frames), self._last_ticks + 1)
        frame.pts, frame.time_base = self._last_ticks, self._clock
        frame.duration = max(self._planned_ticks(self.num_frames + 1) - self._last_ticks, 1)
        self._container.mux(self._stream.encode(frame))
        self.num_frames += 1

    def finish(self) -> None:
        """Write what the encoder holds back, and the index of the file.

        Raises:
            OSError: it can't be written.
        """
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close the file, whatever state it is in, and delete it."""
        with suppress(Exception):
            self._container.close()
        self._path.unlink(missing_ok=True)

    def _pixel_format(self, codec: str) -> str:
        """4:2:0, which all players show; its colours need even sides, at least with libx264."""
        height, width = self._size
        if codec != "libx264" or (height % 2 == 0 and width % 2 == 0):
            return "yuv420p"
        self.notes.append(
            f"the size {width}x{height} has an odd side, so the video is encoded with full colour (4:4:4), which some "
            "players, QuickTime among them, don't show"
        )
        return "yuv444p"

    def _planned_ticks(self, number: int) -> int:
        """When a frame is shown, on the clock of the stream; of the number behind the last, when that one ends.

        Those behind it follow at the mean rate.
        """
        if self._is_even and number < self._times.num_frames:
            return number
        behind = number - self._times.num_frames
        is_shown = behind < 0
        seconds = self._times.seconds[number] if is_shown else self._times.end_seconds + behind / self._times.fps
        return round(float(seconds) / float(self._clock))


def _even_rate(times: FrameTimes) -> Fraction | None:
    """The rate as a fraction that a clock can have; None = frames need time stamps of their own."""
    rate = Fraction(times.fps).limit_denominator(MAX_DENOMINATOR)
    is_exact = abs(float(rate) - times.fps) <= RATE_TOLERANCE * times.fps
    return rate if times.is_constant and is_exact and rate.numerator <= TICKS else None


@contextmanager
def video_writer(
    path: Path, *, height: int, width: int, times: FrameTimes, pixel_aspect: tuple[int, int] = (1, 1)
) -> Iterator[VideoWriter]:
    """Write a video. However the block ends, the frames so far make a file that plays.

    Args:
        path: the file, whatever its ending; its folder must exist.
        height: of each frame, in pixels.
        width: likewise.
        times: when each frame is shown; more frames may follow, at the mean rate.
        pixel_aspect: width : height of a displayed pixel.

    Yields:
        The writer. Without a single frame there is no file.

    Raises:
        OSError: the file can't be written; it is deleted.
    """
    writer = VideoWriter(path, height=height, width=width, times=times, pixel_aspect=pixel_aspect)
    try:
        yield writer
    finally:
        if writer.num_frames == 0:
            writer.abandon()
        else:
            try:
                writer.finish()
            except BaseException:
                writer.abandon()
                raise
