"""Videos whose frames stand at chosen times, and whose pictures say which frame they are."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from odd_videos import VP8

SIZE = (128, 64)  # pixels, width and height
MILLISECOND = Fraction(1, 1000)
STORED_EARLY = 1000  # ticks that the decoding times lie before the first display time
_ROWS, _COLUMNS = 2, 8
# a screen recording: rest, then a frame for each move; in 1 / 1000 s
SCREEN_MS = (*range(0, 6000, 1500), *range(6000, 7000, 20))


def numbered_picture(number: int) -> np.ndarray:
    """(H, W, 3): the bits of the number as black and white blocks, bit 0 first, 2 rows of 8."""
    bits = np.array([number >> bit & 1 for bit in range(_ROWS * _COLUMNS)], np.uint8).reshape(_ROWS, _COLUMNS)
    block = (SIZE[1] // _ROWS, SIZE[0] // _COLUMNS)
    return np.repeat(np.kron(16 + 219 * bits, np.ones(block, np.uint8))[:, :, None], 3, axis=2)


def picture_number(picture: np.ndarray) -> int:
    """The number that a picture of any size shows: 2 rows of 8 blocks around its middle."""
    height, width = picture.shape[:2]
    rows = [height // 2 - height // 8, height // 2 + height // 8]
    columns = [(2 * column + 1) * width // (2 * _COLUMNS) for column in range(_COLUMNS)]
    levels = picture.mean(axis=2)[np.ix_(rows, columns)]
    return sum(1 << bit for bit, level in enumerate(levels.ravel()) if level > 127)


def picture_numbers(pictures: Iterable[np.ndarray]) -> list[int]:
    """The number that each picture shows."""
    return [picture_number(picture) for picture in pictures]


def timed_video(
    path: Path, times_ms: Iterable[int], *, codec: str = "libx264", rate: int = 30, ticks: int = 1000
) -> Path:
    """A video of numbered frames that are encoded at these times, in 1 / 1000 s; they ascend.

    `rate` is what the encoder is told; `ticks` is the clock of the file, a second.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"crf": "10"} if codec == "libx264" else VP8)
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, ticks)
        for number, milliseconds in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame.pts, frame.time_base = milliseconds * ticks // 1000, Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def stamped_video(path, stamps, *, codec="libvpx-vp9", time_base=MILLISECOND, options=None):
    """A video of as many numbered frames as there are stamps, each displayed at its own, in units of time_base.

    The frames are encoded at an even rate first; then their packets get the stamps, which may repeat and run backwards.
    """
    even = Path(f"{path}.even.mkv")
    with av.open(str(even), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(len(stamps)):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(even)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        stream.time_base = time_base
        packets = [packet for packet in source.demux(video=0) if packet.size]
        shown_order = sorted(packet.pts for packet in packets)
        for place, packet in enumerate(packets):
            packet.pts, packet.time_base = stamps[shown_order.index(packet.pts)], time_base
            packet.dts, packet.stream = place - STORED_EARLY, stream
            container.mux(packet)
    even.unlink()
    return path
