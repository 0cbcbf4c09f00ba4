"""torchcodec behind `open_video`: an optional extra that must give the same frames as PyAV, or fail in words."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from stvit_video.data.decoding.probe import VideoIndex
from stvit_video.data.decoding.reader import LIBRARIES, watched
from stvit_video.data.decoding.request import Deadline, DecodeRequest
from stvit_video.utils.optional import load_optional

__all__ = ["TorchcodecReader", "torchcodec_refusal"]

ROUNDING_CODECS = ("mpeg4", "mjpeg")  # their standards leave open how the inverse transform rounds


class TorchcodecReader:
    """torchcodec's exact mode, which scans the file once when it is opened; each call runs under a watch.

    Its ffmpeg is the system's and not PyAV's, so what it makes of a file is checked: the number of frames, their
    size, and the time of each frame that is read. Frames were measured to be pixel-identical, 8 and 10 bit, odd sizes,
    interlaced, with the libraries of ffmpeg 5 and 8.
    """

    def __init__(self, source: DecodeRequest, index: VideoIndex, deadline: Deadline) -> None:
        self._source = source
        self.index = index
        refusal = torchcodec_refusal(index)
        if refusal is not None:
            raise source.error(f"torchcodec is not safe on this file, {refusal}; use backend=auto or backend=pyav")
        decoders = load_optional(**LIBRARIES["torchcodec"])
        self._video: Any = watched(
            lambda: decoders.VideoDecoder(
                os.path.abspath(source.path), dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact"
            ),
            source,
            deadline,
        )
        if len(self._video) != len(index.pts):
            raise source.error(f"torchcodec counts {len(self._video)} frames where the packets hold {len(index.pts)}")

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: torchcodec fails, answers with other frames or sizes, or does not come back in time.
        """
        batch = watched(lambda: self._video.get_frames_at(list(indices)), self._source, deadline)
        frames = batch.data.numpy()
        expected = (len(indices), self.index.height, self.index.width, 3)
        if frames.shape != expected:
            raise self._source.error(f"torchcodec gives frames of shape {frames.shape} instead of {expected}")
        for position, seconds in zip(indices, batch.pts_seconds.tolist(), strict=True):
            self._check_time_of(position, seconds)
        return frames

    def close(self) -> None:
        """Close the file."""
        self._video = None

    def _check_time_of(self, position: int, seconds: float) -> None:
        promised = self.index.pts[position] * self.index.time_base_seconds
        if abs(seconds - promised) > self.index.time_base_seconds:
            cause = f"torchcodec gives the frame of {seconds:g} s where frame {position} is shown at {promised:g} s"
            raise self._source.error(cause)


def torchcodec_refusal(index: VideoIndex) -> str | None:
    """Why torchcodec is not asked to read this file, or None where it gives PyAV's frames (measured with 0.17).

    Its own count fails on transport streams, reordered AVI and raw streams; it does not mirror, and picks among
    several streams by rules of its own.
    """
    rules = (
        (bool(index.distrust), index.distrust),
        (index.codec in ROUNDING_CODECS, f"decoders of codec {index.codec!r} may round, each in its own way"),
        (index.flipped, "it is stored mirrored"),
        (index.num_video_streams != 1, f"it has {index.num_video_streams} video streams"),
        (index.size_may_change, "the size of its pictures may change in mid-stream"),
        (index.open_gop and index.codec == "h264", "some of its keyframes are no clean restarts"),
    )
    return next((reason for holds, reason in rules if holds), None)
