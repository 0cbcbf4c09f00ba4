"""Frames that lie in memory already, in place of a decoded file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from stvit_video.data.loading.frame_source import Reading
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes


class Frames(Protocol):
    """Where the frames of listed videos come from."""

    def read(self, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> Reading:
        """Read chosen frames of one listed video, see `FrameSource.read`."""


@dataclass(frozen=True)
class GivenFrames:
    """The frames of one video; answers whatever record is asked for.

    Attributes:
        frames: (n, H, W, 3) uint8 RGB.
        times: of the frames.
    """

    frames: Tensor
    times: FrameTimes

    def read(self, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> Reading:
        """Read chosen frames, see `FrameSource.read`."""
        indices = list(choose(self.times))
        return Reading(self.frames[indices], self.times.seconds[indices].tolist())
