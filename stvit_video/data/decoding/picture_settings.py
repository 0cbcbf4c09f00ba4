"""What a keyframe packet states of the pictures after it, such as their size, without decoding it.

Only to be compared with what other keyframes state: where two differ, the size may change in mid-stream. VP9 can change
it at other frames too; nothing here sees that.

The functions are pure.
"""

from collections.abc import Iterator

__all__ = ["header_settings", "picture_settings"]

SEQUENCE_SETTINGS = {"h264": 7, "hevc": 33}  # NAL type of the sequence parameter set
AV1_CODECS, VP9_CODECS = ("av1", "libdav1d", "libaom-av1"), ("vp9", "libvpx-vp9")
AV1_SEQUENCE_HEADER = 1
VP9_SYNC, VP9_RGB = 0x498342, 7


def picture_settings(data: bytes | memoryview, *, codec: str, length_size: int | None) -> bytes:
    """The bytes in which a keyframe packet states the size of its pictures; b"" = it states none, or nothing known.

    Args:
        data: the packet.
        codec: ffmpeg's name of the codec.
        length_size: of NAL units, as `nal_length_size` says; None = other packing.

    Source: ITU-T H.264 and H.265, 7.3.1 and 7.3.2 (SPS); AV1 specification, 5.3 and 5.5 (sequence header OBU);
        VP9 bitstream specification, 6.2 (uncompressed header).
    """
    if codec in SEQUENCE_SETTINGS and length_size is not None:
        units = _nal_units(data, length_size=length_size)
        return b"".join(unit for unit in units if _nal_type(unit[0], codec) == SEQUENCE_SETTINGS[codec])
    if codec in AV1_CODECS:
        return b"".join(body for kind, body in _av1_units(data) if kind == AV1_SEQUENCE_HEADER)
    if codec in VP9_CODECS:
        return _vp9_size(data)
    return b""


def header_settings(extradata: bytes | None, *, codec: str) -> bytes:
    """What `picture_settings` gives, from the header of an H.264 or HEVC stream; b"" = it states none.

    Args:
        extradata: an avcC or hvcC box.
        codec: ffmpeg's name of the codec.

    Source: ISO/IEC 14496-15 (avcC and hvcC boxes).
    """
    data = extradata or b""
    if codec == "h264" and data[:1] == b"\1":
        units, _ = _counted_units(data, 6, sum(data[5:6]) & 31)
        return b"".join(units)
    found, at = [], 23
    for _ in range(sum(data[22:23]) if codec == "hevc" and data[:1] == b"\1" else 0):
        kind, count = sum(data[at : at + 1]) & 63, int.from_bytes(data[at + 1 : at + 3], "big")
        units, at = _counted_units(data, at + 3, count)
        found += units if kind == SEQUENCE_SETTINGS[codec] else []
    return b"".join(found)


def _counted_units(data: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """`count` NAL units from `at` on, each behind a length of 2 bytes; and where they end."""
    units = []
    for _ in range(min(count, len(data))):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        units.append(data[at + 2 : end])
        at = end
    return units, at


def _nal_type(header: int, codec: str) -> int:
    return header & 31 if codec == "h264" else (header >> 1) & 63


def _nal_units(data: bytes | memoryview, *, length_size: int) -> Iterator[bytes]:
    """The length-prefixed NAL units, up to the first whose length can't be right."""
    at = 0
    while at < len(data):
        body = at + length_size
        at = body + int.from_bytes(data[at:body], "big")
        if at > len(data) or at <= body:
            return
        yield bytes(data[body:at])


def _av1_units(data: bytes | memoryview) -> Iterator[tuple[int, bytes]]:
    """(type, body) of the OBUs that state their size, up to the first that doesn't."""
    at = 0
    while at < len(data):
        header = data[at]
        at += 2 if header & 4 else 1  # with an extension byte
        size = shift = 0
        while header & 2 and at < len(data):  # the size, 7 bits a byte, lowest first
            size |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 128:
                break
        if not header & 2 or at + size > len(data):
            return
        yield (header >> 3) & 15, bytes(data[at : at + size])
        at += size


def _vp9_size(data: bytes | memoryview) -> bytes:
    """Width and height in the header of a keyframe, 4 bytes; b"" = it is none."""
    bits = f"{int.from_bytes(data[:16], 'big'):0{8 * len(data[:16])}b}"
    profile = int(bits[2:4][::-1] or "0", 2)
    at = 5 if profile == 3 else 4
    if bits[at : at + 2] != "00" or int(bits[at + 4 : at + 28] or "0", 2) != VP9_SYNC:
        return b""
    at += 28 + (1 if profile >= 2 else 0)  # the sync code, the bit depth
    is_rgb = int(bits[at : at + 3] or "0", 2) == VP9_RGB
    at += 3 + (0 if is_rgb else 1)  # the colour space, the range
    if profile in (1, 3):
        at += 1 if is_rgb else 3  # subsampling and a reserved bit
    size = bits[at : at + 32]
    return int(size, 2).to_bytes(4, "big") if len(size) == 32 else b""
