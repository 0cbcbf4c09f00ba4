"""Which frames of a file are read: those that are chosen of the listed segment."""

from collections.abc import Callable, Sequence
from typing import Any

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_indices import segment_frame_range
from stvit_video.data.sampling.frame_times import FrameTimes


def chosen_frames(video: Any, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> list[int]:
    """Numbers of frames of the file, of what is chosen in its segment.

    Args:
        video: the open video.
        record: says where the segment begins and ends.
        choose: times of the frames of the segment -> indices into them.

    Raises:
        DecodeError: the segment begins behind the end of the video.
    """
    try:
        first, stop = segment_frame_range(video.times, record.start_seconds, record.end_seconds)
    except ValueError as error:
        raise DecodeError(f"{record.place}: {error}") from error
    return [first + index for index in choose(video.times.segment(first, stop))]
