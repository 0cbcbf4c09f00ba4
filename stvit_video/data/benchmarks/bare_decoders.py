"""The other side of `throughput.py`: the same frames of the same files by bare decoders, and the files to read.

Nothing here checks, limits or repairs anything: that is what it is for.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from stvit_video.data.decoding.decord_backend import as_array
from stvit_video.data.decoding.reader import LIBRARIES
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.manifests.video_endings import is_video_file
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.optional import load_optional
from stvit_video.utils.seeding import seeded_generator

SEED = 0
CHUNK = 32  # frames that decord hands out at once where a whole file is read

ClipReader = Callable[[str, Sequence[int]], np.ndarray]


@dataclass(frozen=True)
class PlannedClip:
    """The frames that a training clip takes of a file, and the file's frames per second."""

    path: str
    indices: tuple[int, ...]
    fps: float


class RawClips(Dataset[dict[str, int]]):
    """Reads planned clips with a bare decoder and passes nothing on but how many frames there were."""

    def __init__(self, plan: Sequence[PlannedClip], *, read: ClipReader) -> None:
        self.plan = plan
        self.read = read

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> dict[str, int]:
        """ "index", and "num_frames" that were read."""
        clip = self.plan[index]
        return {"index": index, "num_frames": len(self.read(clip.path, clip.indices))}


@dataclass(frozen=True)
class EvenClip:
    """pytorchvideo's clip -> as many frames as ours, evenly spread, with our own augmentation."""

    transform: TrainTransform

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Turn "video" (C, t, H, W) float32 in 0..255 into "clip" (C, T, h, w) uint8; keeps "index"."""
        frames, num_frames = sample["video"], self.transform.preprocessing.num_frames
        chosen = torch.linspace(0, frames.shape[1] - 1, num_frames).long()
        frames = frames[:, chosen].permute(1, 2, 3, 0).to(torch.uint8)  # (T, H, W, C)
        generator = seeded_generator(SEED, 0, sample["video_index"])
        return {"clip": self.transform(frames, generator=generator).clip, "index": sample["video_index"]}


def find_videos(folder: str | os.PathLike[str], *, limit: int) -> list[str]:
    """At most `limit` videos of a folder and the folders in it, spread evenly over their sorted list.

    Raises:
        ValueError: the limit is below 1, there is no such folder, or no video in it.
    """
    if limit < 1:
        raise ValueError(f"limit={limit} is not possible; give at least 1 video")
    if not Path(folder).is_dir():
        raise ValueError(f"{os.fspath(folder)!r} is no folder; give one that holds videos")
    paths = sorted(str(path) for path in Path(folder).rglob("*") if is_video_file(path))
    if not paths:
        raise ValueError(f"there is no video in {os.fspath(folder)!r}; give a folder that holds some")
    count = min(limit, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]


def plan_clips(paths: Sequence[str], *, preprocessing: Preprocessing) -> tuple[list[PlannedClip], list[str]]:
    """What `ClipDataset` reads of these files in epoch 0 with the seed `SEED`.

    Returns:
        A clip of each file that decord may read, and why the other files are left out.

    Raises:
        MissingLibraryError: decord does not import.
        ValueError: no file is left.
    """
    load_optional(**LIBRARIES["decord"])
    plan: list[PlannedClip] = []
    left_out: list[str] = []
    for path in paths:
        try:
            with open_video(path, backend="decord") as video:
                indices = ClipSampling().draw(
                    video.times,
                    num_frames=preprocessing.num_frames,
                    frame_stride=preprocessing.frame_stride,
                    generator=seeded_generator(SEED, 0, len(plan), 0),
                )
                plan.append(PlannedClip(path, tuple(indices), video.fps))
        except DecodeError as error:
            left_out.append(str(error))
    if not plan:
        raise ValueError(f"none of the {len(paths)} videos can be compared, the first because: {left_out[0]}")
    return plan, left_out


def read_with_decord(path: str, indices: Sequence[int]) -> np.ndarray:
    """Frames (n, H, W, 3) uint8 by decord with one thread and nothing around it."""
    decord = load_optional(**LIBRARIES["decord"])
    return as_array(decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1).get_batch(list(indices)))


def read_with_pyav(path: str, indices: Sequence[int]) -> np.ndarray:
    """Frames (n, H, W, 3) uint8 by PyAV with one thread, decoded from the start up to the last that is wanted."""
    av = load_optional(**LIBRARIES["pyav"])
    wanted, found = set(indices), {}
    to_rgb = av.video.reformatter.VideoReformatter()
    with av.open(f"file:{os.path.abspath(path)}") as container:
        stream = container.streams.best("video")
        stream.thread_count = 1
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                found[number] = to_rgb.reformat(frame, format="rgb24", threads=1).to_ndarray()  # (H, W, 3)
            if len(found) == len(wanted):
                break
    return np.stack([found[index] for index in indices])


def decode_whole_file(path: str) -> int:
    """Every frame once, in order, by decord with one thread; gives how many there are."""
    decord = load_optional(**LIBRARIES["decord"])
    video = decord.VideoReader(path, ctx=decord.cpu(0), num_threads=1)
    return sum(
        len(as_array(video.get_batch(range(first, min(first + CHUNK, len(video))))))
        for first in range(0, len(video), CHUNK)
    )


def write_original(
    source: str, target: str | os.PathLike[str], *, size: tuple[int, int], num_frames: int = 300, gop: int = 250
) -> None:
    """Make a video into one as people have them: h264 at 30 frames a second with a keyframe every `gop` frames.

    Args:
        source: a video of any size; it is played forwards and backwards until `num_frames` are written.
        target: the .mp4.
        size: height and width in pixels, both even.
        num_frames: frames that are written.
        gop: frames from one keyframe to the next.

    Raises:
        DecodeError: the source can't be read.
        MissingLibraryError: PyAV does not import.
    """
    av = load_optional("av", needed_for="writing a video", install="pip install av")
    with open_video(source) as video:
        count = min(video.num_frames, num_frames)
        frames = video.read(range(count))  # (n, H, W, 3)
    height, width = size
    # no keyframe at cuts: a GOP is to be as long as it says
    options = {"crf": "20", "preset": "veryfast", "g": str(gop), "keyint_min": str(gop), "sc_threshold": "0"}
    order = [*range(count), *range(count - 2, 0, -1)]
    convert = av.video.reformatter.VideoReformatter().reformat
    with av.open(f"file:{os.path.abspath(target)}", "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(frames[order[number % len(order)]], format="rgb24")
            frame = convert(frame, width=width, height=height, format="yuv420p", interpolation="BICUBIC")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
