"""A file, camera or address opened with PyAV: its frames one after the other, forward only."""

import errno
import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from stvit_video.data.decoding.container import MAX_FRAME_PIXELS, open_container
from stvit_video.data.decoding.probe import display_matrix, orientation
from stvit_video.data.decoding.request import DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.rgb_conversion import RgbConversion, turned_picture
from stvit_video.streaming.source_frames import SourceError, SourceFrame
from stvit_video.streaming.sources import Source
from stvit_video.streaming.time_sampling import usual_interval
from stvit_video.utils.optional import load_optional

__all__ = ["SourceContainer"]

NUM_FIRST_PACKETS = 24  # whose time stamps tell the rate
FIRST_SECONDS = 1.0
IN_PARTS = ("hls", "dash")  # demuxers that fetch seconds of video at once
# Raw pictures one after the other: ffmpeg makes up their times.
TIMELESS = ("mpjpeg", "mjpeg", "h264", "hevc", "av1", "m4v", "mpegvideo", "image2pipe")
PROMISING = ("mov", "matroska")  # whose header says how long the video is
CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d*)?)")
MICROSECONDS = 1_000_000
MISSING_SECONDS, MISSING_SHARE = 1.0, 0.02  # that may be missing at the end
PLACES_AS_TIMES = ("avi",)  # its stamps are places in the order of storage
_Packet = tuple[Any, float, float]  # PyAV's, when it came by `time.monotonic`, and the seconds that it was waited for


class SourceContainer:
    """An open source.

    Args:
        source: which, of kind "file", "camera" or "address".
        timeout_seconds: how long opening may take, and the wait for the next data of what is no file.

    Attributes:
        is_live: True = it doesn't wait for its reader: a camera, and an address that states no duration and no size.
        in_parts: True = it brings seconds of video at once, so that its frames are not late when many come.
        interval_seconds: usual time from one frame to the next; None = nothing tells it.
        note: what is to be known of its times; "" = nothing.

    Raises:
        DecodeError: a file can't be opened.
        SourceError: a camera or address can't be opened; no cause of ours names its secrets.
    """

    def __init__(self, source: Source, *, timeout_seconds: float) -> None:
        self._av = load_optional("av", needed_for="reading a stream", install="pip install av")
        self._source, self._timeout_seconds = source, timeout_seconds
        self._request = DecodeRequest(
            source.place,
            "pyav",
            None if source.kind == "file" else timeout_seconds,
            allow_addresses=source.kind != "file",
            name=source.shown,
        )
        self._container, self._stream = self._opened()
        try:
            self._demuxed = self._container.demux(self._stream)
            self._first = self._first_packets()
        except BaseException:
            self.close()
            raise
        demuxer, base = self._container.format.name.split(",")[0], float(self._stream.time_base or 0)
        self.in_parts = demuxer in IN_PARTS
        self.is_live = source.kind == "camera" or (source.kind == "address" and not self._has_end())
        self._has_stamps = demuxer not in PLACES_AS_TIMES and not (self.is_live and demuxer in TIMELESS)
        stamps = [None if packet.pts is None else packet.pts * base for packet, _, _ in self._first]
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.interval_seconds = usual_interval(stamps, stated_fps=float(rate) if rate else None)
        self.note = self._times_note() if demuxer in TIMELESS and self.interval_seconds else ""
        self._promised = promised_seconds(self._container, self._stream) if not self.is_live else None
        self._begin_seconds, self._end_seconds = math.inf, -math.inf  # of what was read
        self._conversion: tuple[tuple[int, int], RgbConversion] | None = None

    def close(self) -> None:
        """Give it back; a second call does nothing."""
        if self._container is not None:
            self._container.close()
        self._container = self._stream = None

    def frames(self, on_damage: Callable[[], None]) -> Iterator[SourceFrame]:
        """All frames from here to the end.

        Args:
            on_damage: is called for each packet that can't be decoded and is left out.

        Raises:
            SourceError: the source breaks off, ends before its header says, or sends nothing or no picture for longer
                than the timeout.
        """
        last_frame = time.monotonic()
        for packet, arrived, reading_seconds in self._packets():
            started = time.monotonic()
            if packet.pts is not None:
                begin = float(packet.pts * packet.time_base)
                self._begin_seconds = min(self._begin_seconds, begin)
                self._end_seconds = max(self._end_seconds, begin + float((packet.duration or 0) * packet.time_base))
            decoded = self._decoded(packet, on_damage)
            decode_seconds = time.monotonic() - started
            if self._source.kind == "file":  # it is there all the time: its data comes when it is wanted
                arrived, decode_seconds = started - reading_seconds, reading_seconds + decode_seconds
            for frame in decoded:
                last_frame = arrived
                yield self._frame(frame, arrived, decode_seconds)
                decode_seconds = 0.0
            if self._source.kind != "file" and arrived - last_frame > self._timeout_seconds:
                raise SourceError(f"{self._source.shown} sent data but no picture for {self._timeout_seconds:g} s")
        self._require_promised()

    def _first_packets(self) -> list[_Packet]:
        """As many as tell the rate; of what is no file no more than come within a second."""
        first: list[_Packet] = []
        started = time.monotonic()
        while len(first) < NUM_FIRST_PACKETS and (found := self._next_packet()) is not None:
            first.append(found)
            if self._source.kind != "file" and time.monotonic() - started > FIRST_SECONDS:
                break
        return first

    def _packets(self) -> Iterator[_Packet]:
        """All packets from here on."""
        while self._first:
            yield self._first.pop(0)
        while (found := self._next_packet()) is not None:
            yield found

    def _require_promised(self) -> None:
        """Raise at the end of what ended clearly before its header says."""
        if self._promised is None or self._end_seconds < self._begin_seconds:
            return
        seconds = self._end_seconds - self._begin_seconds
        if self._promised - seconds > max(MISSING_SECONDS, MISSING_SHARE * self._promised):
            raise SourceError(
                f"{self._source.shown} is cut off: its header promises {self._promised:.1f} s and it ended at "
                f"{seconds:.1f} s; copy or record it again"
            )

    def _times_note(self) -> str:
        """What is to be known of raw pictures without times."""
        rate = f"{1 / (self.interval_seconds or 1):.3g} frames a second"
        if self.is_live:
            return f"{self._source.shown} has no time stamps; frames are timed as they come, and {rate} are assumed"
        return f"{self._source.shown} has no time stamps; {rate} are assumed, and target_fps counts by them"

    def _next_packet(self) -> _Packet | None:
        """The next one, None at the end; an error is in our words, raised where no traceback shows ffmpeg's."""
        asked = time.monotonic()
        try:
            packet = next(self._demuxed, None)
        except self._av.ExitError:
            told = f"{self._source.shown} sent nothing for {self._timeout_seconds:g} s (timeout_seconds)"
        except (self._av.FFmpegError, OSError, ValueError, MemoryError) as error:
            told = f"reading {self._source.shown} failed: {_plain(error)}{self._advice(error)}"
        else:
            arrived = time.monotonic()
            return None if packet is None else (packet, arrived, arrived - asked)
        raise SourceError(told)

    def _advice(self, error: BaseException) -> str:
        """What may help where the index behind all pictures can't be gone back from."""
        is_index = self._source.kind == "address" and self._container.format.name.startswith("mov,")
        if not is_index or getattr(error, "errno", None) != errno.EIO:
            return ""
        return "; its index may be at its end: download it, or write it with -movflags +faststart"

    def _decoded(self, packet: Any, on_damage: Callable[[], None]) -> list[Any]:
        try:
            return list(packet.decode())
        except (self._av.FFmpegError, OSError, ValueError, MemoryError):
            on_damage()
            return []

    def _has_end(self) -> bool:
        """Whether the source states how long or how large it is; the size of a playlist says nothing."""
        return self._container.duration is not None or (not self.in_parts and self._container.size > 0)

    def _opened(self) -> tuple[Any, Any]:
        source = self._source
        try:
            return open_container(self._av, self._request, demuxer=source.demuxer, options=source.options)
        except DecodeError as error:
            if source.kind == "file":
                raise
            told = self._without_secrets(error)
        raise told  # out of the handler, so that no traceback shows what ffmpeg said of the address

    def _without_secrets(self, error: DecodeError) -> SourceError:
        """What `open_container` raised for an address: its text may repeat the address as ffmpeg understood it."""
        if isinstance(error, DecodeTimeoutError):
            return SourceError(
                f"{self._source.shown} did not answer within {self._timeout_seconds:g} s (timeout_seconds)"
            )
        cause = error.__cause__
        if cause is None:  # our own words
            return SourceError(str(error))
        if isinstance(cause, self._av.InvalidDataError):
            return SourceError(f"{self._source.shown} can't be opened: there is no video, or one that is cut off")
        return SourceError(f"{self._source.shown} can't be opened: {_plain(cause)}")

    def _frame(self, frame: Any, arrived: float, decode_seconds: float) -> SourceFrame:
        if frame.width * frame.height > MAX_FRAME_PIXELS:
            raise SourceError(
                f"{self._source.shown} can't be read: its frames of {frame.width}x{frame.height} pixels are too large"
            )
        quarter_turns, flipped = orientation(display_matrix(frame), self._request)
        size = (frame.height, frame.width)

        def picture() -> np.ndarray:
            return turned_picture(self._rgb(frame), quarter_turns=quarter_turns, flipped=flipped)

        has_stamp = self._has_stamps and frame.pts is not None
        return SourceFrame(
            stamp_seconds=float(frame.pts * frame.time_base) if has_stamp else None,
            size=size[::-1] if quarter_turns % 2 else size,
            arrived=arrived,
            decode_seconds=decode_seconds,
            picture=picture,
        )

    def _rgb(self, frame: Any) -> np.ndarray:
        """(H, W, 3) as stored, in the frame's own size."""
        size = (frame.height, frame.width)
        if self._conversion is None or self._conversion[0] != size:
            self._conversion = (size, RgbConversion(self._av, height=size[0], width=size[1]))
        try:
            return self._conversion[1].picture(frame)
        except (self._av.FFmpegError, ValueError) as error:
            raise SourceError(f"a picture of {self._source.shown} can't be made RGB: {_plain(error)}") from None


def promised_seconds(container: Any, stream: Any) -> float | None:
    """How long the video of an open file is by its header; None = it does not say, or of sound only."""
    if container.format.name.split(",")[0] not in PROMISING:
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    told = CLOCK.fullmatch(stream.metadata.get("DURATION", ""))
    if told is not None:
        return 3600 * int(told[1]) + 60 * int(told[2]) + float(told[3])
    if container.duration is None or len(container.streams) > 1:
        return None
    return container.duration / MICROSECONDS


def _plain(error: BaseException) -> str:
    """What went wrong, in the library's fixed words: without the name of the file or address."""
    return getattr(error, "strerror", None) or type(error).__name__
