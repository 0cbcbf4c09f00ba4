"""decord behind `open_video`: the same frames as PyAV, or an error in words."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stvit_video.data.decoding.probe import VideoIndex
from stvit_video.data.decoding.reader import LIBRARIES, Result, watched
from stvit_video.data.decoding.request import Deadline, DecodeRequest
from stvit_video.utils.optional import load_optional

__all__ = ["DecordReader", "as_array"]


def as_array(batch: Any) -> np.ndarray:
    """The frames that decord hands out, whichever library its global bridge was set to by somebody else."""
    return np.asarray(batch.asnumpy() if hasattr(batch, "asnumpy") else batch)


class DecordReader:
    """decord, for files that `decord_refusal` lets through; each call runs under a watch.

    A decord call can't be interrupted: one that hangs in spite of the guard is left behind in its thread, and
    the caller gets its error. Only in a process of its own (`isolated_backend.py`) is it ended.
    """

    def __init__(self, source: DecodeRequest, index: VideoIndex, deadline: Deadline) -> None:
        self._source = source
        self.index = index
        decord = load_optional(**LIBRARIES["decord"])
        self._video: Any = self._watched(
            lambda: decord.VideoReader(os.path.abspath(source.path), ctx=decord.cpu(0), num_threads=1),
            deadline,
        )
        counted = len(self._video)
        if counted != len(index.pts):
            raise source.error(f"decord counts {counted} frames where the packets hold {len(index.pts)}")

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: decord fails, answers in another shape, or does not come back in time.
        """
        frames = self._watched(lambda: as_array(self._video.get_batch(list(indices))), deadline)
        expected = (len(indices), self.index.height, self.index.width, 3)
        if frames.shape != expected:
            raise self._source.error(f"decord gives frames of shape {frames.shape} instead of {expected}")
        return frames

    def close(self) -> None:
        """Close the file."""
        self._video = None

    def _watched(self, call: Callable[[], Result], deadline: Deadline) -> Result:
        return watched(call, self._source, deadline)
