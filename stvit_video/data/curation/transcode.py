"""A copy of a video that is quick to read at random: smaller, with a keyframe every few frames, without sound.

The copy has the displayed frames of the original, one for one and at the same times; time stamps that repeat are moved
apart. Pixels that are not square stay so, and the copy says so. It is checked before it takes its name, so whatever
stands under the final name is whole.
"""

import errno
import math
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.curation.hashing import mean_cells
from stvit_video.data.curation.scan import largest_gop
from stvit_video.data.curation.time_stamps import separated_stamps
from stvit_video.data.decoding.pixel_shape import SQUARE, resized_aspect
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest
from stvit_video.data.decoding.video import Video, open_video
from stvit_video.data.sampling.frame_indices import segment_frame_range
from stvit_video.utils.atomic_files import PART_ENDING, atomically
from stvit_video.utils.optional import load_optional

TICKS = 90_000  # of the copy's clock, a second
READ_BYTES = 64 * 2**20  # decoded at once
CHECK_CELLS = 12  # first and last frame are compared on a raster of so many cells a side
MAX_CELL_DIFFERENCE = 10.0  # grey levels, mean over the raster


class TranscodeError(RuntimeError):
    """A copy that can't be made or is not true to the original; the message names the file and the cause."""


@dataclass(frozen=True)
class Encoding:
    """How the copy is written.

    Args:
        short_side: pixels; a smaller original keeps its size. Sides are rounded to even numbers.
        gop: most frames from one keyframe to the next.
        crf: quality of libx264, from 0 (lossless) to 51; 18 to 23 is usual.
        preset: libx264's trade of time against size.

    Raises:
        ValueError: a value is out of range.
    """

    short_side: int = 256
    gop: int = 30
    crf: int = 20
    preset: str = "veryfast"

    def __post_init__(self) -> None:
        if self.short_side < 2 or self.gop < 1 or not 0 <= self.crf <= 51:
            raise ValueError(
                f"short_side={self.short_side} must be at least 2 pixels, gop={self.gop} at least 1 frame, "
                f"crf={self.crf} from 0 to 51"
            )

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the copy of a video of height x width pixels, both even."""
        scale = min(1.0, self.short_side / min(height, width))
        return _even(height * scale), _even(width * scale)


@dataclass(frozen=True)
class Job:
    """One copy to make: all of a file, or the part from `start_seconds` to `end_seconds`.

    `owner` is who makes it (machine and process), so that two runs don't write to the same unfinished file.
    """

    source: str
    target: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")

    @property
    def part(self) -> Path:
        """Where the copy is written until it has been checked."""
        target = Path(self.target)
        return target.with_name(f".{target.name}.{self.owner}{PART_ENDING}")


def transcode(job: Job, *, encoding: Encoding, time_limit_seconds: float = 600.0) -> int:
    """Write one copy beside its place, check it, and move it there.

    Args:
        job: which file, and where to; the folder is made where it is missing.
        encoding: size and quality.
        time_limit_seconds: for opening, and for each piece that is read.

    Returns:
        Frames of the copy.

    Raises:
        TranscodeError: the original can't be read or the copy is not true to it.
        OSError: the copy can't be written, for example because the disk is full (errno ENOSPC).
        MissingLibraryError: PyAV does not import.
    """
    av = load_optional("av", needed_for="transcoding videos", install="pip install av")
    Path(job.target).parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            open_video(job.source, time_limit_seconds=time_limit_seconds) as video,
            atomically(job.target, part=job.part) as part,
        ):
            chosen = _chosen_frames(video, job)
            _encode(av, video, chosen, part, encoding)
            _check_copy(video, chosen, job, encoding, time_limit_seconds)
    except DecodeError as error:
        raise TranscodeError(str(error)) from error
    except av.FFmpegError as error:
        _raise_if_disk_is_full(error, job)
        raise TranscodeError(f"{job.source}: writing the copy {job.target} failed ({error})") from error
    return len(chosen)


def is_done(job: Job, *, encoding: Encoding, time_limit_seconds: float = 600.0) -> bool:
    """Whether the copy is there with the length, size, shape of pixels and keyframes that it should have.

    Args:
        job: which file and where to.
        encoding: size and quality; the quality can't be seen from a copy.
        time_limit_seconds: for opening each of the two.
    """
    try:
        source = DecodeRequest(job.target, "pyav", time_limit_seconds)
        copy = probe_video(source, source.deadline())
        with open_video(job.source, time_limit_seconds=time_limit_seconds) as video:
            num_frames, size = len(_chosen_frames(video, job)), encoding.size(video.height, video.width)
            aspect = _pixel_aspect(video, encoding)
    except (DecodeError, TranscodeError):
        return False
    gop = largest_gop(copy.keyframes, len(copy.pts))
    is_whole = (len(copy.pts), (copy.height, copy.width)) == (num_frames, size) and gop <= encoding.gop
    return is_whole and Fraction(*copy.pixel_aspect) == aspect


def frame_difference(frame: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference in grey levels of two pictures on a raster that blurs the noise of encoding.

    Args:
        frame: (H, W, 3).
        other: (h, w, 3), of any other size.
    """
    cells, others = (mean_cells(picture, rows=CHECK_CELLS, columns=CHECK_CELLS) for picture in (frame, other))
    return float(np.abs(cells - others).mean())


def _chosen_frames(video: Video, job: Job) -> range:
    try:
        return range(*segment_frame_range(video.times, job.start_seconds, job.end_seconds))
    except ValueError as error:
        raise TranscodeError(f"{job.source}: {error}") from error


def _encode(av: Any, video: Video, chosen: range, part: Path, encoding: Encoding) -> None:
    height, width = encoding.size(video.height, video.width)
    rate = max(Fraction(video.fps).limit_denominator(1001), Fraction(1, 1001))
    options = {"crf": str(encoding.crf), "preset": encoding.preset, "g": str(encoding.gop), "threads": "1"}
    with av.open(f"file:{part.absolute()}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        if (aspect := _pixel_aspect(video, encoding)) != 1:
            stream.codec_context.sample_aspect_ratio = aspect
        convert = av.video.reformatter.VideoReformatter().reformat  # kept: making one costs more than using it
        ticks = dict(zip(chosen, _copy_ticks(video, chosen), strict=True))
        for position, picture in _pictures(video, chosen):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = convert(frame, width=width, height=height, format="yuv420p", interpolation="BICUBIC")
            frame.pts, frame.time_base = ticks[position], Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _copy_ticks(video: Video, chosen: range) -> list[int]:
    """When the copy shows each frame, counted from the first: strictly increasing, as its container needs."""
    seconds = video.times.seconds[chosen.start : chosen.stop]
    stamps = [round(TICKS * float(second - seconds[0])) for second in seconds]
    return separated_stamps(stamps, usual_gap=max(1, round(TICKS / video.fps)))


def _pixel_aspect(video: Video, encoding: Encoding) -> Fraction:
    """Width : height of the copy's pixels, with which players show it in the shape of the original; else square."""
    before = (video.height, video.width)
    if video.pixel_aspect == SQUARE:
        return Fraction(1)  # what rounding to even sides changes is no shape
    return resized_aspect(video.pixel_aspect, before=before, after=encoding.size(*before))


def _pictures(video: Video, chosen: range) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    chunk = max(1, READ_BYTES // (video.height * video.width * 3))
    for first in range(0, len(chosen), chunk):
        positions = chosen[first : first + chunk]
        yield from zip(positions, video.read(positions), strict=True)


def _check_copy(video: Video, chosen: range, job: Job, encoding: Encoding, time_limit_seconds: float) -> None:
    """Raise unless the written part has the frames, times and pictures that it should have."""
    expected_seconds = _copy_ticks(video, chosen)[-1] / TICKS
    with open_video(job.part, backend="pyav", time_limit_seconds=time_limit_seconds) as copy:
        seconds = copy.pts_seconds(copy.num_frames - 1) - copy.pts_seconds(0)
        size, wanted = (copy.height, copy.width), encoding.size(video.height, video.width)
        aspects = (Fraction(*copy.pixel_aspect), _pixel_aspect(video, encoding))
        ends = (0, copy.num_frames - 1)
        differences = [
            frame_difference(*pair) for pair in zip(video.read([chosen[0], chosen[-1]]), copy.read(ends), strict=True)
        ]
        faults = {
            f"it has {copy.num_frames} frames instead of {len(chosen)}": copy.num_frames != len(chosen),
            f"it lasts {seconds:.3f} s instead of {expected_seconds:.3f} s": not math.isclose(
                seconds, expected_seconds, abs_tol=0.5 / video.fps
            ),
            f"it has {size} pixels instead of {wanted}": size != wanted,
            f"its pixels are {aspects[0]} instead of {aspects[1]}": aspects[0] != aspects[1],
            f"its first or last frame differs by {max(differences):.1f} grey levels": (
                max(differences) > MAX_CELL_DIFFERENCE
            ),
        }
    found = [words for words, holds in faults.items() if holds]
    if found:
        raise TranscodeError(f"{job.source}: its copy is not true to it, {'; '.join(found)}; it was not kept")


def _raise_if_disk_is_full(error: Exception, job: Job) -> None:
    """PyAV has its own errors for what the system says; a full disk must not pass for a bad file."""
    if getattr(error, "errno", None) == errno.ENOSPC:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), job.target) from error


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))
