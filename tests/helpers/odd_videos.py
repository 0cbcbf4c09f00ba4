"""Videos that decoders disagree on, made small: how each is made, and what it then is."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from video_maker import make_video, remuxed

WIDTH, HEIGHT = 98, 70  # wide enough for decord
ONE_GOP = {"g": "250", "preset": "ultrafast"}
X265 = {"x265-params": "log-level=none:keyint=10:min-keyint=10"}
SVT_AV1 = {"preset": "12", "svtav1-params": "lp=1"}
VP8 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
FFMPEG_MADE = ("ffmpeg_trim.mp4",)


@dataclass(frozen=True)
class Recipe:
    """How a file is made, and what it then is."""

    make: Callable[[Path], Any]
    codec: str = "h264"
    num_frames: int | None = 35
    size: tuple[int, int] = (WIDTH, HEIGHT)
    rotation_degrees: int = 0


def encoded(**arguments: Any) -> Callable[[Path], Any]:
    """A maker that passes these arguments to `make_video`."""
    return lambda path: make_video(path, **arguments)


def turned(degrees: int) -> Recipe:
    """Three frames, stored so that a player turns them."""
    return Recipe(encoded(num_frames=3, rotation=(degrees, False)), num_frames=3, rotation_degrees=degrees)


def mpeg4_avi(path: Path) -> None:
    """As UCF101 has them: 25 frames a second are written in the header, and no times in the packets."""
    whole = make_video(path.with_name("whole.mp4"))
    with av.open(str(whole)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"g": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def stream_copied_trim(path: Path) -> None:
    """The last 28 of 35 frames without encoding anew: the seven before stay in the file, at negative times."""
    whole = make_video(path.with_name("whole.mp4"), options={"g": "10", "bf": "0", "preset": "ultrafast"})
    remuxed(whole, path, shift_pts=-7 * 512)


def ffmpeg_trim(path: Path) -> None:
    """The same by the command that people use."""
    whole = make_video(path.with_name("whole.mp4"), num_frames=50)
    command = ["ffmpeg", "-loglevel", "error", "-ss", "0.3", "-i", str(whole), "-c", "copy", str(path)]
    subprocess.run(command, check=True)


def corrupted(path: Path) -> None:
    """A packet in the middle has a length that can't be right."""
    make_video(path, options={"g": "7", "bf": "0", "preset": "ultrafast"})
    with av.open(str(path)) as container:
        positions = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[positions[13] : positions[13] + 4] = b"\x80\x00\x00\x00"
    path.write_bytes(data)


def truncated(path: Path) -> None:
    """A download that broke off: the header promises 35 frames, the data ends before."""
    make_video(path, muxing={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def write_unseekable(path: Path, file: Any) -> None:
    """Remux to matroska as into a pipe: the header can't be completed with a duration."""

    class Pipe:
        def write(self, data: bytes) -> int:
            return file.write(data)

    with av.open(str(path)) as source, av.open(Pipe(), "w", format="matroska") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)


def without_duration(path: Path) -> None:
    """A recording that was written into a pipe."""
    with path.open("wb") as file:
        write_unseekable(make_video(path.with_name("whole.mp4")), file)


MADE = {
    "plain.mp4": Recipe(encoded()),
    "plain.mkv": Recipe(encoded()),
    "long_gop.mp4": Recipe(encoded(num_frames=60, options=ONE_GOP), num_frames=60),
    "short_32.mp4": Recipe(encoded(num_frames=32, options=ONE_GOP), num_frames=32),
    "-one_pixel.mp4": Recipe(encoded(num_frames=5, size=(1, 1), pixel_format="yuv444p"), num_frames=5, size=(1, 1)),
    "animated.gif": Recipe(encoded(codec="gif", options={}, pixel_format="rgb8"), "gif"),
    "av1.mkv": Recipe(encoded(codec="libsvtav1", options=SVT_AV1), "libdav1d"),
    "h264_10bit.mp4": Recipe(encoded(pixel_format="yuv420p10le")),
    "h265.mp4": Recipe(encoded(codec="libx265", options=X265), "hevc"),
    "mpeg4.avi": Recipe(mpeg4_avi, "mpeg4"),
    "vp8.webm": Recipe(encoded(codec="libvpx", options=VP8, num_frames=12), "vp8", num_frames=12),
    "rotated_90.mov": turned(-90),
    "rotated_180.mov": turned(-180),
    "stream_copied_trim.mp4": Recipe(stream_copied_trim, num_frames=28),
    "ffmpeg_trim.mp4": Recipe(ffmpeg_trim, num_frames=42),
    "no_duration.mkv": Recipe(without_duration),
    "corrupted.mp4": Recipe(corrupted, num_frames=None),
    "truncated.mp4": Recipe(truncated, num_frames=None),
    "empty.webm": Recipe(lambda path: path.write_bytes(b""), "", num_frames=None),
}
