"""A small copy of a clip that every browser can play, made in a process that is ended where it takes too long."""

from pathlib import Path

from stvit_video.data.curation.transcode import Encoding, Job, transcode
from stvit_video.utils.executor import map_in_processes
from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError

__all__ = ["display_copy"]

ENCODING = Encoding(short_side=240, gop=60, crf=26)


def display_copy(path: Path, limits: ClipLimits) -> bytes:
    """The copy, h264 in yuv420p of at most 240 lines, without sound; no file is left.

    Raises:
        RefusedError: it can't be made, or not within the time limit.
    """
    target = path.with_suffix(".copy.mp4")
    job = Job(source=str(path), target=str(target))
    try:
        (outcome,) = map_in_processes(_copy, [job], num_workers=1, time_limit_seconds=limits.time_limit_seconds)
        if outcome.fault:
            raise RefusedError("The clip can't be shown here, as its copy for the browser could not be made.")
        return target.read_bytes()
    finally:
        target.unlink(missing_ok=True)
        job.part.unlink(missing_ok=True)


def _copy(job: Job) -> int:
    return transcode(job, encoding=ENCODING)
