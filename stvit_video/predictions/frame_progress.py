"""A line that tells how many frames of a video are done, and how many a second."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stvit_video.predictions.progress_bar import has_terminal

__all__ = ["frame_progress"]

SECONDS_BETWEEN = 10.0  # of two lines, where they stay


@contextmanager
def frame_progress(name: str) -> Iterator[Callable[[int], None]]:
    """Show the progress of one video on standard error: in a terminal one line that changes, else one now and then.

    Args:
        name: of the video.

    Yields:
        What is called with the number of frames that were finished since the last call.
    """
    is_terminal = has_terminal(sys.stderr)
    start = shown = time.monotonic()
    done = 0

    def report(num_frames: int) -> None:
        nonlocal done, shown
        done += num_frames
        now = time.monotonic()
        if is_terminal or now - shown >= SECONDS_BETWEEN:
            shown = now
            line = f"{name}: {done} frames, {done / max(now - start, 1e-9):.3g} frames/s"
            print(f"\r{line}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield report
    finally:
        if is_terminal and done:
            print(file=sys.stderr)
