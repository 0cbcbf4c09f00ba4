"""What a video file holds and what is wrong with it, found out by reading it as training would.

Each file is read in a process that may crash or hang without harm, see `stvit_video.utils.executor`.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

from stvit_video.data.curation.hashing import content_hash, frame_hash, hashed_positions
from stvit_video.data.decoding.pictures import decode_picture
from stvit_video.data.decoding.pixel_shape import aspect_remark
from stvit_video.data.decoding.probe import VideoIndex, decord_refusal, probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest
from stvit_video.data.decoding.video import Video, open_video
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards.picture_files import read_picture
from stvit_video.data.shards.tar_reader import member_file
from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.choices import Frames, words_of
from stvit_video.utils.executor import map_in_processes
from stvit_video.utils.open_files import refuse_for_open_files

REPORT_HEADER = (
    *("path", "frames", "fps", "codec", "gop_frames", "rotation_degrees", "duration_seconds"),
    *("width", "height", "size_bytes", "faults", "remarks"),
)
READ_BYTES = 64 * 2**20  # decoded at once
VARIABLE_RATE = "variable rate"  # how that remark begins
WRONG_RATE = "its time stamps contradict its stated rate, which does not count"  # likewise
CHANGING_SIZE = "its picture size changes, and every frame is scaled to the first size"  # likewise
CONTRADICTION = 1.2  # times that of the time stamps, from which on a stated rate is worth a remark


@dataclass(frozen=True)
class VideoReport:
    """One file; what is unknown, because the file can't be read, is None.

    Attributes:
        path: as asked for; of a video in a shard its `VideoRecord.place`.
        num_frames: displayed frames.
        fps: frames per second, see `Video.fps`.
        codec: ffmpeg's name, e.g. "h264".
        gop_frames: the most frames from one place where decoding may start to the next, or to the end.
        rotation_degrees: clockwise, by which stored frames are turned for display: 0, 90, 180, 270.
        width: displayed pixels, after rotation; so is height.
        faults: why training can't use the file; none = it can.
        remarks: what makes the file slow to read or unusual, without harm to the frames.
        intervals_seconds: of a variable rate the smallest, mean and largest time from one frame to the next.
        digest: of its bytes, see `content_hash`; "" = it can't be read.
        frame_hashes: of the frames at `hashed_positions`, None = without contrast; empty = not read.
    """

    path: str
    num_frames: int | None = None
    fps: float | None = None
    codec: str | None = None
    gop_frames: int | None = None
    rotation_degrees: int | None = None
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    intervals_seconds: tuple[float, float, float] | None = None
    digest: str = field(default="", repr=False)
    frame_hashes: tuple[int | None, ...] = field(default=(), repr=False)


def scan_videos(
    videos: Sequence[str | VideoRecord],
    *,
    num_workers: int,
    time_limit_seconds: float = 120.0,
    frames: Frames = "all",
    show_progress: bool = True,
    inspect: Callable[[str | VideoRecord], VideoReport] | None = None,
) -> list[VideoReport]:
    """Inspect files in parallel; a file that crashes or hangs its process has that as its fault.

    Args:
        videos: paths of files, or listed videos, which may be members of shards.
        num_workers: processes at the same time.
        time_limit_seconds: for one file.
        frames: see `inspect_video`.
        show_progress: draw a bar where the output is a terminal.
        inspect: what to call instead of `inspect_video`.

    Returns:
        A report for each, in the same order.

    Raises:
        ValueError: a setting is out of range.
    """
    if frames not in words_of(Frames):
        raise ValueError(f"frames={frames!r} is unknown; use one of {', '.join(words_of(Frames))}")
    work = inspect or partial(inspect_video, frames=frames, time_limit_seconds=time_limit_seconds)
    outcomes = map_in_processes(
        work,
        videos,
        num_workers=num_workers,
        time_limit_seconds=time_limit_seconds,
        in_order=True,
        progress="scanning" if show_progress else None,
    )
    return [
        outcome.value or _unread(video, f"reading it failed: {outcome.fault}")
        for video, outcome in zip(videos, outcomes, strict=True)
    ]


def inspect_video(
    video: str | VideoRecord, *, frames: Frames = "all", time_limit_seconds: float = 120.0
) -> VideoReport:
    """Read one file, or one member of a shard, in this process.

    Args:
        video: the path, or the listed video, of which the whole file is read.
        frames: "all" = decode every frame; "some" = only those that fingerprints are taken of, which finds
            most broken files in a fraction of the time.
        time_limit_seconds: for opening, and for each piece that is read.
    """
    try:
        if isinstance(video, VideoRecord) and video.is_picture:
            return _inspected_picture(video)
        if isinstance(video, str) or video.byte_range is None:
            return _inspected(_place(video), "", frames, time_limit_seconds)
        with member_file(video, time_limit_seconds=time_limit_seconds) as copy:
            return replace(_inspected(copy, video.place, frames, time_limit_seconds), path=video.place)
    except (DecodeError, OSError) as error:
        refuse_for_open_files(error)
        return _unread(video, str(error))


def largest_gop(keyframes: Sequence[int], num_frames: int) -> int:
    """The most frames that lie between one possible start of decoding and the next, or the end.

    Args:
        keyframes: frame numbers, ascending, the first of them 0.
        num_frames: frames of the video.
    """
    return max(after - before for before, after in pairwise((*keyframes, num_frames)))


def describe_intervals(smallest: float, mean: float, largest: float) -> str:
    """The seconds from one frame to the next, in words."""
    return f"a frame every {smallest:.3g} to {largest:.3g} s, {mean:.3g} s on average"


def write_report(path: str | os.PathLike[str], reports: Iterable[VideoReport]) -> None:
    """Write report.csv: REPORT_HEADER, a row a file; several faults or remarks are joined by "; ".

    Raises:
        OSError: the file can't be written.
    """
    write_table(path, header=REPORT_HEADER, rows=[_row(report) for report in reports])


def _row(report: VideoReport) -> tuple[object, ...]:
    fps = None if report.fps is None else f"{report.fps:.6g}"
    seconds = None if report.duration_seconds is None else f"{report.duration_seconds:.3f}"
    return (
        *(report.path, report.num_frames, fps, report.codec, report.gop_frames, report.rotation_degrees, seconds),
        *(report.width, report.height, report.size_bytes, "; ".join(report.faults), "; ".join(report.remarks)),
    )


def _inspected(path: str, name: str, frames: Frames, time_limit_seconds: float) -> VideoReport:
    source = DecodeRequest(path, "pyav", time_limit_seconds, name=name)
    index = probe_video(source, source.deadline())
    with open_video(path, time_limit_seconds=time_limit_seconds, name=name) as video:
        report = replace(_described(path, index, video), digest=content_hash(path))
        try:
            report = replace(report, frame_hashes=_read_through(video, frames))
            return replace(report, remarks=(*report.remarks, *_size_remarks(index, video)))
        except DecodeError as error:
            return replace(report, faults=(str(error),))


def _inspected_picture(record: VideoRecord) -> VideoReport:
    """Without hashes of its one frame: alone they would call too many pictures alike, so copies are told by bytes."""
    content = read_picture(record)
    picture = decode_picture(content, name=record.place)
    return VideoReport(
        path=record.place,
        num_frames=1,
        codec=picture.format_name,
        width=picture.width,
        height=picture.height,
        size_bytes=len(content),
        digest=hashlib.blake2b(content, digest_size=16).hexdigest(),
    )


def _described(path: str, index: VideoIndex, video: Video) -> VideoReport:
    return VideoReport(
        path=path,
        num_frames=video.num_frames,
        fps=video.fps,
        intervals_seconds=None if video.times.is_constant else video.times.intervals_seconds,
        codec=index.codec,
        gop_frames=largest_gop(index.keyframes, video.num_frames),
        rotation_degrees=-90 * index.quarter_turns % 360,
        duration_seconds=video.times.duration_seconds,
        width=video.width,
        height=video.height,
        size_bytes=os.path.getsize(path),
        remarks=_remarks(index, video),
    )


def _remarks(index: VideoIndex, video: Video) -> tuple[str, ...]:
    refusal = decord_refusal(index)
    shape = aspect_remark(video.pixel_aspect, height=video.height, width=video.width)
    stated = index.stated_fps
    contradicts = stated is not None and not 1 / CONTRADICTION < stated / video.fps < CONTRADICTION
    found = (
        (not video.times.is_constant, f"{VARIABLE_RATE}: {describe_intervals(*video.times.intervals_seconds)}"),
        (contradicts, f"{WRONG_RATE}: it states {stated or 0:.6g} frames a second, they give {video.fps:.6g}"),
        (refusal is not None, f"decord is not safe on it: {refusal}"),
        (index.flipped, "it is stored mirrored"),
        (bool(shape), shape),
    )
    return tuple(words for holds, words in found if holds)


def _size_remarks(index: VideoIndex, video: Video) -> tuple[str, ...]:
    """Of a video that has been read: that its picture size changes, where it does."""
    others = " and ".join(f"{width}x{height}" for width, height in sorted(video.other_sizes))
    first = f"{index.coded_width}x{index.coded_height}"
    return (f"{CHANGING_SIZE} (from {first} to {others})",) if others else ()


def _read_through(video: Video, frames: Frames) -> tuple[int | None, ...]:
    """Decode, and return the hashes of the frames at `hashed_positions`."""
    wanted = hashed_positions(video.num_frames)
    if frames == "some":
        return tuple(frame_hash(frame) for frame in video.read(wanted))
    chunk = max(1, READ_BYTES // (video.height * video.width * 3))
    hashes: dict[int, int | None] = {}
    for first in range(0, video.num_frames, chunk):
        stop = min(first + chunk, video.num_frames)
        pictures = video.read(range(first, stop))
        hashes |= {at: frame_hash(pictures[at - first]) for at in set(wanted) if first <= at < stop}
    return tuple(hashes[at] for at in wanted)


def _place(video: str | VideoRecord) -> str:
    return video if isinstance(video, str) else video.place


def _unread(video: str | VideoRecord, fault: str) -> VideoReport:
    path = _place(video)
    if not isinstance(video, str) and video.byte_range is not None:
        return VideoReport(path=path, size_bytes=video.byte_range[1], faults=(fault,))
    size = os.path.getsize(path) if os.path.isfile(path) else None
    return VideoReport(path=path, size_bytes=size, faults=(fault,))
