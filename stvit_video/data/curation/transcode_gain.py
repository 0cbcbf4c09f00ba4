"""What preparing a data set would gain: one training clip, read from the user's files and from prepared copies."""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stvit_video.data.curation.transcode import Encoding, Job, transcode
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.sampling.training_indices import training_frame_indices
from stvit_video.utils.executor import map_in_processes
from stvit_video.utils.seeding import seeded_generator

WORTHWHILE = 1.5  # times quicker, below which preparing is not worth its time


@dataclass(frozen=True)
class Gain:
    """Sums over the measured videos; seconds are the least of several readings of the same clips.

    Attributes:
        num_videos: how many were measured.
        seconds_before: to open each original and read one clip.
        seconds_after: the same of the copies.
        bytes_before: of the originals.
        bytes_after: of the copies.
        faults: of videos that could not be copied or read.
    """

    num_videos: int
    seconds_before: float
    seconds_after: float
    bytes_before: int
    bytes_after: int
    faults: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The result for a reader."""
        if not self.num_videos:
            return f"preparing could not be measured: {self.faults[0] if self.faults else 'no readable video'}"
        before, after = (1e3 * total / self.num_videos for total in (self.seconds_before, self.seconds_after))
        advice = "; that is little, leave them as they are" if before < WORTHWHILE * after else ""
        return (
            f"preparing, measured on {self.num_videos} of your videos: a clip takes {before:.1f} ms now, "
            f"{after:.1f} ms prepared ({before / after:.1f}x), and the files would have "
            f"{100 * self.bytes_after / self.bytes_before:.0f} % of their size{advice}"
        )


def measure_gain(
    paths: Sequence[str],
    *,
    encoding: Encoding,
    num_frames: int,
    frame_stride: int,
    num_clips: int = 5,
    repeats: int = 3,
    time_limit_seconds: float = 120.0,
    folder: str | os.PathLike[str] | None = None,
) -> Gain:
    """Copy the videos, in processes that may die, and read the same random clips from both.

    Args:
        paths: readable videos.
        encoding: of the copies.
        num_frames: of a clip.
        frame_stride: distance of its frames.
        num_clips: clips of each video, averaged.
        repeats: how often each is read; the quickest counts.
        time_limit_seconds: for one video's copy, and for each reading.
        folder: where a temporary folder for the copies may be made; None = the system's.

    Raises:
        OSError: the temporary folder can't be made.
    """
    read = partial(
        _clip_seconds, num_frames=num_frames, frame_stride=frame_stride, num_clips=num_clips, repeats=repeats
    )
    times, sizes, faults = [], [], []
    room = Path(tempfile.mkdtemp(prefix="stvit_video_gain_", dir=folder))
    try:
        jobs = [Job(path, str(room / f"{number}.mp4")) for number, path in enumerate(paths)]
        copy = partial(transcode, encoding=encoding, time_limit_seconds=time_limit_seconds)
        for outcome in map_in_processes(copy, jobs, num_workers=1, time_limit_seconds=time_limit_seconds):
            job = jobs[outcome.position]
            try:
                if outcome.fault:
                    raise DecodeError(outcome.fault)
                times.append((read(job.source), read(job.target)))
                sizes.append((os.path.getsize(job.source), os.path.getsize(job.target)))
            except (DecodeError, OSError) as error:
                faults.append(f"{job.source}: {error}")
    finally:
        shutil.rmtree(room, ignore_errors=True)
    before, after = (sum(column) for column in zip(*times, strict=True)) if times else (0.0, 0.0)
    original, copied = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    return Gain(len(times), before, after, original, copied, tuple(faults))


def _clip_seconds(path: str, *, num_frames: int, frame_stride: int, num_clips: int, repeats: int) -> float:
    """Mean over clips of the least time to open the file and read that clip; the clips depend on nothing else."""
    total = 0.0
    for number in range(num_clips):
        quickest = float("inf")
        for _ in range(repeats):
            generator = seeded_generator(0, number)  # the same start in the original and in its copy
            start = time.perf_counter()
            with open_video(path) as video:
                indices = training_frame_indices(
                    video.num_frames, num_frames=num_frames, frame_stride=frame_stride, generator=generator
                )
                video.read(indices)
            quickest = min(quickest, time.perf_counter() - start)
        total += quickest
    return total / num_clips
