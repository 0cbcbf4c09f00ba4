"""Videos whose frames carry their own number and stand at any times, and the reading of these numbers."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from odd_videos import VP8

BITS, ROWS = 16, 2
BLOCK_PIXELS = 16
# screen recordings as they come: seconds of rest, then a frame for each move
SCREEN_MS = (*range(0, 6000, 1500), *range(6000, 7000, 20))
PHONE_MS = tuple(number * 1000 // 30 + (number * number) % 17 for number in range(90))  # 30 a second with jitter


def write_timed(
    path: Path, times_ms: Iterable[int], *, codec: str = "libx264", rate: int = 30, ticks: int = 1000
) -> Path:
    """Encode one numbered frame at each time, in 1 / 1000 s.

    `rate` is what the encoder is told; `ticks` is the clock of the file, a second.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"crf": "10"} if codec == "libx264" else VP8)
        stream.width, stream.height, stream.pix_fmt = BLOCK_PIXELS * BITS // ROWS, BLOCK_PIXELS * ROWS, "yuv420p"
        stream.codec_context.time_base = Fraction(1, ticks)
        for number, milliseconds in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(_numbered(number), format="rgb24")
            frame.pts, frame.time_base = milliseconds * ticks // 1000, Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers_in(frames: NDArray[np.uint8]) -> list[int]:
    """Frames (n, H, W, 3) -> the number that each carries: black and white blocks, bit 0 first."""
    height, width = frames.shape[1:3]
    rows = [height // 2 - height // 8, height // 2 + height // 8]
    columns = [width * (2 * column + 1) // (2 * BITS // ROWS) for column in range(BITS // ROWS)]
    bits = frames[:, rows][:, :, columns, 1].reshape(len(frames), BITS) > 127  # green in the middle of each block
    return [int(number) for number in bits @ (1 << np.arange(BITS))]


def _numbered(number: int) -> NDArray[np.uint8]:
    bits = (number >> np.arange(BITS) & 1).reshape(ROWS, BITS // ROWS).astype(np.uint8) * 255
    picture = bits.repeat(BLOCK_PIXELS, axis=0).repeat(BLOCK_PIXELS, axis=1)  # (H, W)
    return np.ascontiguousarray(np.stack([picture] * 3, axis=-1))
