"""What a caller gives, as the graph of a bundle takes it: the path of a video, its frames, or views."""

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stvit_video.bundles.bundle_views import ClipViews, GivenVideo, read_views, views_of
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.file_record import file_record
from stvit_video.inference.test_protocol import TestProtocol

Given = str | os.PathLike[str] | np.ndarray


def is_single(given: object) -> bool:
    """Whether one video is given, as a path or an array, and no list; a table is neither, and is refused as one."""
    return (
        isinstance(given, (str, bytes, os.PathLike, Mapping))
        or hasattr(given, "__array__")
        or not hasattr(given, "__iter__")
    )


def given_views(
    given: object,
    *,
    preprocessing: Preprocessing,
    protocol: TestProtocol,
    fps: float,
    time_limit_seconds: float | None = None,
) -> ClipViews:
    """Read what is given; of a path or frames the views are those of the protocol.

    Args:
        given: a path; frames (T, H, W, 3) uint8 RGB; views (V, T, H, W, 3) uint8 of the sizes of `preprocessing`; where
            it says one frame also a picture (H, W, 3) uint8.
        preprocessing: frames of a clip, their distance and sizes.
        protocol: which clips and crops.
        fps: frames per second of given frames; clips are sampled from them as from a file of that rate.
        time_limit_seconds: for opening a file and for each reading of it, see `open_video`.

    Raises:
        DecodeError: the file can't be read.
        ValueError: what is given is nothing of these, or a rate or limit is not positive.
    """
    if isinstance(given, (str, os.PathLike)):
        record = file_record(given, num_frames=preprocessing.num_frames)
        return read_file(record, preprocessing=preprocessing, protocol=protocol, time_limit_seconds=time_limit_seconds)
    size = (preprocessing.num_frames, preprocessing.crop_size, preprocessing.crop_size, 3)
    frames = np.asarray(given) if hasattr(given, "__array__") else np.empty(0)
    if frames.ndim == 3 and preprocessing.num_frames == 1:
        frames = frames[None]  # (1, H, W, 3)
    is_views = frames.ndim == 5 and frames.shape[1:] == size
    if frames.dtype != np.uint8 or 0 in frames.shape or not (is_views or (frames.ndim == 4 and frames.shape[-1] == 3)):
        raise ValueError(
            f"{words_of_given(given)} is no input; give the path of a video, its frames (T, H, W, 3) uint8 RGB, or "
            f"views (V, {', '.join(map(str, size))}) uint8, which the graph normalises itself"
        )
    if is_views:
        return ClipViews(frames, math.nan, range(len(frames)))
    video = GivenVideo(frames, FrameTimes.constant(len(frames), fps))
    record = VideoRecord(path=Path("given frames"), label=0, video_id="given frames")
    return views_of(video, record, preprocessing=preprocessing, protocol=protocol)


def read_file(
    record: VideoRecord,
    *,
    preprocessing: Preprocessing,
    protocol: TestProtocol,
    time_limit_seconds: float | None = None,
) -> ClipViews:
    """As `read_views`; a picture lasts NaN seconds."""
    found = read_views(record, preprocessing=preprocessing, protocol=protocol, time_limit_seconds=time_limit_seconds)
    return found._replace(seconds=math.nan) if record.is_picture else found


def words_of_given(given: object) -> str:
    """What came, for an error: type and shape of an array, else the value and its type."""
    if hasattr(given, "dtype") and hasattr(given, "shape"):
        return f"an array of type {given.dtype} and shape {tuple(given.shape)}"
    return f"{given!r:.80} of type {type(given).__name__}"
