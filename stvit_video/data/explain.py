"""What a test protocol looks at in one video, in words and as a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.data.decoding.video import Video, open_video
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import (
    PUBLISHED_TRAINING_CROP,
    NamedProtocol,
    ViewPlan,
    find_protocol,
    plan_views,
)
from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.plot_text import plot_text, write_literally

COLOURS = ("tab:blue", "tab:orange", "tab:green")
AVERAGES = {"prob": "mean of softmax", "logit": "mean of logits"}
MAX_PICTURES = 5
MAX_NAME_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class ExplainedVideo:
    """One video under one protocol.

    Attributes:
        path: the file.
        protocol: its name.
        average: "prob" or "logit".
        times: of the displayed frames.
        frame_size: (height, width) of a frame in pixels.
        plan: the frames and crops that are looked at.
        pictures: (P, h, w, 3) uint8, the middle frame of each of the first P clips, resized.
    """

    path: Path
    protocol: str
    average: str
    times: FrameTimes
    frame_size: tuple[int, int]
    plan: ViewPlan
    pictures: np.ndarray


def explain_video(
    path: Path,
    *,
    protocol: str,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    crop_size: int | None = None,
    short_side: int | None = None,
    backend: str = "auto",
    time_limit_seconds: float | None = None,
) -> ExplainedVideo:
    """Plan the views of a video without a model; each setting that is None is as the protocol was published.

    Args:
        protocol: a name from `stvit_video.data.sampling.protocols`.
        num_frames: frames of a clip.
        frame_stride: distance between two of them, in video frames.
        num_clips: clips of the video.
        num_crops: crops of a clip, 1 or 3.
        crop_size: pixels of the crop's side.
        short_side: pixels of the short side before cropping.
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening the file and for each reading of it, see `open_video`.

    Raises:
        ValueError: an unknown protocol, or a value out of range.
        DecodeError: the video can't be read.
    """
    published = find_protocol(protocol)
    num_crops = published.num_crops if num_crops is None else num_crops
    preprocessing = published.preprocessing(
        _as_published(published),
        num_crops=num_crops,
        num_frames=num_frames,
        frame_stride=frame_stride,
        short_side=short_side,
        crop_size=crop_size,
    )
    with open_video(path, backend=backend, time_limit_seconds=time_limit_seconds) as video:
        frame_size = (video.height, video.width)
        plan = plan_views(
            published,
            video.times,
            frame_size=frame_size,
            preprocessing=preprocessing,
            num_clips=published.num_clips if num_clips is None else num_clips,
            num_crops=num_crops,
        )
        return ExplainedVideo(
            path=path,
            protocol=protocol,
            average=published.average,
            times=video.times,
            frame_size=frame_size,
            plan=plan,
            pictures=_middle_pictures(video, plan),
        )


def describe_video(video: ExplainedVideo) -> list[str]:
    """The plan in lines: the video, the protocol, a line for each clip, a line for each crop."""
    plan = video.plan
    height, width = video.frame_size
    lines = [
        f"{video.path}: {video.times.num_frames} frames of {width}x{height} {_describe_rate(video.times)}",
        f"{video.protocol}: {_count(len(plan.clips), 'clip')} of {len(plan.clips[0])} frames x "
        f"{_count(len(plan.corners), 'crop')}, {AVERAGES[video.average]}; "
        f"{plan.num_distinct} of {_count(plan.num_views, 'view')} differ",
    ]
    for number, clip in enumerate(plan.clips):
        seconds = f"{video.times.seconds[clip[0]]:.2f} to {video.times.seconds[max(clip)]:.2f} s"
        lines.append(f"clip {number} ({seconds}): {' '.join(str(index) for index in clip)}")
    for number, (top, left) in enumerate(plan.corners):
        frame = f"{plan.resized[1]}x{plan.resized[0]}"
        lines.append(f"crop {number}: {plan.crop_size}x{plan.crop_size} at left {left}, top {top} of {frame}")
    return lines


def draw_video(video: ExplainedVideo, png_path: Path) -> None:
    """Draw the frames of each clip along the video's time, and the crops on a frame of each of the first clips.

    Raises:
        OSError: the file can't be written.
    """
    plan, num_pictures = video.plan, len(video.pictures)
    figure = new_figure(11, 3.6 + 0.18 * len(plan.clips), dpi=100, layout="constrained")
    grid = figure.add_gridspec(2, num_pictures, height_ratios=[1 + 0.12 * len(plan.clips), 2])
    _draw_times(figure.add_subplot(grid[0, :]), video)
    for number, picture in enumerate(video.pictures):
        _draw_crops(figure.add_subplot(grid[1, number]), picture, plan, clip=number)
    title = describe_video(video)[1]
    (name,), families = plot_text([video.path.name], max_length=MAX_NAME_LENGTH)
    write_literally([figure.suptitle(f"{name}\n{title}", fontsize=10)], families)
    save_figure(figure, png_path)


def _as_published(protocol: NamedProtocol) -> Preprocessing:
    """What the best known models of a protocol were trained with; its sizes count from a crop of 224 pixels."""
    return Preprocessing(
        num_frames=protocol.num_frames,
        frame_stride=protocol.frame_stride,
        short_side=256,
        crop_size=PUBLISHED_TRAINING_CROP,
    )


def _middle_pictures(video: Video, plan: ViewPlan) -> np.ndarray:
    """The middle frame of each of the first clips, resized: (P, h, w, 3) uint8."""
    middles = [clip[len(clip) // 2] for clip in plan.clips[:MAX_PICTURES]]
    frames = channels_first(torch.from_numpy(video.read(middles)))  # (P, 3, H, W)
    return resize_short_side(frames, short_side=min(plan.resized)).permute(0, 2, 3, 1).numpy()


def _draw_times(axes: Any, video: ExplainedVideo) -> None:
    """One row a clip, a dot a frame; a frame that comes more than once is a larger dot."""
    for number, clip in enumerate(video.plan.clips):
        frames, counts = np.unique(clip, return_counts=True)
        axes.scatter(frames, np.full(len(frames), number), s=8 * counts, color=COLOURS[0])
    axes.axvspan(-0.5, video.times.num_frames - 0.5, color="0.93", zorder=0)
    axes.set(xlabel=f"frame (of {video.times.num_frames}, {_describe_rate(video.times)})", ylabel="clip")
    axes.set_yticks(range(len(video.plan.clips)))
    axes.set_ylim(len(video.plan.clips) - 0.5, -0.5)


def _draw_crops(axes: Any, picture: np.ndarray, plan: ViewPlan, *, clip: int) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(picture)
    for number, (top, left) in enumerate(plan.corners):
        inset = 2 * number  # equal crops stay visible
        side = plan.crop_size - 1 - 2 * inset
        corner = (left + inset, top + inset)
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=COLOURS[number], linewidth=2))
    axes.set_title(f"clip {clip}, frame {plan.clips[clip][len(plan.clips[clip]) // 2]}", fontsize=8)
    axes.set_axis_off()


def _describe_rate(times: FrameTimes) -> str:
    mean = "" if times.is_constant else "variable rate, on average "
    return f"at {mean}{times.fps:.6g} a second"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
