"""How long a request may read its clip: the labels and the tokens of all models together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from stvit_video.data.decoding.request import Deadline, DecodeTimeoutError, all_within

__all__ = ["ReadingBudget"]


class ReadingBudget:
    """The time that is left; only what is read within `spent` counts, not what models do in between.

    Args:
        seconds: in all.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._left_seconds = seconds

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Within, videos are read; all calls together end when the time is over.

        Raises:
            DecodeTimeoutError: it was over before, and nothing was read.
        """
        if self._left_seconds <= 0:
            raise DecodeTimeoutError(f"reading took longer than the time limit of {self.seconds:g} s")
        start = time.monotonic()
        try:
            with all_within(Deadline(self._left_seconds, limit_seconds=self.seconds)):
                yield
        finally:
            self._left_seconds -= time.monotonic() - start
