"""Which frames a training clip takes; every draw comes from a generator."""

import math
from itertools import pairwise

import numpy as np
import torch

from stvit_video.data.sampling.frame_indices import (
    clip_frame_indices,
    clip_span,
    within_video,
)
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.utils.choices import ShortVideo
from stvit_video.utils.ranges import require_positive, require_rate


def training_frame_indices(
    num_video_frames: int,
    *,
    num_frames: int,
    frame_stride: int,
    generator: torch.Generator,
    short_video: ShortVideo = "repeat_last",
) -> list[int]:
    """Draw one clip; every start at which the clip fits is equally likely (start 0 if none fits).

    Args:
        num_video_frames: frames in the video (or segment).
        num_frames: frames in the clip.
        frame_stride: distance between two frames of the clip, in video frames.
        generator: source of the start.
        short_video: what to do when the clip is longer than the video, see `clip_frame_indices`.

    Returns:
        `num_frames` indices in 0 .. num_video_frames - 1.

    Raises:
        ValueError: a count is below 1, or the video is too short and `short_video` is "error".
    """
    require_positive(num_video_frames=num_video_frames)
    num_starts = max(1, num_video_frames - clip_span(num_frames, frame_stride) + 1)
    start = int(torch.randint(num_starts, (1,), generator=generator))
    return clip_frame_indices(
        start, num_video_frames, num_frames=num_frames, frame_stride=frame_stride, short_video=short_video
    )


def fps_scaled_offsets(*, num_frames: int, frame_stride: int, fps: float, target_fps: float) -> list[int]:
    """How far each frame of a clip lies behind its first one, once the stride is scaled by fps / target_fps.

    A clip then lasts as many seconds in a 60 fps video as in a 25 fps one. The scaled stride need not be whole:
    each offset is rounded half up on its own, so that the clip's length is right to half a frame.

    Args:
        num_frames: frames in the clip.
        frame_stride: distance between two frames of the clip in a video of `target_fps`.
        fps: frames per second of this video.
        target_fps: frames per second that `frame_stride` is meant for, e.g. 30.

    Returns:
        `num_frames` offsets, the first 0, none smaller than the one before.

    Raises:
        ValueError: a count is below 1, or a rate is not a finite number above 0.
    """
    require_positive(num_frames=num_frames, frame_stride=frame_stride)
    for name, rate in (("fps", fps), ("target_fps", target_fps)):
        require_rate(name, rate)
    return [math.floor(number * frame_stride * fps / target_fps + 0.5) for number in range(num_frames)]


def training_scaled_indices(
    num_video_frames: int,
    *,
    num_frames: int,
    frame_stride: int,
    fps: float,
    target_fps: float,
    generator: torch.Generator,
    short_video: ShortVideo = "repeat_last",
) -> list[int]:
    """Draw one clip like `training_frame_indices`, its stride scaled by fps / target_fps.

    Args:
        num_video_frames: frames in the video (or segment).
        num_frames: frames in the clip.
        frame_stride: distance between two frames of the clip in a video of `target_fps`.
        fps: frames per second of this video.
        target_fps: frames per second that `frame_stride` is meant for, e.g. 30.
        generator: source of the start.
        short_video: what to do when the clip is longer than the video, see `clip_frame_indices`.

    Returns:
        `num_frames` indices in 0 .. num_video_frames - 1.

    Raises:
        ValueError: a count or a rate is out of range, or the video is too short and `short_video` is "error".
    """
    require_positive(num_video_frames=num_video_frames)
    offsets = fps_scaled_offsets(num_frames=num_frames, frame_stride=frame_stride, fps=fps, target_fps=target_fps)
    num_starts = max(1, num_video_frames - offsets[-1])
    start = int(torch.randint(num_starts, (1,), generator=generator))
    return within_video([start + offset for offset in offsets], num_video_frames, short_video)


def training_timed_indices(
    times: FrameTimes,
    *,
    num_frames: int,
    frame_stride: int,
    target_fps: float,
    generator: torch.Generator,
    short_video: ShortVideo = "repeat_last",
) -> list[int]:
    """Draw one clip of a variable rate: every time at which it fits is equally likely to be its start.

    Args:
        times: of the frames of the video (or segment).
        num_frames: frames in the clip.
        frame_stride: distance between two frames of the clip in a video of `target_fps`.
        target_fps: frames per second that `frame_stride` is meant for.
        generator: source of the start.
        short_video: what a clip shows that lasts longer than the video: its last frame ("repeat_last"), the video
            from its beginning ("loop"), or an error ("error").

    Returns:
        `num_frames` indices: the frame on the screen at each wanted time.

    Raises:
        ValueError: a count or the rate is out of range, or the video is too short and `short_video` is "error".
    """
    require_positive(num_frames=num_frames, frame_stride=frame_stride)
    require_rate("target_fps", target_fps)
    duration = times.duration_seconds
    clip_seconds = (num_frames - 1) * frame_stride / target_fps
    if short_video == "error" and clip_seconds >= duration:
        raise ValueError(
            f"a clip of {num_frames} frames lasts {clip_seconds:.3f} s, the video {duration:.3f} s; use fewer frames, "
            "a smaller stride, or short_video='repeat_last'"
        )
    room = max(duration - clip_seconds, 0.0)
    start = room * float(torch.rand((), generator=generator, dtype=torch.float64))
    wanted = start + np.arange(num_frames) * frame_stride / target_fps
    return times.shown_at(wanted % duration if short_video == "loop" else wanted)


def training_segment_indices(
    num_video_frames: int,
    *,
    num_frames: int,
    generator: torch.Generator,
    short_video: ShortVideo = "repeat_last",
) -> list[int]:
    """Cut the video into `num_frames` equal segments and draw one frame of each (sparse sampling).

    Args:
        num_video_frames: frames in the video (or segment).
        num_frames: frames in the clip.
        generator: source of the frames.
        short_video: a video with fewer frames than segments gives all its frames, then what this says, see
            `clip_frame_indices`.

    Returns:
        `num_frames` indices in 0 .. num_video_frames - 1; increasing, unless the video is too short.

    Raises:
        ValueError: a count is below 1, or the video is too short and `short_video` is "error".

    Source: Wang et al., Temporal Segment Networks, section 3.1.
    """
    require_positive(num_video_frames=num_video_frames, num_frames=num_frames)
    if num_video_frames < num_frames:
        return within_video(list(range(num_frames)), num_video_frames, short_video)
    edges = [number * num_video_frames // num_frames for number in range(num_frames + 1)]
    return [first + int(torch.randint(stop - first, (1,), generator=generator)) for first, stop in pairwise(edges)]
