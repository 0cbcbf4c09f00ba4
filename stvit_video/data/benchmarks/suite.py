"""How quick the data room is on a folder of videos, on files like those of Kinetics, and on prepared copies."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stvit_video.data.benchmarks.bare_decoders import find_videos, plan_clips, write_original
from stvit_video.data.benchmarks.throughput import Comparison, compare_decoders, compare_prepared, compare_views
from stvit_video.data.curation.transcode import Encoding, Job, transcode
from stvit_video.data.transforms.preprocessing import Preprocessing

__all__ = ["format_comparisons", "measure_data"]

HEADER = ("what", "beside", "rate /s", "its rate /s", "ratio", "target", "met")
LARGE_SIZE = (720, 1280)  # height, width in pixels of what cameras and YouTube give
KINETICS_SIZE = (256, 340)  # of the copies of Kinetics that are passed around
NUM_KINETICS_LIKE = 8


def measure_data(
    folder: str,
    *,
    preprocessing: Preprocessing,
    num_workers: int = 2,
    limit: int = 64,
    repeats: int = 3,
    num_frames: int = 300,
    large_size: tuple[int, int] = LARGE_SIZE,
    kinetics_size: tuple[int, int] = KINETICS_SIZE,
) -> tuple[list[Comparison], list[str]]:
    """Compare reading the videos of a folder with decord, PyAV and pytorchvideo, and prepared copies with originals.

    Args:
        folder: with videos, in it or in folders in it.
        preprocessing: of training clips.
        num_workers: processes of each side.
        limit: most videos that are read.
        repeats: passes that count; the quickest is taken.
        num_frames: length of the files that are made of the first videos, with a keyframe every 250 frames.
        large_size: height and width in pixels of the one that is prepared.
        kinetics_size: likewise of those like Kinetics'.

    Returns:
        The rows, and lines on what was measured.

    Raises:
        ValueError: a number is out of range, or no video can be used.
        MissingLibraryError: decord or PyAV does not import.
        BrokenVideosError, DecodeError, TranscodeError: videos can't be read or prepared.
    """
    if num_workers < 0:
        raise ValueError(f"num_workers={num_workers} is not possible; give 0 (this process) or more")
    plan, left_out = plan_clips(find_videos(folder, limit=limit), preprocessing=preprocessing)
    paths = [clip.path for clip in plan]
    decoders = partial(compare_decoders, preprocessing=preprocessing, num_workers=num_workers, repeats=repeats)
    views = partial(compare_views, preprocessing=preprocessing, repeats=repeats)
    rows = [*decoders(plan, name="these videos"), views(paths, name="these videos")]
    with tempfile.TemporaryDirectory(prefix="stvit_video_benchmark_") as room:
        like_kinetics = [str(Path(room, f"kinetics{number}.mp4")) for number in range(NUM_KINETICS_LIKE)]
        for number, target in enumerate(like_kinetics):
            write_original(paths[number % len(paths)], target, size=kinetics_size, num_frames=num_frames)
        name = f"{num_frames} frames of {kinetics_size[1]}x{kinetics_size[0]}"
        plan, _ = plan_clips(like_kinetics, preprocessing=preprocessing)
        rows += [*decoders(plan * 4, name=name), views(like_kinetics, name=name)]
        original, prepared = str(Path(room, "original.mp4")), str(Path(room, "prepared.mp4"))
        write_original(paths[0], original, size=large_size, num_frames=num_frames)
        transcode(Job(original, prepared), encoding=Encoding(short_side=256, gop=30))
        beside = partial(compare_prepared, preprocessing=preprocessing, num_workers=num_workers, repeats=repeats)
        rows.append(beside(original, prepared))
    read = f"{len(paths)} videos; {len(left_out)} left out{': ' + left_out[0] if left_out else ''}"
    return rows, [read, *(f"{row.reference}: {row.note}" for row in rows if row.note)]


def format_comparisons(rows: Sequence[Comparison]) -> str:
    """The rows as a Markdown table, without a line break at its end; what is missing is "-"."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    lines = [HEADER, tuple("---" for _ in HEADER)]
    for row in rows:
        sign = "<=" if row.is_time else ">="
        kind = " (time)" if row.is_time and row.ratio is not None else ""
        target = "-" if row.target is None else f"{sign} {row.target:g}"
        met = {None: "-", True: "yes", False: "no"}[row.is_met]
        rates = (number(row.our_rate), number(row.reference_rate))
        lines.append((row.ours, row.reference, *rates, number(row.ratio) + kind, target, met))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
