"""What `open_video` asks of a backend, what each needs, and how a call that can't be interrupted is watched."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from stvit_video.data.decoding.probe import VideoIndex
from stvit_video.data.decoding.request import Deadline, DecodeRequest

Result = TypeVar("Result")
# What each backend needs, as arguments of `load_optional`.
LIBRARIES = {
    "decord": {"name": "decord", "needed_for": "backend='decord'", "install": "pip install decord"},
    "pyav": {"name": "av", "needed_for": "backend='pyav'", "install": "pip install av"},
    "torchcodec": {
        "name": "torchcodec.decoders",
        "needed_for": "backend='torchcodec'",
        "install": "pip install torchcodec (which itself needs the shared libraries of ffmpeg)",
    },
}


class Reader(Protocol):
    """What `open_video` asks of a backend; frames are numbered in display order."""

    index: VideoIndex

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these in-range positions (at least one): (n, H, W, 3) uint8 RGB."""

    def close(self) -> None:
        """Give back the file; may be called twice."""


def watched(call: Callable[[], Result], source: DecodeRequest, deadline: Deadline) -> Result:
    """The result of a call of the source's backend that can't be interrupted.

    Raises:
        DecodeError: what the call raised, in one line, or that it takes too long (DecodeTimeoutError).
    """
    try:
        return run_within(call, seconds=deadline.remaining_seconds())
    except TimeoutError as error:
        raise source.timeout(f"a call of {source.backend}", deadline) from error
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise source.error(f"{source.backend} says: {first_line}") from error


def run_within(call: Callable[[], Result], *, seconds: float) -> Result:
    """Run `call` in a thread of its own and wait for it at most so long.

    Returns:
        What the call returns; what it raises is raised here.

    Raises:
        TimeoutError: the call is still running after `seconds`; it is left behind in its daemon thread.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="decoder call", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"the call took longer than {seconds:g} s")
    return results[0]
