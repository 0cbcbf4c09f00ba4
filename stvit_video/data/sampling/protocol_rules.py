"""The rules of the named test protocols: which frames the clips of a video have, where the crops of a frame lie.

Pure functions, each what one project's own code does, checked against that project's start indices. Two
projects that both say "4 clips x 3 crops" may well look at different frames: compare `videoswin_clips` and
`mmaction_clips`.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from stvit_video.data.sampling.frame_indices import clip_frame_indices, clip_span, uniform_clip_starts
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.crops import crop_offsets

SLOWFAST_FPS = 30.0  # the frame rate that SlowFast, MViT and TimeSformer count their strides in

Corner = tuple[int, int]  # (top, left) in pixels


class ClipRule(Protocol):
    """(length, fps) of a video -> frame indices of each clip."""

    def __call__(
        self, num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
    ) -> list[list[int]]: ...


class StartRule(Protocol):
    """(length, reach of a clip), both in frames at one rate -> where each clip starts."""

    def __call__(self, num_video_frames: float, reach: float, num_clips: int) -> list[float]: ...


class CropRule(Protocol):
    """Size of a frame -> corners of its square crops."""

    def __call__(self, height: int, width: int, *, crop_size: int, num_crops: int) -> list[Corner]: ...


def uniform_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Ours: the first clip touches the beginning, the last the end; one clip is centred; the last frame repeats."""
    starts = uniform_clip_starts(num_video_frames, span=clip_span(num_frames, frame_stride), num_clips=num_clips)
    return [
        clip_frame_indices(start, num_video_frames, num_frames=num_frames, frame_stride=frame_stride)
        for start in starts
    ]


def videoswin_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Clips at the middles of `num_clips` equal parts; short videos loop.

    Source: SampleFrames of the authors' Video-Swin-Transformer, a fork of mmaction2 0.x.
    """
    _require_counts(num_video_frames, fps, num_clips)
    reach = num_frames * frame_stride
    step = (num_video_frames - reach + 1) / num_clips
    starts = [int(k * step + step / 2) if num_video_frames >= reach else 0 for k in range(num_clips)]
    return _looped(starts, num_video_frames, num_frames=num_frames, frame_stride=frame_stride)


def mmaction_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """First and last clip touch the ends, one clip is centred; short videos loop.

    Source: SampleFrames of mmaction2 1.x, test mode.
    """
    _require_counts(num_video_frames, fps, num_clips)
    room = max(num_video_frames - clip_span(num_frames, frame_stride), 0)
    step = room / max(num_clips - 1, 1)
    starts = [round(k * step) for k in range(num_clips)] if num_clips > 1 else [room // 2]
    return _looped(starts, num_video_frames, num_frames=num_frames, frame_stride=frame_stride)


def videomae_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Clips spread over the list of every `frame_stride`-th frame, its last one repeated where it is too short.

    Source: VideoClsDataset of VideoMAE, test mode.
    Differs: one clip is centred, there it divides by zero.
    """
    _require_counts(num_video_frames, fps, num_clips)
    clip_span(num_frames, frame_stride)  # refuses counts below 1
    kept = list(range(0, num_video_frames, frame_stride))
    kept += [kept[-1]] * (num_frames - len(kept))
    room = len(kept) - num_frames
    step = room / max(num_clips - 1, 1)
    starts = [int(k * step) for k in range(num_clips)] if num_clips > 1 else [room // 2]
    return [kept[start : start + num_frames] for start in starts]


def videomae_ssv2_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """One frame of each of `num_frames` equal segments; clip k is shifted by k / num_clips of a segment.

    The stride is not used: a clip always reaches over the whole video.

    Source: SSVideoClsDataset of VideoMAE, test mode (2 clips: beginnings and middles of the segments).
    Differs: one clip takes the middles; more than two are spread evenly, there they repeat the last frame.
    """
    _require_counts(num_video_frames, fps, num_clips)
    clip_span(num_frames, frame_stride)  # refuses counts below 1
    segment = num_video_frames / num_frames
    shifts = [segment * k / num_clips for k in range(num_clips)] if num_clips > 1 else [segment / 2]
    return [[int(shift + segment * number) for number in range(num_frames)] for shift in shifts]


def slowfast_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Clip k of N begins at k / N of the room: the last one never touches the end; at 30 frames a second.

    Source: `get_start_end_idx` without offset and `temporal_sampling` of SlowFast, whole video decoded.
    """
    _require_counts(num_video_frames, fps, num_clips)
    reach = _slowfast_reach(num_frames, frame_stride, fps)
    starts = slowfast_starts(num_video_frames, reach, num_clips)
    return _spread(starts, num_video_frames, reach=reach, num_frames=num_frames)


def slowfast_starts(num_video_frames: float, reach: float, num_clips: int) -> list[float]:
    """Clip k of N begins at k / N of the room."""
    room = max(num_video_frames - reach, 0.0)
    return [room * k / num_clips for k in range(num_clips)]


def mvit_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Whole steps, so that the last clip about touches the end; one clip is centred; at 30 frames a second.

    Source: `get_start_end_idx` of SlowFast with USE_OFFSET_SAMPLING, whole video decoded.
    """
    _require_counts(num_video_frames, fps, num_clips)
    reach = _slowfast_reach(num_frames, frame_stride, fps)
    return _spread(
        offset_starts(num_video_frames, reach, num_clips), num_video_frames, reach=reach, num_frames=num_frames
    )


def offset_starts(num_video_frames: float, reach: float, num_clips: int) -> list[float]:
    """Whole steps over the room; one clip is centred."""
    room = max(num_video_frames - reach, 0.0)
    if num_clips == 1:
        return [math.floor(room / 2)]
    return [k * math.floor(room / (num_clips - 1)) for k in range(num_clips)]


def clips_by_time(
    starts: StartRule, times: FrameTimes, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """What a rule that counts at 30 frames a second takes of a variable rate: the frame shown at each wanted time.

    Args:
        starts: where the clips of the rule start.
        times: of the video or segment.
        num_frames: frames of a clip.
        frame_stride: distance between two of them at 30 frames a second.
        num_clips: clips of the video.

    Raises:
        ValueError: a count is below 1.
    """
    _require_counts(times.num_frames, SLOWFAST_FPS, num_clips)
    reach = _slowfast_reach(num_frames, frame_stride, SLOWFAST_FPS)
    offsets = np.linspace(0, reach - 1, num_frames)
    placed = starts(times.duration_seconds * SLOWFAST_FPS, reach, num_clips)
    return [times.shown_at((start + offsets) / SLOWFAST_FPS) for start in placed]


def uniformer_clips(
    num_video_frames: int, fps: float, *, num_frames: int, frame_stride: int, num_clips: int
) -> list[list[int]]:
    """Like `mvit_clips`, but in frames of the video, whatever its rate.

    Source: `decode` of UniFormer's SlowFast fork with decord, which leaves the frame rate out.
    """
    _require_counts(num_video_frames, fps, num_clips)
    reach = float(clip_span(num_frames, frame_stride) + frame_stride - 1)
    return _spread(
        offset_starts(num_video_frames, reach, num_clips), num_video_frames, reach=reach, num_frames=num_frames
    )


def even_corners(height: int, width: int, *, crop_size: int, num_crops: int) -> list[Corner]:
    """Like `crop_offsets`, but the last of three crops lies twice as far as the middle one, up to 1 pixel off the end.

    Source: ThreeCrop of mmaction2.
    """
    corners = crop_offsets(height, width, crop_size=crop_size, num_crops=num_crops)
    if num_crops == 1:
        return corners
    (top, left), (middle_top, middle_left) = corners[:2]
    return [*corners[:2], (2 * middle_top - top, 2 * middle_left - left)]


def ceil_corners(height: int, width: int, *, crop_size: int, num_crops: int) -> list[Corner]:
    """Like `crop_offsets`, but a centre between two pixels is rounded up, not down.

    Source: `uniform_crop` of SlowFast.
    """
    corners = crop_offsets(height, width, crop_size=crop_size, num_crops=num_crops)
    top, left = -((crop_size - height) // 2), -((crop_size - width) // 2)
    if num_crops == 1:
        return [(top, left)]
    if height > width:
        return [(corners[0][0], left), (top, left), (corners[2][0], left)]
    return [(top, corners[0][1]), (top, left), (top, corners[2][1])]


def _looped(starts: Sequence[int], num_video_frames: int, *, num_frames: int, frame_stride: int) -> list[list[int]]:
    return [
        clip_frame_indices(
            start, num_video_frames, num_frames=num_frames, frame_stride=frame_stride, short_video="loop"
        )
        for start in starts
    ]


def _slowfast_reach(num_frames: int, frame_stride: int, fps: float) -> float:
    """Frames of this video that a clip reaches over, one stride behind its last frame included."""
    clip_span(num_frames, frame_stride)  # refuses counts below 1
    return max(1.0, frame_stride * num_frames / SLOWFAST_FPS * fps)


def _spread(starts: Sequence[float], num_video_frames: int, *, reach: float, num_frames: int) -> list[list[int]]:
    """`num_frames` frames evenly over `reach` from each start, rounded down; in float32, as those projects do."""
    spread = (_linspace(start, start + reach - 1, num_frames) for start in starts)
    return [clip.clip(0, num_video_frames - 1).astype(np.int64).tolist() for clip in spread]


def _linspace(start: float, end: float, num: int) -> np.ndarray:
    """`torch.linspace` in float32 without torch: from both ends to the middle, each value rounded once."""
    first, last = np.float32(start), np.float32(end)
    if num == 1:
        return np.array([first])
    step = np.float64((last - first) / np.float32(num - 1))
    places = np.arange(num)
    values = np.where(places < num // 2, first + step * places, last - step * (num - 1 - places))
    return values.astype(np.float32)


def _require_counts(num_video_frames: int, fps: float, num_clips: int) -> None:
    for name, count in (("num_video_frames", num_video_frames), ("num_clips", num_clips)):
        if count < 1:
            raise ValueError(f"{name}={count} must be at least 1")
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps={fps} must be a finite number above 0")
