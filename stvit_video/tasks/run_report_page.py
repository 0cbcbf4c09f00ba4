"""The page of a training or evaluation, as every task writes it."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.pages.confusion_part import Confusion
from stvit_video.pages.run_page import RUN_PAGE, write_run_page
from stvit_video.utils.figures import draw_or_warn

__all__ = ["draw_run_page", "middle_frames"]

FRAME_SECONDS = 5.0  # for opening a video and for reading its frame


def draw_run_page(
    folder: Path,
    *,
    written: Collection[str],
    confusion: Confusion | None = None,
    read_frame: Callable[[str], np.ndarray] | None = None,
    separator: str = "|",
) -> list[str]:
    """Write report.html, see `write_run_page`, or warn: a result counts more than its page.

    Returns:
        The names of the files that were written, those of `written` first.
    """
    is_there = draw_or_warn(
        folder / RUN_PAGE,
        lambda: write_run_page(
            folder, written=written, confusion=confusion, read_frame=read_frame, separator=separator
        ),
    )
    return [*written, *([RUN_PAGE] if is_there else [])]


def middle_frames(
    manifest: Manifest, *, backend: str = "auto", time_limit_seconds: float | None = None
) -> Callable[[str], np.ndarray]:
    """A function that reads the middle frame (H, W, 3) uint8 of a listed video, or of its segment, by its name.

    Args:
        manifest: the list.
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening and for reading one video; FRAME_SECONDS is the most.
    """
    limit = FRAME_SECONDS if time_limit_seconds is None else min(time_limit_seconds, FRAME_SECONDS)
    source = FrameSource(backend=backend, time_limit_seconds=limit, warn=False)
    records = {record.video_id: record for record in manifest.records}

    def read(name: str) -> np.ndarray:
        reading = source.read(records[name], lambda times: [len(times.seconds) // 2])
        return reading.frames[0].numpy()

    return read
