"""The views that many settings take of one video: its frames are decoded once, and equal views are cut once.

Two views are equal where they have the same frames, picture size and crop: one clip of a video is often one of four,
and the centre crop one of three.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.resized_frames import read_resized
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import NamedProtocol
from stvit_video.inference.run_settings import RunSettings
from stvit_video.utils.choices import Interpolation

Clip = tuple[int, ...]


class View(NamedTuple):
    """What is cut out of a video.

    Attributes:
        frames: their numbers in the video or segment.
        short_side: of the frames before they are cut, in pixels.
        crop_size: pixels.
        corner: (top, left) in pixels.
    """

    frames: Clip
    short_side: int
    crop_size: int
    corner: tuple[int, int]


class SharedViews:
    """The frames of one video that some settings look at, in the sizes that they need.

    Args:
        source: opens the video.
        record: the listed video.
        settings: that look at it.
        protocol: says which frames and crops.
        interpolation: how frames are resized.

    Raises:
        DecodeError: the video can't be read.
        OpenFilesError: too many files are open.
    """

    def __init__(
        self,
        source: FrameSource,
        record: VideoRecord,
        settings: Sequence[RunSettings],
        *,
        protocol: NamedProtocol,
        interpolation: Interpolation,
    ) -> None:
        self.protocol = protocol
        self._clips: dict[tuple[int, int, int], list[Clip]] = {}
        chosen: list[int] = []

        def choose(times: FrameTimes) -> list[int]:
            for one in settings:
                self._clips.setdefault(_sampling(one), _clips_of(one, times, protocol))
            chosen[:] = sorted({frame for clips in self._clips.values() for clip in clips for frame in clip})
            return chosen

        sides = sorted({one.short_side for one in settings})
        self._frames = read_resized(source, record, choose, short_sides=sides, interpolation=interpolation)
        self._place = {frame: row for row, frame in enumerate(chosen)}

    def views_of(self, settings: RunSettings) -> list[View]:
        """The views of a setting; the crops of the first clip come first, as in `ViewDataset`."""
        height, width = self._frames[settings.short_side].shape[-2:]
        size = settings.crop_size
        corners = self.protocol.corners(height, width, crop_size=size, num_crops=settings.num_crops)
        clips = self._clips[_sampling(settings)]
        return [View(clip, settings.short_side, size, (top, left)) for clip in clips for top, left in corners]

    def cut(self, view: View) -> Tensor:
        """The pixels of a view, (3, T, H, W) uint8."""
        (top, left), size = view.corner, view.crop_size
        rows = [self._place[frame] for frame in view.frames]
        pictures = self._frames[view.short_side][rows, :, top : top + size, left : left + size]  # (T, 3, H, W)
        return pictures.transpose(0, 1)

    def cut_all(self, views: Sequence[View]) -> Tensor:
        """Views of one shape, (V, 3, T, H, W) uint8."""
        return torch.stack([self.cut(view) for view in views])


def _sampling(settings: RunSettings) -> tuple[int, int, int]:
    """What decides about the frames of the clips."""
    return settings.num_frames, settings.frame_stride, settings.num_clips


def _clips_of(settings: RunSettings, times: FrameTimes, protocol: NamedProtocol) -> list[Clip]:
    num_frames, frame_stride, num_clips = _sampling(settings)
    clips = protocol.frame_indices(times, num_frames=num_frames, frame_stride=frame_stride, num_clips=num_clips)
    return [tuple(clip) for clip in clips]
