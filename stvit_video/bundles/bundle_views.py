"""The views of a video as a bundle's graph takes them, read without torch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.loading.chosen_frames import chosen_frames
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import ViewPlan, equal_views, find_protocol, plan_views
from stvit_video.data.transforms.numpy_resize import resize_frames
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.utils.open_files import refuse_for_open_files
from stvit_video.utils.optional import load_optional

CHUNK_BYTES = 64 * 2**20  # decoded frames that are in memory at once, one frame at least


class ClipViews(NamedTuple):
    """The views of one video.

    Attributes:
        views: (V, T, H, W, 3) uint8 RGB; the crops of the first clip come first, then those of the second, ...
        seconds: how long the video or its segment lasts; NaN where that is not known.
        same_as: for each view the first one that equals it.
    """

    views: np.ndarray
    seconds: float
    same_as: Sequence[int]


@dataclass(frozen=True)
class GivenVideo:
    """Frames in memory that answer like an open video.

    Attributes:
        frames: (n, H, W, 3) uint8 RGB.
        times: of the frames.
    """

    frames: np.ndarray
    times: FrameTimes

    @property
    def height(self) -> int:
        """In pixels."""
        return self.frames.shape[1]

    @property
    def width(self) -> int:
        """In pixels."""
        return self.frames.shape[2]

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """The frames with these numbers."""
        return self.frames[list(indices)]


def read_views(
    record: VideoRecord,
    *,
    preprocessing: Preprocessing,
    protocol: TestProtocol,
    time_limit_seconds: float | None = None,
    isolate: bool | None = None,
) -> ClipViews:
    """The views of a file or of its segment, each wanted frame decoded and resized once.

    Args:
        record: the file; its label is not looked at.
        preprocessing: frames of a clip, their distance and sizes.
        protocol: which clips and crops.
        time_limit_seconds: for opening the file and for each reading of it, see `open_video`.
        isolate: whether a process of its own decodes a video, see `open_video`.

    Raises:
        DecodeError: the file can't be read.
        OpenFilesError: too many files are open, which is no fault of the file.
        MissingLibraryError: the file is a picture and Pillow is not installed, or PyAV is not.
    """
    try:
        with _opened(record, time_limit_seconds, isolate) as video:
            return views_of(video, record, preprocessing=preprocessing, protocol=protocol)
    except DecodeError as error:
        refuse_for_open_files(error)
        raise


def views_of(video: Any, record: VideoRecord, *, preprocessing: Preprocessing, protocol: TestProtocol) -> ClipViews:
    """The views of an open video.

    Args:
        video: has times, height, width and read, as `open_video` and `GivenVideo` have them.
        record: says which segment is wanted, and what an error calls it.
        preprocessing: frames of a clip, their distance and sizes.
        protocol: which clips and crops.

    Raises:
        DecodeError: a frame can't be read, or the segment begins behind the end.
    """
    seconds: list[float] = []
    plans: list[ViewPlan] = []

    def choose(times: FrameTimes) -> list[int]:
        plan = plan_views(
            find_protocol(protocol.name),
            times,
            frame_size=(video.height, video.width),
            preprocessing=preprocessing,
            num_clips=protocol.num_clips,
            num_crops=protocol.num_crops,
        )
        seconds.append(times.duration_seconds)
        plans.append(plan)
        return sorted({index for clip in plan.clips for index in clip})

    numbers = chosen_frames(video, record, choose)
    plan = plans[0]
    frames = _resized(video, numbers, plan, preprocessing)  # (n, h, w, 3)
    places = {index: place for place, index in enumerate(sorted({index for clip in plan.clips for index in clip}))}
    size = plan.crop_size
    views = np.stack(
        [
            frames[[places[index] for index in clip], top : top + size, left : left + size]
            for clip in plan.clips
            for top, left in plan.corners
        ]
    )  # (V, T, H, W, 3)
    return ClipViews(views, seconds[0], equal_views(plan.clips, plan.corners))


def _opened(record: VideoRecord, time_limit_seconds: float | None, isolate: bool | None) -> AbstractContextManager[Any]:
    if not record.is_picture:
        return open_video(record.path, time_limit_seconds=time_limit_seconds, isolate=isolate)
    load_optional("PIL", needed_for="a picture", install="pip install pillow")
    from stvit_video.data.loading.picture_reader import open_image

    return open_image(record)


def _resized(video: Any, numbers: Sequence[int], plan: ViewPlan, preprocessing: Preprocessing) -> np.ndarray:
    """Frames of the file, resized, (n, h, w, 3); a bounded number is in memory as decoded."""
    height, width = plan.resized
    frames = np.empty((len(numbers), height, width, 3), dtype=np.uint8)
    at_once = max(1, CHUNK_BYTES // (video.height * video.width * 3))
    for start in range(0, len(numbers), at_once):
        read = np.asarray(video.read(numbers[start : start + at_once]))  # (at_once, H, W, 3)
        frames[start : start + at_once] = resize_frames(
            read, height=height, width=width, interpolation=preprocessing.interpolation
        )
    return frames
