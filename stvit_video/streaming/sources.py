"""What a stream may be read from: a file, a camera, an address, or an iterator of (seconds, frame)."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from glob import glob
from typing import Any, Literal

import numpy as np

from stvit_video.data.decoding.container import check_local_file
from stvit_video.data.decoding.request import DecodeRequest
from stvit_video.streaming.source_frames import SourceError
from stvit_video.utils.addresses import is_address, is_like_address, shown_address, shown_path
from stvit_video.utils.optional import load_optional

__all__ = ["PROTOCOLS", "Source", "StreamSource", "camera", "find_source"]

StreamSource = str | os.PathLike[str] | int | Iterable[tuple[float, np.ndarray]]
PROTOCOLS = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt", "udp", "rtp", "tcp")
# What ffmpeg may use behind an address: none that reads local files, which a playlist could name.
FFMPEG_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,srt,rtmp,rtmps,rtmpt,rtmpte,crypto,data,hls"
ITERATOR = "an iterator"
NUMBER = re.compile(r"-?[0-9]+")  # of a camera
DEVICE = re.compile(r"/dev/video([0-9]+)")
PORT = re.compile(r"(?:[^/?#]*@)?(?:\[[^\]]*\]|[^:@/?#]*):([0-9]+)(?=[/?#]|$)")  # of an address behind its protocol
MAX_PORT = 65535
ALLOWED = (
    "give the path of a file, the number of a camera, an address such as rtsp://host/path, or an iterator of "
    "(seconds, frame)"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where frames come from.

    Attributes:
        kind: what it is.
        shown: what it is called in every output: its path or address without user name, password and query.
        place: what ffmpeg opens; it may hold secrets and is in no repr.
        demuxer: of ffmpeg; None = whichever fits.
        options: of ffmpeg's.
        frames: of an iterator.
    """

    kind: Literal["file", "camera", "address", "iterator"]
    shown: str
    place: str = field(default="", repr=False)
    demuxer: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    frames: Iterable[Any] | None = field(default=None, repr=False)


def find_source(given: StreamSource, *, allow_addresses: bool = False) -> Source:
    """Tell what `given` is, without opening it.

    Args:
        given: the path of a file; the number of a camera, as a number or in digits; an address; or an iterator of
            (seconds, frame), frames (H, W, 3) uint8 RGB.
        allow_addresses: True = an address may be opened.

    Raises:
        SourceError: the camera is not there.
        DecodeError: the file is not there, or is none.
        ValueError: it is nothing of these, or an address that is not allowed.
    """
    if isinstance(given, int) and not isinstance(given, bool):
        return camera(given)
    if isinstance(given, (str, os.PathLike)):
        place = os.fspath(given)
        if isinstance(place, str):
            return _named(place, allow_addresses=allow_addresses)
    if not isinstance(given, Iterable) or isinstance(given, (np.ndarray, bytes, bytearray)):
        raise ValueError(f"a {type(given).__name__} is no source of frames; {ALLOWED}")
    return Source(kind="iterator", shown=ITERATOR, frames=given)


def _named(place: str, *, allow_addresses: bool) -> Source:
    if NUMBER.fullmatch(place):
        return camera(int(place))
    if not is_address(place):
        return _file(place)
    shown, protocol = shown_address(place), place.split("://", 1)[0].lower()
    if protocol not in PROTOCOLS:
        raise ValueError(f"{shown!r} has the protocol {protocol!r}; a stream is read by {', '.join(PROTOCOLS)}")
    if not allow_addresses:
        raise ValueError(
            f"{shown!r} is an address, which would be asked for over the network; set allow_addresses=True "
            "(on the command line allow_addresses=true) if you trust it"
        )
    port = PORT.match(place.split("://", 1)[1])
    if port is not None and not 0 < int(port[1]) <= MAX_PORT:
        raise ValueError(f"{shown!r} has the port {port[1]}; ports are 1 to {MAX_PORT}")
    options = {"protocol_whitelist": FFMPEG_PROTOCOLS}
    if protocol.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # over UDP lost packets tear pictures, and many networks let none through
    return Source(kind="address", shown=shown, place=place, options=options)


def _file(place: str) -> Source:
    """A file that is there.

    Raises:
        SourceError: it may be a mistyped address, which is not repeated, or is the device of a camera.
        DecodeError: it is none.
    """
    if is_like_address(place) and not os.path.exists(place):
        raise SourceError(f"{shown_path(place)!r} is no file; an address is written rtsp://host/path")
    if (device := DEVICE.fullmatch(place)) is not None:
        raise SourceError(f"{place!r} is a camera, which is opened by its number; use source={device[1]}")
    check_local_file(DecodeRequest(place, "pyav", None))
    return Source(kind="file", shown=place, place=place)


def camera(number: int, *, platform: str = sys.platform) -> Source:
    """A camera of this machine.

    Args:
        number: as the system counts them, from 0.
        platform: as of `sys.platform`.

    Raises:
        SourceError: there is no such camera, or none that can be found out.
    """
    shown = f"camera {number}"
    if number < 0:
        raise SourceError(f"there is no {shown}; cameras are counted from 0")
    if platform == "darwin":
        options = {"framerate": "30"}  # the demuxer's own default is a rate that few cameras have
        return Source(kind="camera", shown=shown, place=str(number), demuxer="avfoundation", options=options)
    if platform == "win32":
        return Source(kind="camera", shown=shown, place=_dshow_name(number), demuxer="dshow")
    device = f"/dev/video{number}"
    if not os.path.exists(device):
        there = ", ".join(sorted(glob("/dev/video*"))) or "no camera"
        raise SourceError(f"there is no {shown} ({device} does not exist); this machine has {there}")
    return Source(kind="camera", shown=shown, place=device, demuxer="v4l2")


def _dshow_name(number: int) -> str:
    """What Windows calls its camera of this number, as ffmpeg opens it."""
    av = load_optional("av", needed_for="reading a camera", install="pip install av")
    try:
        found = av.enumerate_input_devices("dshow")
    except (AttributeError, ValueError, av.FFmpegError):  # an old PyAV, or one without DirectShow
        found = []
    names = [device.name for device in found if "video" in device.media_types]
    if number >= len(names):
        there = ", ".join(names) or "no camera"
        raise SourceError(f"there is no camera {number}; this machine has {there}")
    return f"video={names[number]}"
