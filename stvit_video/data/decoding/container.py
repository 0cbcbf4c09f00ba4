"""Where a video may be: a plain local file, unless the caller allows more.

A list of videos comes from somebody else, so a line in it must not make this machine fetch an address or
read other files than the one it names. Three barriers: the path must be an existing regular file; ffmpeg may
use its `file` protocol only; and the demuxers whose files name other files are switched off.
"""

import errno
import os
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from stvit_video.data.decoding.not_a_video import START_BYTES, not_a_video, text_kind
from stvit_video.data.decoding.request import DecodeError, DecodeRequest
from stvit_video.utils.written_paths import windows_way

__all__ = ["MAX_FRAME_PIXELS", "av_failure", "check_local_file", "is_cover", "open_container"]

# 8192 x 8192. A damaged header can claim more, and a few frames of that fill the memory.
MAX_FRAME_PIXELS = 2**26
UNKNOWN_START = b"\xff"  # tells nothing
STILL_CONTAINERS = ("image2",)
ATTACHED_PICTURE = 0x400  # ffmpeg's AV_DISPOSITION_ATTACHED_PIC
# ffmpeg's demuxers whose input is a list, a script, a part or a description of other inputs.
POINTING_FORMATS = (
    "hls", "dash", "webm_dash_manifest", "concat", "imf", "sdp", "rtsp", "rtp", "rtp_mpegts", "sap", "lavfi",
    "avisynth", "vapoursynth", "vobsub", "mlv", "dvdvideo", "libcdio", "svg_pipe",
)  # fmt: skip
# With allow_addresses; named, because by itself ffmpeg lets a local playlist point to local files only.
ADDRESS_PROTOCOLS = (
    "file,http,https,httpproxy,ftp,sftp,tcp,tls,udp,rtp,srtp,srt,rtmp,rtmps,rtmpt,mmsh,mmst,crypto,data,concat,"
    "subfile,cache,async,hls"
)


def check_local_file(source: DecodeRequest) -> None:
    """Let only regular, non-empty local files through.

    Raises:
        DecodeError: the path is an address, does not exist, is a directory or another non-file, or is empty.
    """
    path = source.path
    found = os.path.exists(path)
    if not found and (protocol := re.match(r"[A-Za-z][A-Za-z0-9+.-]+(?=[:,])", path)) and ":" in path:
        raise source.error(
            f"this is an address ({protocol.group()!r}), and only local files are read; download it and give the "
            "path of that file"
        )
    if not found:
        raise source.error(f"the file does not exist{windows_way(source.path)}")
    if os.path.isdir(path):
        raise source.error("this is a directory, not a video file")
    if not os.path.isfile(path):
        raise source.error("this is no regular file (a pipe, socket or device)")
    if os.path.getsize(path) == 0:
        raise source.error("the file is empty")


def open_container(
    av: ModuleType, source: DecodeRequest, *, demuxer: str | None = None, options: Mapping[str, str] | None = None
) -> tuple[Any, Any]:
    """Open the file with PyAV and pick its best video stream, decoding in one thread.

    Args:
        av: the module PyAV.
        source: the file.
        demuxer: of ffmpeg, for what is no file; None = the one that fits its first bytes.
        options: of ffmpeg's, beside ours and before them.

    Returns:
        The PyAV container and stream; the caller closes the container.

    Raises:
        DecodeError: the file is no video, points to other files, or has no moving picture in it.
    """
    try:
        container = av.open(
            _place(source),
            format=demuxer,
            options=_options(av, source) | dict(options or {}),
            metadata_errors="ignore",
            timeout=source.listing_seconds,
        )
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        raise _unopened(av, source, error) from error
    try:
        stream = _moving_picture(container, source)
    except DecodeError:
        container.close()
        raise
    stream.codec_context.thread_count = 1  # data workers are processes; more threads measured no faster there
    return container, stream


def av_failure(av: ModuleType, source: DecodeRequest, error: Exception, doing: str, cause: str) -> DecodeError:
    """What PyAV raised, in our words: out of time while `doing` so, or `cause` with PyAV's own text."""
    return source.timeout(doing) if isinstance(error, av.ExitError) else source.error(f"{cause} ({error})")


def is_cover(stream: Any) -> bool:
    """True = a still cover picture, as in music files."""
    return bool(stream.disposition.value & ATTACHED_PICTURE)


def _place(source: DecodeRequest) -> str:
    # An absolute path behind "file:" can't be taken for an option or for another ffmpeg protocol.
    return source.path if source.allow_addresses else "file:" + os.path.abspath(source.path)


def _options(av: ModuleType, source: DecodeRequest) -> dict[str, str]:
    """ffmpeg's options: no huge frames, and no way out of the file unless allowed."""
    options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    if source.allow_addresses:
        return {**options, "protocol_whitelist": ADDRESS_PROTOCOLS}
    formats = set(av.formats_available) - set(POINTING_FORMATS)
    return {**options, "protocol_whitelist": "file", "format_whitelist": ",".join(sorted(formats))}


def _unopened(av: ModuleType, source: DecodeRequest, error: Exception) -> DecodeError:
    """Why the file can't be opened: what it is by its first bytes, else what ffmpeg says."""
    if isinstance(error, av.ExitError):
        return source.timeout("opening the file")
    if known := not_a_video(*_start_of(source)):
        return source.error(known)
    cut = getattr(error, "errno", None) == errno.EIO
    cause = "it breaks off in its header; fetch it again" if cut else "it is not a video that ffmpeg can open"
    return source.error(f"{cause} ({error})")


def _start_of(source: DecodeRequest) -> tuple[bytes, int]:
    """The first bytes of a local file, and its size; of an address nothing."""
    if source.allow_addresses or not os.path.isfile(source.path):
        return UNKNOWN_START, 0
    with open(source.path, "rb") as file:
        return file.read(START_BYTES), os.path.getsize(source.path)


def _moving_picture(container: Any, source: DecodeRequest) -> Any:
    """The best video stream."""
    format_name = container.format.name
    stream = container.streams.best("video")
    if stream is None or is_cover(stream):
        raise source.error(text_kind(*_start_of(source)) or f"it has no video stream (format {format_name!r})")
    if format_name in STILL_CONTAINERS or format_name.endswith("_pipe"):
        raise source.error(f"it is a still picture, not a video (format {format_name!r})")
    if stream.codec_context is None:
        raise source.error("ffmpeg has no decoder for its video stream")
    return stream
