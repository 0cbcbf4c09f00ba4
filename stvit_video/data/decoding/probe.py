"""What a video file holds, from its packets: the index that random access and the decord guard stand on.

Nothing here decodes more than the first displayed frame, and nothing here knows decord: `decord_refusal` is a
pure function of the index, so it can be asked before decord ever touches the file.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stvit_video.data.decoding.container import MAX_FRAME_PIXELS, av_failure, check_local_file, is_cover, open_container
from stvit_video.data.decoding.packets import PacketFacts, distrust_reason, has_open_gop, nal_length_size, packet_facts
from stvit_video.data.decoding.picture_settings import header_settings
from stvit_video.data.decoding.pixel_shape import SQUARE, pixel_aspect
from stvit_video.data.decoding.request import Deadline, DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.time_limits import decoding_seconds, frames_to_decode
from stvit_video.data.sampling.frame_times import FrameTimes, frame_times
from stvit_video.utils.optional import load_optional

__all__ = [
    "Deadline",
    "DecodeError",
    "DecodeRequest",
    "DecodeTimeoutError",
    "ScannedFile",
    "VideoIndex",
    "check_local_file",
    "decord_refusal",
    "display_matrix",
    "open_container",
    "opening_seconds",
    "orientation",
    "probe_video",
    "reading_seconds",
    "scan_video",
]

DECORD_CODECS = ("h264", "hevc")
DECORD_PIXEL_FORMATS = ("yuv420p", "yuvj420p")
DECORD_CONTAINERS = ("mov", "matroska")
DECORD_MIN_WIDTH_PIXELS = 96
MAX_KEPT_BYTES = 2**26  # of packets; longer videos are read from the file again


@dataclass(frozen=True)
class VideoIndex:
    """What the best video stream of a file holds.

    `pts` are the timestamps of the displayed frames, ascending, in units of `time_base_seconds`; `keyframes`
    are the positions in `pts` from which decoding may start with exact results. `distrust` says why the
    packets don't tell which frames are displayed ("" = they do): then `pts` is only a guess and the frames
    must be counted by decoding. `stated_fps` is what the file says of its rate, None = nothing; what counts is `times`.
    A frame is shown after `frame[:, ::-1]` where `flipped`, then `np.rot90(frame, quarter_turns)`. `size_may_change`:
    its keyframes state different things of their pictures. `pixel_aspect` is width : height of a stored pixel, as the
    file states it; frames are handed out as stored, see `pixel_shape.py`. `last_duration` is how long the last frame is
    shown, in units of `time_base_seconds`, 0 = not stated.
    """

    container: str
    codec: str
    pixel_format: str
    coded_height: int
    coded_width: int
    quarter_turns: int
    flipped: bool
    interlaced: bool
    stated_fps: float | None
    time_base_seconds: float
    pts: tuple[int, ...]
    keyframes: tuple[int, ...]
    open_gop: bool
    num_video_streams: int
    has_duration: bool
    distrust: str
    size_may_change: bool = False
    pixel_aspect: tuple[int, int] = SQUARE
    last_duration: int = 0

    @property
    def height(self) -> int:
        """Displayed height in pixels, after rotation."""
        return self.coded_width if self.quarter_turns % 2 else self.coded_height

    @property
    def width(self) -> int:
        """Displayed width in pixels, after rotation."""
        return self.coded_height if self.quarter_turns % 2 else self.coded_width

    @cached_property
    def times(self) -> FrameTimes:
        """When each frame is shown.

        Raises:
            ValueError: the file states no rate, and its time stamps give none.
        """
        return frame_times(
            self.pts,
            time_base_seconds=self.time_base_seconds,
            stated_fps=self.stated_fps,
            last_duration=self.last_duration,
        )


def opening_seconds(index: VideoIndex) -> float:
    """The time that opening a video needs after its packets were listed, on a slow machine: see `time_limits.py`."""
    num_frames = len(index.pts) if index.distrust else 0  # those are counted by decoding them all
    return decoding_seconds(num_frames, height=index.coded_height, width=index.coded_width)


def reading_seconds(index: VideoIndex, positions: Sequence[int], *, keyframes: Sequence[int] | None = None) -> float:
    """The time that reading the frames at these positions needs on a slow machine; None = the index's keyframes."""
    num_frames = frames_to_decode(index.keyframes if keyframes is None else keyframes, positions)
    return decoding_seconds(num_frames, height=index.coded_height, width=index.coded_width)


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
        (index.size_may_change, "the size of its pictures may change in mid-stream"),
        (
            index.coded_width < DECORD_MIN_WIDTH_PIXELS,
            f"its width of {index.coded_width} pixels is below {DECORD_MIN_WIDTH_PIXELS}",
        ),
    )
    return next((reason for holds, reason in rules if holds), None)


@dataclass(frozen=True)
class ScannedFile:
    """An open file that has been scanned; who gets it closes the container.

    Attributes:
        container: PyAV's.
        stream: its best video stream.
        index: what it holds.
        packets: all packets of the stream in decode order, with the one that flushes the decoder; None = they are
            too many bytes to keep.
        frames: the first displayed frames, as far as they were decoded.
        num_decoded: packets that have gone through the decoder for that.
    """

    container: Any
    stream: Any
    index: VideoIndex
    packets: list[Any] | None
    frames: list[Any]
    num_decoded: int


def probe_video(source: DecodeRequest, deadline: Deadline) -> VideoIndex:
    """Read all packets of the best video stream, and its first displayed frame, into a `VideoIndex`.

    Raises:
        DecodeError: see `check_local_file` and `open_container`; also a file that breaks off, holds no frame
            or huge ones, or is rotated by an angle that is no multiple of 90 degrees.
        MissingLibraryError: PyAV does not import.
    """
    scanned = scan_video(source, deadline)
    scanned.container.close()
    return scanned.index


def scan_video(source: DecodeRequest, deadline: Deadline) -> ScannedFile:
    """`probe_video`, with the open file and all that was read of it.

    Raises:
        DecodeError: as of `probe_video`.
        MissingLibraryError: PyAV does not import.
    """
    if not source.allow_addresses:
        check_local_file(source)
    av = load_optional("av", needed_for="reading video files", install="pip install av")
    container, stream = open_container(av, source)
    try:
        return _scan(container, stream, source, deadline)
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        container.close()
        raise av_failure(av, source, error, "listing its packets", "reading its packets failed") from error
    except BaseException:
        container.close()
        raise


def _scan(container: Any, stream: Any, source: DecodeRequest, deadline: Deadline) -> ScannedFile:
    """All packets of the stream, and its first displayed frame."""
    codec = stream.codec_context.name
    length_size = nal_length_size(codec, stream.codec_context.extradata)
    facts: list[PacketFacts] = []
    packets: list[Any] = []
    frames: list[Any] = []
    num_bytes = num_decoded = 0
    for packet in container.demux(stream):
        source.check_time(deadline, "listing its packets")
        is_flush = packet.size == 0 and packet.pts is None and packet.dts is None
        if not is_flush:
            facts.append(packet_facts(packet, codec=codec, length_size=length_size))
        num_bytes += packet.size
        if num_bytes <= MAX_KEPT_BYTES:
            packets.append(packet)
        else:
            packets.clear()
        if not frames:
            frames, num_decoded = packet.decode(), num_decoded + 1
    if not facts or not frames:
        raise source.error(f"none of its {len(facts)} video packets gives a frame")
    if frames[0].width * frames[0].height > MAX_FRAME_PIXELS:
        size = f"{frames[0].width}x{frames[0].height}"
        raise source.error(f"its frames of {size} pixels are larger than the {MAX_FRAME_PIXELS} pixels allowed")
    index = _build_index(container, stream, facts, frames[0], source)
    return ScannedFile(container, stream, index, packets or None, frames, num_decoded)


def _build_index(
    container: Any, stream: Any, packets: list[PacketFacts], frame: Any, source: DecodeRequest
) -> VideoIndex:
    """Put together what container, packets and first frame say."""
    known = sorted(packet.pts for packet in packets if packet.pts is not None)
    position = {pts: place for place, pts in enumerate(known)}
    container_name, codec = container.format.name.split(",")[0], stream.codec_context.name
    reorders = bool(stream.codec_context.has_b_frames)
    distrust = distrust_reason(packets, container=container_name, codec=codec, reorders=reorders)
    stated = {packet.picture_settings for packet in packets}
    stated.add(header_settings(stream.codec_context.extradata, codec=codec))
    starts = sorted(position[packet.pts] for packet in packets if packet.is_entry and packet.pts is not None)
    quarter_turns, flipped = orientation(display_matrix(frame), source)
    rate = stream.average_rate or stream.guessed_rate
    return VideoIndex(
        container=container_name,
        codec=codec,
        pixel_format=frame.format.name,
        coded_height=frame.height,
        coded_width=frame.width,
        quarter_turns=quarter_turns,
        flipped=flipped,
        interlaced=bool(frame.interlaced_frame),
        stated_fps=float(rate) if rate else None,
        time_base_seconds=float(stream.time_base),
        pts=tuple(known),
        keyframes=(0,) if distrust else tuple(starts),
        open_gop=has_open_gop(packets),
        num_video_streams=sum(not is_cover(other) for other in container.streams.video),
        has_duration=container.duration is not None,
        distrust=distrust,
        size_may_change=len(stated - {b""}) > 1,
        pixel_aspect=pixel_aspect(stream.sample_aspect_ratio),
        last_duration=_last_duration(packets, container=container_name, reorders=reorders),
    )


def _last_duration(packets: Sequence[PacketFacts], *, container: str, reorders: bool) -> int:
    """How long the last displayed frame is shown, 0 = not stated; MP4 states the distance to the next one stored."""
    if container == "mov" and reorders:
        return 0
    return max(((packet.pts, packet.duration) for packet in packets if packet.pts is not None), default=(0, 0))[1]


def orientation(matrix: Sequence[int] | None, source: DecodeRequest) -> tuple[int, bool]:
    """How a stored frame is turned for display.

    Args:
        matrix: the 9 fixed-point numbers a b u c d v x y w of an MP4 display matrix (x' = ax + cy,
            y' = bx + dy, y down); None where the file has none.
        source: the file, for the error.

    Returns:
        Counter-clockwise quarter turns (as in np.rot90), and whether the frame is mirrored before them.

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


def display_matrix(frame: Any) -> tuple[int, ...] | None:
    """The 9 numbers that a frame of PyAV has for `orientation`; None = it has none."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return struct.unpack("=9i", bytes(data))
    return None
