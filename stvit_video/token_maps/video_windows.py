"""The clips of a video whose tokens are looked at: windows from its start, as shown and as a model takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.data.decoding.pixel_shape import SQUARE
from stvit_video.data.loading.central_view import central_view
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocol_rules import SLOWFAST_FPS, videomae_ssv2_clips
from stvit_video.data.sampling.protocols import NamedProtocol, find_protocol
from stvit_video.data.transforms.crops import resized_size
from stvit_video.data.transforms.functional import channels_first, finish_clips
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.trained_model import TrainedModel

__all__ = ["Window", "Windows", "plan_windows", "read_windows", "shown_frames", "shown_size"]

MAX_SHOWN_PIXELS = 480  # of the long side


@dataclass(frozen=True, eq=False)
class Window:
    """One clip of a video.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB, whole frames with square pixels, at most MAX_SHOWN_PIXELS a side.
        seconds: (T,) when each is shown, from the first frame of the video.
        seen: top, left, bottom, right of the central view in pixels of `frames`.
        view: (1, 3, T, h, w) float32, the central view as the model takes it.
    """

    frames: np.ndarray
    seconds: np.ndarray
    seen: tuple[int, int, int, int]
    view: Tensor


@dataclass(frozen=True, eq=False)
class Windows:
    """The clips of one video.

    Attributes:
        clips: in the order of time.
        num_windows: that the video has; more than `clips` where only some were asked for.
        is_filled_up: whether the video has too few frames for a clip, which repeats some or begins again.
        seconds_left: at the end of the video, that are in no window.
        seconds: how long the video lasts.
        fps: frames a second that the clips have.
    """

    clips: Sequence[Window]
    num_windows: int
    is_filled_up: bool
    seconds_left: float
    seconds: float
    fps: float


def plan_windows(
    times: FrameTimes, protocol: NamedProtocol, preprocessing: Preprocessing
) -> tuple[list[list[int]], int]:
    """The frames of each window: consecutive windows from the start, those of one by the protocol's rule.

    A protocol whose clip always reaches over the whole video has one window, and so has a video that is shorter than a
    window; what it lacks is filled up by the protocol's rule.

    Args:
        times: of the frames of the video.
        protocol: says which frames a clip takes of as many as it reaches over.
        preprocessing: frames of a clip and their distance.

    Returns:
        Frames of each window, and the number of frames at the end that are in none.
    """
    settings: dict[str, Any] = {"num_frames": preprocessing.num_frames, "frame_stride": preprocessing.frame_stride}
    reach = preprocessing.num_frames * preprocessing.frame_stride
    span = reach - preprocessing.frame_stride + 1  # the last frame of a video need not stand for a whole stride
    if protocol.starts is not None:  # counts its stride at this rate
        reach = span = max(1, round(reach * times.fps / SLOWFAST_FPS))
    if protocol.clips is videomae_ssv2_clips or times.num_frames <= span:
        return protocol.frame_indices(times, **settings, num_clips=1), 0
    windows = []
    for start in range(0, times.num_frames - span + 1, reach):
        part = times.segment(start, min(start + reach, times.num_frames))
        (indices,) = protocol.frame_indices(part, **settings, num_clips=1)
        windows.append([start + index for index in indices])
    return windows, max(times.num_frames - len(windows) * reach, 0)


def read_windows(trained: TrainedModel, record: VideoRecord, source: FrameSource, *, max_clips: int) -> Windows:
    """Read the windows of a video, one after the other, so that whole frames of one are in memory at a time.

    Args:
        trained: says what the model is fed with.
        record: the video or picture.
        source: opens it.
        max_clips: of more windows, so many spread evenly, the first and the last among them.

    Raises:
        DecodeError, OpenFilesError: as `FrameSource.read`.
    """
    protocol, preprocessing = find_protocol(trained.protocol.name), trained.preprocessing

    def work(video: Any) -> Windows:
        times: FrameTimes = video.times
        windows, num_left = plan_windows(times, protocol, preprocessing)
        chosen = np.unique(np.linspace(0, len(windows) - 1, min(max_clips, len(windows))).round().astype(int))
        clips = [_read_window(video, windows[number], protocol, preprocessing) for number in chosen]
        return Windows(
            clips=clips,
            num_windows=len(windows),
            is_filled_up=any((np.diff(windows[number]) <= 0).any() for number in chosen),
            seconds_left=times.end_seconds - float(times.seconds[-num_left]) if num_left else 0.0,
            seconds=times.duration_seconds,
            fps=_shown_fps(times, [windows[number] for number in chosen]),
        )

    return source.with_video(record, work)


def _shown_fps(times: FrameTimes, windows: Sequence[Sequence[int]]) -> float:
    """Frames a second of clips; of clips of one frame, which may be far apart, the rate at which these follow."""
    frames = windows[0] if len(windows[0]) > 1 else [index for window in windows for index in window]
    steps = np.diff(frames)
    moving = steps[steps > 0]  # frames that are repeated to fill up a clip say nothing
    return times.fps / float(np.median(moving)) if len(moving) else times.fps


def _read_window(video: Any, indices: Sequence[int], protocol: NamedProtocol, preprocessing: Preprocessing) -> Window:
    frames = torch.as_tensor(video.read(indices))  # (T, H, W, 3)
    view = central_view(frames, preprocessing, protocol.corners).transpose(0, 1)[None]  # (1, 3, T, h, w)
    shown = shown_frames(frames, video.pixel_aspect)
    return Window(
        frames=shown,
        seconds=np.asarray(video.times.seconds[list(indices)], dtype=np.float64),
        seen=_seen(tuple(frames.shape[1:3]), shown.shape[1:3], protocol, preprocessing),  # type: ignore[arg-type]
        view=finish_clips(view, preprocessing),
    )


def _seen(
    size: tuple[int, int], shown: tuple[int, int], protocol: NamedProtocol, preprocessing: Preprocessing
) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the central view, in pixels of shown frames; sizes are (height, width)."""
    resized = resized_size(*size, short_side=preprocessing.short_side)
    crop = preprocessing.crop_size
    ((top, left),) = protocol.corners(*resized, crop_size=crop, num_crops=1)
    down, across = (there / here for there, here in zip(shown, resized, strict=True))
    return round(top * down), round(left * across), round((top + crop) * down), round((left + crop) * across)


def shown_size(height: int, width: int, aspect: tuple[int, int] = SQUARE) -> tuple[int, int]:
    """Height and width at which frames are shown, in square pixels.

    Args:
        height: of stored frames in pixels.
        width: likewise.
        aspect: width : height of a stored pixel.
    """
    wide = width * Fraction(*aspect)
    scale = min(Fraction(1), MAX_SHOWN_PIXELS / max(Fraction(height), wide))
    return max(1, round(height * scale)), max(1, round(wide * scale))


def shown_frames(frames: Tensor, aspect: tuple[int, int] = SQUARE) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 of pixels of any shape, as they are shown: (T, h, w, 3) uint8."""
    size = shown_size(frames.shape[1], frames.shape[2], aspect)
    if size == tuple(frames.shape[1:3]):
        return frames.numpy().copy()
    resized = [  # one at a time: floats take four times as much memory
        F.interpolate(frame[None].float(), size, mode="bilinear", antialias=True).round().clamp(0, 255).byte()
        for frame in channels_first(frames)
    ]
    return torch.cat(resized).permute(0, 2, 3, 1).contiguous().numpy()
