"""Frames of listed files, among which some have taken a process down with them."""

from collections.abc import Callable, Sequence

from stvit_video.data.loading.frame_source import Decoding, FrameSource, Reading
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes


class SuspectsApart:
    """Frames of files; those of suspects by a decoder in a process of its own, which may crash.

    Attributes:
        suspects: records that were being read when a process was lost.
    """

    def __init__(self, decoding: Decoding) -> None:
        limit = decoding.time_limit_seconds
        self.usual = FrameSource(backend=decoding.backend, time_limit_seconds=limit, warn=False)
        self.apart = FrameSource(backend="isolated", time_limit_seconds=limit, warn=False)
        self.suspects: set[VideoRecord] = set()

    def read(self, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> Reading:
        """Read chosen frames, see `FrameSource.read`."""
        return (self.apart if record in self.suspects else self.usual).read(record, choose)
