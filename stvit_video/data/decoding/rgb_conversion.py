"""From a decoder's frame to RGB as the ffmpeg command and torchcodec make it, in the size of the video's first frame.

PyAV's `VideoReformatter` hands the place of the chroma samples and the interlacing of a frame to the scaler, which the
ffmpeg command does not: 10-bit, odd-sized and interlaced pictures then differ by 1 to 6 levels of 255 on average. The
`scale` filter is what the command itself uses, at the same speed.
"""

from typing import Any

import numpy as np

__all__ = ["RgbConversion", "turned_picture"]

SCALER = "bicubic"  # the command's default: how colour is interpolated between pixels, and how a picture is resized


class RgbConversion:
    """Makes each frame RGB of one size; where the size changes in mid-stream it scales, as the ffmpeg command does.

    Args:
        height: of every picture, in pixels.
        width: of every picture, in pixels.
        av: the module PyAV.
    """

    def __init__(self, av: Any, *, height: int, width: int) -> None:
        self._av = av
        self._height, self._width = height, width
        self._graph: Any = None
        self._source: tuple[int, int, str] | None = None  # width, height and pixel format that the graph was made for

    def picture(self, frame: Any) -> np.ndarray:
        """The frame as it is stored: (H, W, 3) uint8, RGB.

        Args:
            frame: an `av.VideoFrame` of any size and pixel format.
        """
        source = (frame.width, frame.height, frame.format.name)
        if source != self._source:
            self._graph, self._source = self._made_for(frame), source
        self._graph.push(frame)
        picture: np.ndarray = self._graph.pull().to_ndarray()  # (H, W, 3)
        return picture

    def _made_for(self, frame: Any) -> Any:
        graph = self._av.filter.Graph()
        if hasattr(graph, "threads"):  # since PyAV 17.1
            graph.threads = 1  # one for each core costs more than it gains on frames of this size
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or 1
            ),
            graph.add("scale", f"{self._width}:{self._height}:flags={SCALER}:threads=1"),
            graph.add("format", "rgb24"),
            graph.add("buffersink"),
        )
        graph.configure()
        return graph


def turned_picture(picture: np.ndarray, *, quarter_turns: int, flipped: bool) -> np.ndarray:
    """A stored picture as it is displayed.

    Args:
        picture: (h, w, 3).
        quarter_turns: counter-clockwise, as of `orientation`.
        flipped: True = mirrored left to right before them.

    Returns:
        (H, W, 3), a view of the same values.
    """
    return np.rot90(picture[:, ::-1] if flipped else picture, quarter_turns)
