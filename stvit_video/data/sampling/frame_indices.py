"""Which frames a clip takes: index arithmetic without decoding, and without torch."""

import math

from stvit_video.data.sampling.frame_times import FRAME_TOLERANCE, FrameTimes
from stvit_video.utils.choices import ShortVideo, words_of
from stvit_video.utils.ranges import require_positive


def clip_span(num_frames: int, frame_stride: int) -> int:
    """Number of consecutive video frames that a clip reaches over, first and last included.

    Raises:
        ValueError: `num_frames` or `frame_stride` is below 1.
    """
    require_positive(num_frames=num_frames, frame_stride=frame_stride)
    return (num_frames - 1) * frame_stride + 1


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
    require_positive(num_video_frames=num_video_frames, span=span, num_clips=num_clips)
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
    require_positive(num_video_frames=num_video_frames)
    span = clip_span(num_frames, frame_stride)
    if not 0 <= start < num_video_frames:
        raise ValueError(
            f"start={start} lies outside a video of {num_video_frames} frames; use 0 to {num_video_frames - 1}"
        )
    return within_video(list(range(start, start + span, frame_stride)), num_video_frames, short_video)


def segment_frame_range(times: FrameTimes, start_seconds: float | None, end_seconds: float | None) -> tuple[int, int]:
    """Frames whose own time stamp lies from `start_seconds` up to (not including) `end_seconds`.

    A segment between two frames gives the one that stands on the screen at its end; an end behind the video is the
    video's end.

    Args:
        times: of all frames of the video.
        start_seconds: counted from the first frame; None = from the beginning.
        end_seconds: None = to the end.

    Returns:
        (first, stop): the frames first .. stop - 1, never empty.

    Raises:
        ValueError: end not after start, or the segment begins behind the video.
    """
    require_segment(
        start_seconds, end_seconds, num_frames=times.num_frames, video_seconds=times.end_seconds, fps=times.fps
    )
    first = 0 if start_seconds is None else times.first_at_or_after(start_seconds)
    end = math.inf if end_seconds is None else end_seconds
    stop = times.first_at_or_after(end)
    if first >= stop:  # no frame begins inside the segment
        first = max(stop - 1, 0)
    return first, max(stop, first + 1)


def require_segment(
    start_seconds: float | None, end_seconds: float | None, *, num_frames: int, video_seconds: float, fps: float
) -> None:
    """Raise unless a video that lasts `video_seconds` has such a segment.

    Raises:
        ValueError: end not after start, or the segment begins behind the video.
    """
    start = 0.0 if start_seconds is None else start_seconds
    end = math.inf if end_seconds is None else end_seconds
    if not 0 <= start < end:
        raise ValueError(f"segment {start} to {end} s is none; it must hold that 0 <= start_seconds < end_seconds")
    if start >= video_seconds - FRAME_TOLERANCE / fps:
        raise ValueError(
            f"the segment begins at {start} s, the video ends at {video_seconds:.3f} s ({num_frames} frames, "
            f"{fps:g} fps); correct start_seconds, which counts from the first frame"
        )


def within_video(indices: list[int], num_video_frames: int, short_video: ShortVideo) -> list[int]:
    """Increasing indices of a clip with those behind the last frame treated as `short_video` says."""
    if short_video not in words_of(ShortVideo):
        raise ValueError(f"short_video={short_video!r} is unknown; use one of {', '.join(words_of(ShortVideo))}")
    if short_video == "error" and indices[-1] >= num_video_frames:
        raise ValueError(
            f"a clip of {len(indices)} frames from frame {indices[0]} needs {indices[-1] + 1} frames, the video has "
            f"{num_video_frames}; use fewer frames, a smaller stride, or short_video='repeat_last'"
        )
    if short_video == "loop":
        return [index % num_video_frames for index in indices]
    return [min(index, num_video_frames - 1) for index in indices]
