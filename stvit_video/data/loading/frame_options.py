"""What pictures that are frames of videos have of settings: declared here, used where lists and batches are made."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from stvit_video.utils.choices import SequenceRule

__all__ = ["FrameOptions", "frame_options"]


@dataclass(frozen=True, kw_only=True)
class FrameOptions:
    """The arguments of `frame_options`."""

    sequences: SequenceRule
    clip_frames: int
    clip_stride: int


def frame_options(
    *,
    sequences: SequenceRule = "listed",
    clip_frames: Annotated[int, Field(ge=1)] = 1,
    clip_stride: Annotated[int, Field(ge=1)] = 1,
) -> FrameOptions:
    """Read the settings of pictures that are frames of videos.

    Args:
        sequences: which pictures are the frames of a video: listed = those whose annotations in COCO's format name the
            same "video" (or "video_id"), by their "frame_index" (or "frame_id"); folders = those of a folder below the
            pictures', by their names.
        clip_frames: a training sample is so many frames of a video, changed alike, the others share the semantic tokens
            of the first; data.batch_size counts frames. 1 = each picture stands for itself.
        clip_stride: places in the video from one frame of a clip to the next.
    """
    return FrameOptions(sequences=sequences, clip_frames=clip_frames, clip_stride=clip_stride)
