"""From the `data` settings to the sequences of listed pictures, and to batches of pictures or clips of them."""

from collections.abc import Mapping
from typing import Any, get_type_hints

from stvit_video.data.loading.frame_options import FrameOptions, frame_options
from stvit_video.data.loading.picture_clips import FrameClips
from stvit_video.data.loading.picture_loaders import PictureBatches
from stvit_video.settings.data_settings import ClipSettings

__all__ = ["build_picture_batches", "find_frame_options"]


def build_picture_batches(data: ClipSettings) -> PictureBatches:
    """Build how many pictures make a batch, and which of them are clips.

    Raises:
        ValueError: data.batch_size is no multiple of data.clip_frames.
    """
    options = find_frame_options(data.plain())
    return PictureBatches(
        size=data.batch_size,
        val_size=data.val_batch_size,
        num_workers=data.num_workers,
        frames=FrameClips(num_frames=options.clip_frames, stride=options.clip_stride),
    )


def find_frame_options(data: Mapping[str, Any]) -> FrameOptions:
    """The settings of `data` about frames of videos; one that is not given has its default."""
    names = set(get_type_hints(frame_options)) - {"return"}
    return frame_options(**{name: data[name] for name in names if name in data})
