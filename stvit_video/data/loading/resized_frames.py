"""Chosen frames of a video in several sizes, by one pass over its file and in bounded memory."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch

from stvit_video.data.loading.chosen_frames import chosen_frames
from stvit_video.data.loading.frame_source import CHUNK_BYTES, FrameSource
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.utils.choices import Interpolation

Choose = Callable[[FrameTimes], Sequence[int]]


def read_resized(
    source: FrameSource,
    record: VideoRecord,
    choose: Choose,
    *,
    short_sides: Collection[int],
    interpolation: Interpolation = "bilinear",
    chunk_bytes: int = CHUNK_BYTES,
) -> dict[int, torch.Tensor]:
    """Read chosen frames of one listed video, and resize them to several sizes as they come.

    Args:
        source: opens the videos.
        record: the listed video.
        choose: times of the frames of the segment -> indices into them, ascending, each once.
        short_sides: pixels.
        interpolation: how frames are resized.
        chunk_bytes: memory that frames of full size may take at a time, one frame at least.

    Returns:
        Frames (n, 3, h, w) uint8 by short side.

    Raises:
        DecodeError, OpenFilesError: as `FrameSource.read`.
    """

    def work(video: Any) -> dict[int, torch.Tensor]:
        indices = chosen_frames(video, record, choose)
        resized: dict[int, list[torch.Tensor]] = {side: [] for side in short_sides}
        start, size = 0, 1  # the first frame tells how many fit
        while start < len(indices):
            frames = channels_first(torch.as_tensor(video.read(indices[start : start + size])))  # (size, 3, H, W)
            for side, parts in resized.items():
                parts.append(resize_short_side(frames, short_side=side, interpolation=interpolation))
            start += size
            size = max(1, chunk_bytes // frames[0].nbytes)
        return {side: torch.cat(parts) for side, parts in resized.items()}

    return source.with_video(record, work)
