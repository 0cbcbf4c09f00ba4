"""From the Kinetics CSV and a folder of downloads to a manifest, if wanted with quick-to-read copies of the videos.

Every row of the CSV ends up in exactly one of two lists: usable (the manifest), or left out with the reason.
"""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from stvit_video.data.curation.transcode import Encoding, Job, TranscodeError, is_done, transcode
from stvit_video.data.layouts.kinetics import read_kinetics_manifest
from stvit_video.data.manifests.csv_rows import filter_rows, read_rows
from stvit_video.data.manifests.faults import Faults
from stvit_video.utils.atomic_files import DiskFullError, remove_stale_parts, write_table
from stvit_video.utils.executor import map_in_processes
from stvit_video.utils.open_files import refuse_for_open_files

MANIFEST_HEADER = ("path", "label", "start_seconds", "end_seconds", "split")
LEFT_OUT_HEADER = (*MANIFEST_HEADER, "reason")
Made = Literal["done", "kept", "failed", "full"]


@dataclass(frozen=True)
class Clip:
    """One row of the CSV and its file; `reason` says why it can't be used, "" = it can."""

    path: Path
    label: str
    split: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    reason: str = ""


class Copied(NamedTuple):
    """What became of one job: "done", "kept" (it was there), "failed" or "full" (no room), and why."""

    made: Made
    reason: str = ""


def find_clips(
    csv_path: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    split: str | None = None,
    untrimmed: bool = False,
) -> list[Clip]:
    """The rows of a Kinetics CSV with their files, in order; absent files have that as their reason.

    Args:
        csv_path: `label,youtube_id,time_start,time_end[,split]`.
        video_dir: folder of `<id>_<start>_<end>.mp4` or `<id>.mp4`, there or in class folders.
        split: only the rows with this split.
        untrimmed: True = `<id>.mp4` is the whole YouTube video, of which the row's time is used.

    Raises:
        ManifestError: the CSV is faulty, or there is no such folder.
    """
    manifest = read_kinetics_manifest(csv_path, video_dir=video_dir, split=split, untrimmed=untrimmed, missing="keep")
    rows = read_rows(Path(csv_path), needed=("label", "youtube_id"), faults=Faults(csv_path))
    rows = filter_rows(rows, {} if split is None else {"split": (split,)}, wanted=True, source=csv_path)
    clips = []
    for row, record in zip(rows, manifest.records, strict=True):
        reason = "" if record.path.is_file() else f"there is no video of {row.fields['youtube_id']} in {video_dir}"
        label, part = manifest.classes[record.label], row.fields.get("split", "")
        clips.append(Clip(record.path, label, part, record.start_seconds, record.end_seconds, reason))
    return clips


def copy_clips(
    clips: Sequence[Clip],
    *,
    folder: Path,
    encoding: Encoding,
    num_workers: int,
    time_limit_seconds: float = 600.0,
    copy: Callable[[Job], Copied] | None = None,
    show_progress: bool = True,
) -> tuple[list[Clip], dict[Made, int]]:
    """Transcode the clips into `folder/<label>/`, in processes that may die; what is there already is kept.

    Args:
        clips: from `find_clips`; those with a reason are passed through.
        folder: of the copies.
        encoding: size and quality.
        num_workers: processes at the same time.
        time_limit_seconds: for one clip.
        copy: what to call instead of `copy_one`.
        show_progress: draw a bar where the output is a terminal.

    Returns:
        The clips with the paths of their copies, without times (the copy is that part), or with the reason why
        there is none; and how many were done, kept, failed.

    Raises:
        DiskFullError: there is no room left.
        ValueError: two clips would have the same copy.
    """
    positions = [position for position, clip in enumerate(clips) if not clip.reason]
    jobs = [_job(clips[position], folder) for position in positions]
    _refuse_doubles(jobs)
    remove_stale_parts({Path(job.target).parent for job in jobs})
    work = copy or partial(copy_one, encoding=encoding, time_limit_seconds=time_limit_seconds)
    outcomes = map_in_processes(
        work,
        jobs,
        num_workers=num_workers,
        time_limit_seconds=time_limit_seconds,
        progress="preparing" if show_progress else None,
        unit="video",
    )
    result = list(clips)
    counts: dict[Made, int] = {"done": 0, "kept": 0, "failed": 0}
    try:
        for outcome in outcomes:
            position, job = positions[outcome.position], jobs[outcome.position]
            made, reason = outcome.value or Copied("failed", f"copying it failed: {outcome.fault}")
            if made == "full":
                whole = counts["done"] + counts["kept"]
                raise DiskFullError(
                    f"no room is left for {job.target}; {whole} of {len(jobs)} videos are prepared and whole: "
                    "make room and run the same command again, it goes on from there"
                )
            counts[made] += 1
            result[position] = replace(clips[position], reason=reason) if reason else _copied(clips[position], job)
    finally:
        outcomes.close()
        for job in jobs:
            job.part.unlink(missing_ok=True)  # of processes that were ended
    return result, counts


def copy_one(job: Job, *, encoding: Encoding, time_limit_seconds: float) -> Copied:
    """Make one copy in this process, unless a good one is there."""
    try:
        if is_done(job, encoding=encoding, time_limit_seconds=time_limit_seconds):
            return Copied("kept")
        transcode(job, encoding=encoding, time_limit_seconds=time_limit_seconds)
    except TranscodeError as error:
        refuse_for_open_files(error)
        return Copied("failed", str(error))
    except OSError as error:
        refuse_for_open_files(error)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Copied("full" if is_full else "failed", f"{job.source}: writing {job.target} failed ({error})")
    return Copied("done")


def write_lists(clips: Iterable[Clip], *, manifest_path: Path, left_out_path: Path) -> None:
    """Write the manifest of the usable clips, and the list of the others with the reason.

    A path below the folder of the manifest is written relative to it, any other absolute.

    Raises:
        OSError: a file can't be written.
    """
    usable, left_out = [], []
    for clip in clips:
        row = (written_path(clip.path, manifest_path), clip.label, clip.start_seconds, clip.end_seconds, clip.split)
        if clip.reason:
            left_out.append((*row, clip.reason))
        else:
            usable.append(row)
    write_table(manifest_path, header=MANIFEST_HEADER, rows=usable)
    write_table(left_out_path, header=LEFT_OUT_HEADER, rows=left_out)


def written_path(path: Path, manifest_path: Path) -> str:
    """How a manifest writes the path of a video: relative where it lies below the folder of that."""
    folder, absolute = Path(os.path.abspath(manifest_path.parent)), Path(os.path.abspath(path))
    return absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else str(absolute)


def _job(clip: Clip, folder: Path) -> Job:
    stem, times = clip.path.stem, ""
    if clip.start_seconds is not None or clip.end_seconds is not None:
        times = f"_{int(clip.start_seconds or 0):06d}_{int(clip.end_seconds or 0):06d}"
    target = folder / clip.label.replace("/", "_") / f"{stem}{times}.mp4"
    return Job(str(clip.path), str(target), clip.start_seconds, clip.end_seconds)


def _copied(clip: Clip, job: Job) -> Clip:
    return replace(clip, path=Path(job.target), start_seconds=None, end_seconds=None)


def _refuse_doubles(jobs: Sequence[Job]) -> None:
    """Two originals must not take turns at one copy, and no copy may replace its original."""
    by_target: dict[str, Job] = {}
    for job in jobs:
        other = by_target.setdefault(job.target, job)
        if other is not job:
            raise ValueError(
                f"{other.source} and {job.source} would both be written to {job.target}; rename one of them"
            )
        if os.path.realpath(job.source) == os.path.realpath(job.target):
            raise ValueError(f"the copy of {job.source} would replace it; choose another folder for the copies")
