"""What a video file holds, from its packets: the index that random access and the decord guard stand on.

Nothing here decodes more than the first displayed frame, and nothing here knows decord: `decord_refusal` is a
pure function of the index, so it can be asked before decord ever touches the file.
"""

import os
import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from stvit_video.data.packets import PacketFacts, distrust_reason, has_open_gop, nal_length_size, packet_facts
from stvit_video.optional import load_optional

DECORD_CODECS = ("h264", "hevc")
DECORD_PIXEL_FORMATS = ("yuv420p", "yuvj420p")
DECORD_CONTAINERS = ("mov", "matroska")
DECORD_MIN_WIDTH_PIXELS = 96
STILL_CONTAINERS = ("image2",)
ATTACHED_PICTURE = 0x400  # ffmpeg's AV_DISPOSITION_ATTACHED_PIC


class DecodeError(RuntimeError):
    """A video that can't be read; the message names the file, the backend and the cause."""


class DecodeTimeoutError(DecodeError):
    """A video that can't be read within the time limit."""


class Deadline:
    """The end of one call's time: made when the call starts, asked inside its loops."""

    def __init__(self, time_limit_seconds: float) -> None:
        self._end_seconds = time.monotonic() + time_limit_seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never below 0."""
        return max(self._end_seconds - time.monotonic(), 0.0)


@dataclass(frozen=True)
class Source:
    """One local file, who reads it, and how long one call may take; it words every `DecodeError`."""

    path: str
    backend: str
    time_limit_seconds: float

    def deadline(self) -> Deadline:
        """A call's time, starting now."""
        return Deadline(self.time_limit_seconds)

    def error(self, cause: str) -> DecodeError:
        """The error that names this file and backend, with `cause` as the reason."""
        return DecodeError(self._sentence(cause))

    def timeout(self, doing: str) -> DecodeTimeoutError:
        """The error that says what took too long."""
        limit = f"the time limit of {self.time_limit_seconds:g} s"
        cause = f"{doing} took longer than {limit}; raise time_limit_seconds if the file is merely long"
        return DecodeTimeoutError(self._sentence(cause))

    def check_time(self, deadline: Deadline, doing: str) -> None:
        """Raise when the time is over.

        Raises:
            DecodeTimeoutError: `doing` took longer than the time limit.
        """
        if deadline.remaining_seconds() <= 0:
            raise self.timeout(doing)

    def _sentence(self, cause: str) -> str:
        return f"can't decode {self.path!r} with backend {self.backend!r}: {cause}"


@dataclass(frozen=True)
class VideoIndex:
    """What the best video stream of a file holds.

    `pts` are the timestamps of the displayed frames, ascending, in units of `time_base_seconds`; `keyframes`
    are the positions in `pts` from which decoding may start with exact results. `distrust` says why the
    packets don't tell which frames are displayed ("" = they do): then `pts` is only a guess and the frames
    must be counted by decoding. A frame is shown after `frame[:, ::-1]` where `flipped`, then
    `np.rot90(frame, quarter_turns)`.
    """

    container: str
    codec: str
    pixel_format: str
    coded_height: int
    coded_width: int
    quarter_turns: int
    flipped: bool
    interlaced: bool
    fps: float
    time_base_seconds: float
    pts: tuple[int, ...]
    keyframes: tuple[int, ...]
    open_gop: bool
    num_video_streams: int
    has_duration: bool
    distrust: str

    @property
    def height(self) -> int:
        """Displayed height in pixels, after rotation."""
        return self.coded_width if self.quarter_turns % 2 else self.coded_height

    @property
    def width(self) -> int:
        """Displayed width in pixels, after rotation."""
        return self.coded_height if self.quarter_turns % 2 else self.coded_width


def decord_refusal(index: VideoIndex) -> str | None:
    """Why decord must not be asked to open this file, or None where it gives exactly PyAV's frames.

    The rules are cautious: what is let through (H.264 and HEVC, 8 bit, closed GOPs, MP4 or Matroska) was measured
    to be pixel-identical with decord 0.6.0. Of what is refused, discarded packets, open GOPs, reordered AVI and
    MPEG-4, interlacing, 10 bit and narrow frames were seen to fail or to give other frames; the rest is refused
    unmeasured, or because the gain is not worth the risk. What packets can't show is damage inside whole
    packets: there both decoders conceal, each in its own way.
    """
    container, codec = index.container, index.codec
    rules = (
        (bool(index.distrust), index.distrust),
        (bool(index.pts) and index.pts[0] < 0, "its first timestamp is negative"),
        (container not in DECORD_CONTAINERS, f"its container {container!r} is none of {DECORD_CONTAINERS}"),
        (codec not in DECORD_CODECS, f"its codec {codec!r} is none of {DECORD_CODECS}"),
        (
            index.pixel_format not in DECORD_PIXEL_FORMATS,
            f"its pixel format {index.pixel_format!r} is none of {DECORD_PIXEL_FORMATS}",
        ),
        (index.num_video_streams != 1, f"it has {index.num_video_streams} video streams"),
        (bool(index.quarter_turns) or index.flipped, "it is stored rotated or mirrored"),
        (index.interlaced, "it is interlaced"),
        (index.open_gop, "frames before a keyframe depend on it (open GOP), so seeking there loses count"),
        (not index.has_duration, "it has no duration"),
        (
            index.coded_width < DECORD_MIN_WIDTH_PIXELS,
            f"its width of {index.coded_width} pixels is below {DECORD_MIN_WIDTH_PIXELS}",
        ),
    )
    return next((reason for holds, reason in rules if holds), None)


def check_local_file(source: Source) -> None:
    """Let only regular, non-empty local files through.

    Raises:
        DecodeError: the path is an address, does not exist, is a directory or another non-file, or is empty.
    """
    path = source.path
    found = os.path.exists(path)
    if not found and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path):
        raise source.error("this is an address, and only local files are read; download it first")
    if not found:
        raise source.error("the file does not exist")
    if os.path.isdir(path):
        raise source.error("this is a directory, not a video file")
    if not os.path.isfile(path):
        raise source.error("this is no regular file (a pipe, socket or device)")
    if os.path.getsize(path) == 0:
        raise source.error("the file is empty")


def open_container(av: ModuleType, source: Source) -> tuple[Any, Any]:
    """Open the file with PyAV and pick its best video stream, decoding in one thread.

    Returns:
        The PyAV container and stream; the caller closes the container.

    Raises:
        DecodeError: the file is no video or has no moving picture in it.
    """
    try:
        # An absolute path behind "file:" can't be taken for an option or for another ffmpeg protocol, and the
        # whitelist keeps playlists from reaching out.
        container = av.open(
            "file:" + os.path.abspath(source.path),
            options={"protocol_whitelist": "file"},
            metadata_errors="ignore",
            timeout=source.time_limit_seconds,
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise av_failure(av, source, error, "opening the file", "it is not a video that ffmpeg can open") from error
    format_name = container.format.name
    stream = container.streams.best("video")
    if stream is None or _is_cover(stream):
        container.close()
        raise source.error(f"it has no video stream (format {format_name!r})")
    if format_name in STILL_CONTAINERS or format_name.endswith("_pipe"):
        container.close()
        raise source.error(f"it is a still picture, not a video (format {format_name!r})")
    stream.codec_context.thread_count = 1  # data workers are processes; more threads measured no faster there
    return container, stream


def av_failure(av: ModuleType, source: Source, error: Exception, doing: str, cause: str) -> DecodeError:
    """What PyAV raised, in our words: out of time while `doing` so, or `cause` with PyAV's own text."""
    return source.timeout(doing) if isinstance(error, av.ExitError) else source.error(f"{cause} ({error})")


def probe_video(source: Source, deadline: Deadline) -> VideoIndex:
    """Read all packets of the best video stream, and its first displayed frame, into a `VideoIndex`.

    Raises:
        DecodeError: see `check_local_file` and `open_container`; also a file that breaks off, holds no
        frame, or
            is rotated by an angle that is no multiple of 90 degrees.
        MissingLibraryError: PyAV does not import.
    """
    check_local_file(source)
    av = load_optional("av", needed_for="reading video files", install="pip install av")
    container, stream = open_container(av, source)
    with container:
        try:
            packets, first_frame = _scan(container, stream, source, deadline)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise av_failure(av, source, error, "listing its packets", "reading its packets failed") from error
        if not packets or first_frame is None:
            raise source.error(f"none of its {len(packets)} video packets gives a frame")
        return _build_index(container, stream, packets, first_frame, source)


def _scan(container: Any, stream: Any, source: Source, deadline: Deadline) -> tuple[list[PacketFacts], Any]:
    """All packets of the stream, and its first displayed frame (None: no packet gave one)."""
    length_size = nal_length_size(stream.codec_context.name, stream.codec_context.extradata)
    packets, first_frame = [], None
    for packet in container.demux(stream):
        source.check_time(deadline, "listing its packets")
        is_flush = packet.size == 0 and packet.pts is None and packet.dts is None
        if not is_flush:
            packets.append(packet_facts(packet, codec=stream.codec_context.name, length_size=length_size))
        if first_frame is None:
            first_frame = next(iter(packet.decode()), None)
    return packets, first_frame


def _build_index(container: Any, stream: Any, packets: list[PacketFacts], frame: Any, source: Source) -> VideoIndex:
    """Put together what container, packets and first frame say."""
    known = sorted(packet.pts for packet in packets if packet.pts is not None)
    position = {pts: place for place, pts in enumerate(known)}
    container_name, codec = container.format.name.split(",")[0], stream.codec_context.name
    distrust = distrust_reason(
        packets, container=container_name, codec=codec, reorders=bool(stream.codec_context.has_b_frames)
    )
    starts = sorted(position[packet.pts] for packet in packets if packet.is_entry and packet.pts is not None)
    quarter_turns, flipped = orientation(_display_matrix(frame), source)
    rate = stream.guessed_rate or stream.average_rate
    if not rate:
        raise source.error("it states no frame rate")
    return VideoIndex(
        container=container_name,
        codec=codec,
        pixel_format=frame.format.name,
        coded_height=frame.height,
        coded_width=frame.width,
        quarter_turns=quarter_turns,
        flipped=flipped,
        interlaced=bool(frame.interlaced_frame),
        fps=float(rate),
        time_base_seconds=float(stream.time_base),
        pts=tuple(known),
        keyframes=(0,) if distrust else tuple(starts),
        open_gop=has_open_gop(packets),
        num_video_streams=sum(not _is_cover(other) for other in container.streams.video),
        has_duration=container.duration is not None,
        distrust=distrust,
    )


def orientation(matrix: Sequence[int] | None, source: Source) -> tuple[int, bool]:
    """How a stored frame is turned for display.

    Args:
        matrix: the 9 fixed-point numbers a b u c d v x y w of an MP4 display matrix (x' = ax + cy, y' = bx +
        dy, y down);
            None where the file has none.
        source: the file, for the error.

    Returns:
        Counter-clockwise quarter turns (as in np.rot90) and whether the frame is mirrored left-right before
        them.

    Raises:
        DecodeError: the angle is no multiple of 90 degrees.

    Source: ISO/IEC 14496-12, 8.3.2 (track header box).
    """
    if matrix is None:
        return 0, False
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    upright, sideways = b == 0 and c == 0 and a * d != 0, a == 0 and d == 0 and b * c != 0
    if not (upright or sideways):
        raise source.error(f"its display matrix {tuple(matrix)} turns it by no multiple of 90 degrees")
    flipped = a * d - b * c < 0
    if flipped:
        a, b = -a, -b
    if upright:
        return (0 if a > 0 else 2), flipped
    return (3 if b > 0 else 1), flipped


def _display_matrix(frame: Any) -> tuple[int, ...] | None:
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return struct.unpack("=9i", bytes(data))
    return None


def _is_cover(stream: Any) -> bool:
    """True = a still cover picture, as in music files."""
    return bool(stream.disposition.value & ATTACHED_PICTURE)
