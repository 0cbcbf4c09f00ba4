"""Test protocols by name: how a project looks at a video, from (length, fps) to the frames and crops.

A number can stand beside a published one only where it was measured with that project's protocol.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocol_rules import (
    ClipRule,
    Corner,
    CropRule,
    StartRule,
    ceil_corners,
    clips_by_time,
    even_corners,
    mmaction_clips,
    mvit_clips,
    offset_starts,
    slowfast_clips,
    slowfast_starts,
    uniform_clips,
    uniformer_clips,
    videomae_clips,
    videomae_ssv2_clips,
    videoswin_clips,
)
from stvit_video.data.transforms.crops import crop_offsets, resized_size
from stvit_video.data.transforms.preprocessing import Preprocessing

PUBLISHED_TRAINING_CROP = 224  # pixels; sizes below are for models trained at it, and grow with the training crop


@dataclass(frozen=True, kw_only=True)
class NamedProtocol:
    """How one project looks at a video.

    Attributes:
        clips: frames of each clip at a constant rate.
        starts: of a protocol that counts at 30 frames a second, where its clips start: a variable rate is then looked
            at by time; None = it counts in frames of the video, whatever their times.
        corners: places of the crops.
        num_clips: clips of a video.
        num_crops: crops of a clip, 1 or 3.
        average: "prob" = mean of softmax, "logit" = mean of logits; a sum, as some projects take, ranks alike.
        num_frames: frames of a clip in that project's best known models; a checkpoint's own number counts more.
        frame_stride: distance between two frames of a clip, likewise.
        short_sides: number of crops -> pixels of the short side at a training crop of 224; None = the checkpoint's.
        crop_size: pixels of the test crop at a training crop of 224.
    """

    clips: ClipRule
    starts: StartRule | None = None
    corners: CropRule = crop_offsets
    num_clips: int
    num_crops: int
    average: str
    num_frames: int
    frame_stride: int
    short_sides: Mapping[int, int] | None
    crop_size: int = PUBLISHED_TRAINING_CROP

    def frame_indices(
        self, times: FrameTimes, *, num_frames: int, frame_stride: int, num_clips: int
    ) -> list[list[int]]:
        """The frames of each clip of one video or segment.

        Args:
            times: of its frames.
            num_frames: frames of a clip.
            frame_stride: distance between two of them, as the protocol counts.
            num_clips: clips of the video.

        Raises:
            ValueError: a value is out of range.
        """
        settings = {"num_frames": num_frames, "frame_stride": frame_stride, "num_clips": num_clips}
        if self.starts is None or times.is_constant:
            return self.clips(times.num_frames, times.fps, **settings)
        return clips_by_time(self.starts, times, **settings)

    def preprocessing(
        self,
        trained: Preprocessing,
        *,
        num_crops: int,
        num_frames: int | None = None,
        frame_stride: int | None = None,
        short_side: int | None = None,
        crop_size: int | None = None,
    ) -> Preprocessing:
        """What a model is fed with under this protocol: frames and stride as trained, sizes as this protocol says.

        Args:
            trained: what the model was trained with; its crop size sets the scale of the protocol's sizes.
            num_crops: crops of a clip; in some projects the short side depends on it.
            num_frames: None = as trained; likewise `frame_stride`.
            short_side: in pixels; None = the protocol's, in proportion to the crop.
            crop_size: in pixels; None = the protocol's.

        Raises:
            ValueError: `num_crops` is neither 1 nor 3, or a value is out of range.
        """
        if num_crops not in (1, 3):
            raise ValueError(f"num_crops={num_crops} must be 1 (centre) or 3 (along the long side)")
        if self.short_sides is None:
            crop = trained.crop_size if crop_size is None else crop_size
            side = trained.short_side
        else:
            crop = self.crop_size * trained.crop_size // PUBLISHED_TRAINING_CROP if crop_size is None else crop_size
            side = self.short_sides[num_crops] * crop // self.crop_size
        return dataclasses.replace(
            trained,
            num_frames=trained.num_frames if num_frames is None else num_frames,
            frame_stride=trained.frame_stride if frame_stride is None else frame_stride,
            short_side=side if short_side is None else short_side,
            crop_size=crop,
        )


PROTOCOLS: dict[str, NamedProtocol] = {
    "uniform": NamedProtocol(  # ours; sizes as the checkpoint says
        clips=uniform_clips,
        num_clips=4,
        num_crops=3,
        average="prob",
        num_frames=16,
        frame_stride=4,
        short_sides=None,
    ),
    "single": NamedProtocol(  # one look at the middle
        clips=uniform_clips,
        num_clips=1,
        num_crops=1,
        average="prob",
        num_frames=16,
        frame_stride=4,
        short_sides=None,
    ),
    "videoswin": NamedProtocol(
        clips=videoswin_clips,
        corners=even_corners,
        num_clips=4,
        num_crops=3,
        average="prob",
        num_frames=32,
        frame_stride=2,
        short_sides={1: 224, 3: 224},
    ),
    "mmaction": NamedProtocol(
        clips=mmaction_clips,
        corners=even_corners,
        num_clips=4,
        num_crops=3,
        average="prob",
        num_frames=32,
        frame_stride=2,
        short_sides={1: 224, 3: 224},
    ),
    "videomae": NamedProtocol(
        clips=videomae_clips,
        num_clips=5,
        num_crops=3,
        average="prob",
        num_frames=16,
        frame_stride=4,
        short_sides={1: 224, 3: 224},
    ),
    "videomae_ssv2": NamedProtocol(  # for models trained on one frame of each segment
        clips=videomae_ssv2_clips,
        num_clips=2,
        num_crops=3,
        average="prob",
        num_frames=16,
        frame_stride=1,
        short_sides={1: 224, 3: 224},
    ),
    "mvit": NamedProtocol(  # one crop is cut from the training's short side, three from the test crop's
        clips=mvit_clips,
        starts=offset_starts,
        corners=ceil_corners,
        num_clips=5,
        num_crops=1,
        average="prob",
        num_frames=16,
        frame_stride=4,
        short_sides={1: 256, 3: 224},
    ),
    "uniformer": NamedProtocol(  # its readme has the tester set TRAIN_JITTER_SCALES to 224 by hand
        clips=uniformer_clips,
        corners=ceil_corners,
        num_clips=4,
        num_crops=1,
        average="logit",
        num_frames=16,
        frame_stride=4,
        short_sides={1: 224, 3: 224},
    ),
    "slowfast": NamedProtocol(
        clips=slowfast_clips,
        starts=slowfast_starts,
        corners=ceil_corners,
        num_clips=10,
        num_crops=3,
        average="prob",
        num_frames=8,
        frame_stride=8,
        short_sides={1: 256, 3: 256},
        crop_size=256,
    ),
    "timesformer": NamedProtocol(  # its one clip is the beginning of the video, not the middle
        clips=slowfast_clips,
        starts=slowfast_starts,
        corners=ceil_corners,
        num_clips=1,
        num_crops=3,
        average="logit",
        num_frames=8,
        frame_stride=32,
        short_sides={1: 256, 3: 224},
    ),
}


@dataclass(frozen=True, kw_only=True)
class ViewPlan:
    """All that is looked at in one video.

    Attributes:
        clips: frame indices of each clip.
        corners: (top, left) of each crop, in pixels of the resized frame.
        resized: (height, width) of the resized frame in pixels.
        crop_size: side of a crop in pixels.
    """

    clips: tuple[tuple[int, ...], ...]
    corners: tuple[Corner, ...]
    resized: tuple[int, int]
    crop_size: int

    @property
    def num_views(self) -> int:
        """Clips times crops."""
        return len(self.clips) * len(self.corners)

    @property
    def num_distinct(self) -> int:
        """Views that differ from one another; the others add nothing to an average."""
        return len(set(equal_views(self.clips, self.corners)))


def find_protocol(name: str) -> NamedProtocol:
    """The protocol of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"protocol={name!r} is not known; use one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def plan_views(
    protocol: NamedProtocol,
    times: FrameTimes,
    *,
    frame_size: tuple[int, int],
    preprocessing: Preprocessing,
    num_clips: int,
    num_crops: int,
) -> ViewPlan:
    """Frames and crops of one video.

    Args:
        times: of the frames of the video (or segment).
        frame_size: (height, width) of a frame in pixels, before resizing.
        preprocessing: from `NamedProtocol.preprocessing`.
        num_clips: clips of a video.
        num_crops: crops of a clip, 1 or 3.

    Raises:
        ValueError: a value is out of range.
    """
    clips = protocol.frame_indices(
        times,
        num_frames=preprocessing.num_frames,
        frame_stride=preprocessing.frame_stride,
        num_clips=num_clips,
    )
    resized = resized_size(*frame_size, short_side=preprocessing.short_side)
    corners = protocol.corners(*resized, crop_size=preprocessing.crop_size, num_crops=num_crops)
    return ViewPlan(
        clips=tuple(tuple(clip) for clip in clips),
        corners=tuple(corners),
        resized=resized,
        crop_size=preprocessing.crop_size,
    )


def equal_views(clips: Sequence[Sequence[int]], corners: Sequence[Corner]) -> list[int]:
    """For each view (the crops of the first clip, then those of the second, ...) the first view that equals it.

    Two views are equal when they have the same frames and the same crop: all clips of a video shorter than a
    clip, all crops of a square frame that is cropped whole.
    """
    first: dict[tuple[tuple[int, ...], Corner], int] = {}
    keys = [(tuple(clip), corner) for clip in clips for corner in corners]
    return [first.setdefault(key, view) for view, key in enumerate(keys)]
