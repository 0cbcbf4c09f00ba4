"""What each packet of a video stream says of itself, and whether the packets can be taken for frames.

The functions are pure: they see numbers, flags and bytes, never a decoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stvit_video.data.decoding.picture_settings import picture_settings

# One packet is one displayed frame in these; anything else (VP8's hidden frames, AVI's packed B-frames with
# missing timestamps, transport streams) is counted by decoding.
INDEXED_CODECS = (
    "h264", "hevc", "mpeg4", "mjpeg", "png", "gif", "av1", "libdav1d", "libaom-av1", "vp9", "libvpx-vp9",
)  # fmt: skip
INDEXED_CONTAINERS = ("mov", "matroska", "avi", "gif")
H264_SLICES, H264_IDR = range(1, 6), (5,)
H264_SETTINGS, H264_REF_IDC = (7, 8, 13, 15), 0x60  # parameter sets; the bits of the header byte
HEVC_SLICES, HEVC_IDR = range(0, 32), (19, 20)
HEVC_RANDOM_ACCESS = range(16, 22)  # broken-link, IDR and clean-random-access pictures


@dataclass(frozen=True)
class PacketFacts:
    """One packet, in decode order.

    `pts` is in time-base units, and so is `duration`, 0 = not stated. True = `is_keyframe`: flagged so by the
    container; `is_entry`: decoding may start here and every frame displayed from here on is exact; `is_closed`: an
    entry that no displayed frame straddles; `is_discard`: decoded but not shown; `is_damaged`: empty, flagged corrupt,
    or its parts don't add up to its size; `changes_settings`: carries new decoder settings (perhaps another frame
    size). `picture_settings` are the bytes in which a keyframe states the size of its pictures, b"" = it states none.
    """

    pts: int | None
    is_keyframe: bool
    is_entry: bool
    is_closed: bool
    is_discard: bool
    is_damaged: bool
    changes_settings: bool
    picture_settings: bytes = b""
    duration: int = 0


def nal_length_size(codec: str, extradata: bytes | None) -> int | None:
    """Bytes of each NAL unit's length field in H.264 and HEVC packets; None = other codec or other packing.

    Source: ISO/IEC 14496-15 (avcC and hvcC boxes).
    """
    place = {"h264": 4, "hevc": 21}.get(codec)
    if place is None or not extradata or len(extradata) <= place or extradata[0] != 1:
        return None
    return (extradata[place] & 3) + 1


def nal_headers(data: bytes | memoryview, *, length_size: int) -> list[int] | None:
    """The first byte of each NAL unit in a length-prefixed H.264 or HEVC packet; None = broken lengths."""
    headers, at = [], 0
    while at < len(data):
        body = at + length_size
        end = body + int.from_bytes(data[at:body], "big")
        if end > len(data) or end <= body:
            return None
        headers.append(data[body])
        at = end
    return headers


def nal_types(data: bytes | memoryview, *, codec: str, length_size: int) -> list[int] | None:
    """The type of each NAL unit in a length-prefixed H.264 or HEVC packet; None = broken lengths."""
    headers = nal_headers(data, length_size=length_size)
    return headers and [header & 31 if codec == "h264" else (header >> 1) & 63 for header in headers]


def is_unreferenced(packet: Any, *, codec: str, length_size: int | None) -> bool:
    """True = the picture in this PyAV packet serves no other one, so that decoding without it changes nothing else.

    Args:
        packet: an `av.Packet`.
        codec: ffmpeg's name of the codec; told for "h264" alone.
        length_size: what `nal_length_size` says of the stream.

    Source: ITU-T H.264, 7.4.1: nal_ref_idc is 0 for all slices of a non-reference picture.
    """
    if codec != "h264" or length_size is None or not packet.size:
        return False
    headers = nal_headers(memoryview(packet), length_size=length_size) or []
    slices = [header for header in headers if header & 31 in H264_SLICES]
    others = any(header & 31 in H264_SETTINGS for header in headers)  # may change how later pictures are read
    return bool(slices) and not others and all(header & H264_REF_IDC == 0 for header in slices)


def packet_facts(packet: Any, *, codec: str, length_size: int | None) -> PacketFacts:
    """Read one PyAV packet.

    Args:
        packet: an `av.Packet` of the stream.
        codec: ffmpeg's name of the codec.
        length_size: what `nal_length_size` says of the stream.
    """
    is_entry = is_closed = bool(packet.is_keyframe)
    is_damaged = bool(packet.is_corrupt) or packet.size == 0
    if length_size is not None and not is_damaged:
        types = nal_types(memoryview(packet), codec=codec, length_size=length_size)
        # A packet without one slice gives no frame.
        slices, closed, entries = _picture_types(codec)
        is_damaged = types is None or not any(kind in slices for kind in types)
        is_entry = is_entry and any(kind in entries for kind in types or ())
        is_closed = is_entry and any(kind in closed for kind in types or ())
    elif codec in ("h264", "hevc"):
        is_entry = is_closed = False  # start codes instead of lengths: not looked into, decoded from the start
    is_key = packet.is_keyframe and not is_damaged
    stated = picture_settings(memoryview(packet), codec=codec, length_size=length_size) if is_key else b""
    return PacketFacts(
        pts=packet.pts,
        is_keyframe=bool(packet.is_keyframe),
        is_entry=is_entry,
        is_closed=is_closed,
        is_discard=bool(packet.is_discard),
        is_damaged=is_damaged,
        changes_settings=bool(packet.has_sidedata("new_extradata") or packet.has_sidedata("param_change")),
        picture_settings=stated,
        duration=packet.duration or 0,
    )


def _picture_types(codec: str) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """NAL types of slices, of closed entries and of all entries."""
    # An H.264 recovery point may need frames before it (intra refresh), so only IDR pictures count there.
    return (H264_SLICES, H264_IDR, H264_IDR) if codec == "h264" else (HEVC_SLICES, HEVC_IDR, HEVC_RANDOM_ACCESS)


def distrust_reason(packets: Sequence[PacketFacts], *, container: str, codec: str, reorders: bool) -> str:
    """Why these packets do not tell which frames are displayed; "" where they do.

    Args:
        packets: all of the stream, in decode order.
        container: the first of ffmpeg's names for the format, e.g. "mov".
        codec: ffmpeg's name, e.g. "h264".
        reorders: True = frames may be displayed in another order than they are stored.
    """
    pts = [packet.pts for packet in packets if packet.pts is not None]
    if container not in INDEXED_CONTAINERS:
        return f"packets of a {container!r} container need not be whole frames"
    if codec not in INDEXED_CODECS:
        return f"packets of codec {codec!r} need not be displayed frames"
    if container == "avi" and reorders:
        return "an AVI file holds no display times, and its frames may be reordered"
    counted = {
        "have no timestamp": len(packets) - len(pts),
        "repeat a timestamp": len(pts) - len(set(pts)),
        "are marked as not to be shown": sum(packet.is_discard for packet in packets),
        "are damaged": sum(packet.is_damaged for packet in packets),
        "change the stream's settings": sum(packet.changes_settings for packet in packets),
    }
    for what, count in counted.items():
        if count:
            return f"{count} of its {len(packets)} packets {what}"
    if not reorders and pts != sorted(pts):
        return "its timestamps run backwards, though its frames are shown in the order in which they are stored"
    if not packets[0].is_entry or packets[0].pts != min(pts):
        return "its first packet is no frame that decoding can start from"
    return ""


def has_open_gop(packets: Sequence[PacketFacts]) -> bool:
    """True = some packet marked as keyframe is no clean restart: a seek there loses frames around it."""
    newest_key: int | None = None
    for packet in packets:
        if packet.is_keyframe:
            newest_key = packet.pts
            if not packet.is_closed:
                return True
        elif newest_key is not None and packet.pts is not None and packet.pts < newest_key:
            return True
    return False
