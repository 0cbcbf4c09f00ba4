"""Which frames and which crops of a video are looked at: pure functions on integers, apart from decoding."""

import math
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch

ShortVideo = Literal["repeat_last", "loop", "error"]

FRAME_TOLERANCE = 1e-3  # in frames: times in tables are rounded, so is 1001 / 30000


def seeded_generator(*numbers: int) -> torch.Generator:
    """A generator whose state depends on all of `numbers`, e.g. (seed, epoch, index), and on nothing else.

    Raises:
        ValueError: a number is negative.
    """
    if min(numbers) < 0:
        raise ValueError(f"a seed is made of {numbers}; use numbers from 0 on")
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) >> 1)


def clip_span(num_frames: int, frame_stride: int) -> int:
    """Number of consecutive video frames that a clip reaches over, first and last included.

    Raises:
        ValueError: `num_frames` or `frame_stride` is below 1.
    """
    _require_positive(num_frames=num_frames, frame_stride=frame_stride)
    return (num_frames - 1) * frame_stride + 1


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
    _require_positive(num_video_frames=num_video_frames)
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
    _require_positive(num_frames=num_frames, frame_stride=frame_stride)
    for name, rate in (("fps", fps), ("target_fps", target_fps)):
        _require_rate(name, rate)
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
    _require_positive(num_video_frames=num_video_frames)
    offsets = fps_scaled_offsets(num_frames=num_frames, frame_stride=frame_stride, fps=fps, target_fps=target_fps)
    num_starts = max(1, num_video_frames - offsets[-1])
    start = int(torch.randint(num_starts, (1,), generator=generator))
    return _within([start + offset for offset in offsets], num_video_frames, short_video)


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
    _require_positive(num_video_frames=num_video_frames, num_frames=num_frames)
    if num_video_frames < num_frames:
        return _within(list(range(num_frames)), num_video_frames, short_video)
    edges = [number * num_video_frames // num_frames for number in range(num_frames + 1)]
    return [first + int(torch.randint(stop - first, (1,), generator=generator)) for first, stop in pairwise(edges)]


def uniform_clip_starts(num_video_frames: int, *, span: int, num_clips: int) -> list[int]:
    """Spread the starts of `num_clips` clips evenly: the first touches frame 0, the last the end.

    One clip is centred. All starts are 0 when the video is shorter than `span`.

    Args:
        num_video_frames: frames in the video (or segment).
        span: frames that one clip reaches over, see `clip_span`.
        num_clips: how many clips.

    Raises:
        ValueError: a count is below 1.
    """
    _require_positive(num_video_frames=num_video_frames, span=span, num_clips=num_clips)
    room = max(0, num_video_frames - span)
    if num_clips == 1:
        return [room // 2]
    return [round(k * room / (num_clips - 1)) for k in range(num_clips)]


def clip_frame_indices(
    start: int,
    num_video_frames: int,
    *,
    num_frames: int,
    frame_stride: int,
    short_video: ShortVideo = "repeat_last",
) -> list[int]:
    """Frame indices of the clip that begins at `start`: start, start + frame_stride, ...

    Args:
        start: first frame of the clip, 0 .. num_video_frames - 1.
        num_video_frames: frames in the video (or segment).
        num_frames: frames in the clip.
        frame_stride: distance between two frames of the clip, in video frames.
        short_video: indices behind the last frame become the last frame ("repeat_last"), count on from
            frame 0 ("loop") or are an error ("error").

    Raises:
        ValueError: a count is below 1, `start` lies outside the video, `short_video` is unknown, or the clip
            reaches over the end and `short_video` is "error".
    """
    _require_positive(num_video_frames=num_video_frames)
    span = clip_span(num_frames, frame_stride)
    if not 0 <= start < num_video_frames:
        raise ValueError(
            f"start={start} lies outside a video of {num_video_frames} frames; use 0 to {num_video_frames - 1}"
        )
    return _within(list(range(start, start + span, frame_stride)), num_video_frames, short_video)


def segment_frame_range(
    num_video_frames: int, fps: float, start_seconds: float | None, end_seconds: float | None
) -> tuple[int, int]:
    """Frames that are displayed from `start_seconds` up to (not including) `end_seconds`.

    Frame i counts as displayed at i / fps seconds. A segment between two frames gives the one that
    stands on the screen at `start_seconds`; an end behind the video is the video's end.

    Args:
        num_video_frames: frames in the video.
        fps: frames per second.
        start_seconds: None = from the beginning.
        end_seconds: None = to the end.

    Returns:
        (first, stop): the frames first .. stop - 1, never empty.

    Raises:
        ValueError: no frames, fps not above 0, end not after start, or the segment begins behind the video.
    """
    _require_positive(num_video_frames=num_video_frames)
    _require_rate("fps", fps)
    start = 0.0 if start_seconds is None else start_seconds
    end = math.inf if end_seconds is None else end_seconds
    if not 0 <= start < end:
        raise ValueError(f"segment {start} to {end} s is none; it must hold that 0 <= start_seconds < end_seconds")
    if start * fps >= num_video_frames - FRAME_TOLERANCE:
        raise ValueError(
            f"the segment begins at {start} s, the video ends at {num_video_frames / fps:.3f} s "
            f"({num_video_frames} frames, {fps:g} fps); correct start_seconds"
        )
    first = _first_frame_at_or_after(start, fps)
    stop = num_video_frames if end == math.inf else min(_first_frame_at_or_after(end, fps), num_video_frames)
    if first >= stop:  # no frame begins inside the segment
        first = max(stop - 1, 0)
    return first, max(stop, first + 1)


def crop_offsets(height: int, width: int, *, crop_size: int, num_crops: int) -> list[tuple[int, int]]:
    """Corners of square crops: 1 = the centre; 3 = start, centre and end of the long side.

    The short side is always centred; on a square frame three crops go from left to right.

    Args:
        height: frame height in pixels.
        width: frame width in pixels.
        crop_size: side of the crop in pixels.
        num_crops: 1 or 3.

    Returns:
        `num_crops` pairs (top, left) in pixels.

    Raises:
        ValueError: `num_crops` is neither 1 nor 3, or the crop does not fit.
    """
    _require_positive(crop_size=crop_size)
    if num_crops not in (1, 3):
        raise ValueError(f"num_crops={num_crops} is not supported; use 1 (centre) or 3 (along the long side)")
    if crop_size > min(height, width):
        raise ValueError(
            f"a crop of {crop_size} pixels does not fit a frame of {height}x{width} (height x width); "
            "use a smaller crop_size or a larger short_side"
        )
    top, left = (height - crop_size) // 2, (width - crop_size) // 2
    if num_crops == 1:
        return [(top, left)]
    if height > width:
        return [(0, left), (top, left), (height - crop_size, left)]
    return [(top, 0), (top, left), (top, width - crop_size)]


def _first_frame_at_or_after(seconds: float, fps: float) -> int:
    """Smallest i with i / fps >= seconds, up to FRAME_TOLERANCE."""
    return math.ceil(seconds * fps - FRAME_TOLERANCE)


def _within(indices: list[int], num_video_frames: int, short_video: ShortVideo) -> list[int]:
    """Increasing indices of a clip with those behind the last frame treated as `short_video` says."""
    if short_video not in get_args(ShortVideo):
        raise ValueError(f"short_video={short_video!r} is unknown; use one of {', '.join(get_args(ShortVideo))}")
    if short_video == "error" and indices[-1] >= num_video_frames:
        raise ValueError(
            f"a clip of {len(indices)} frames from frame {indices[0]} needs {indices[-1] + 1} frames, the video has "
            f"{num_video_frames}; use fewer frames, a smaller stride, or short_video='repeat_last'"
        )
    if short_video == "loop":
        return [index % num_video_frames for index in indices]
    return [min(index, num_video_frames - 1) for index in indices]


def _require_rate(name: str, rate: float) -> None:
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"{name}={rate} must be a finite number above 0")


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count} must be at least 1")
