"""One or two frames between the thread that reads a source and the one that runs the model: the newest win."""

import math
import threading
import time
from collections import deque

from stvit_video.streaming.frame_choice import ChosenFrame

__all__ = ["FrameQueue"]


class FrameQueue:
    """A queue that holds at most `size` frames.

    Args:
        size: frames that wait.

    Attributes:
        newest_wins: True = a frame that finds no room drops the oldest one; False = it waits for room.
        num_dropped: times for which the model was to see a frame that was dropped.
        until: time of `time.monotonic` at which no frame is waited for any more.
        closed: set when nobody wants frames any more.
    """

    def __init__(self, size: int = 2) -> None:
        self.newest_wins = True
        self.num_dropped = 0
        self.until = math.inf
        self.closed = threading.Event()
        self._size = size
        self._waiting: deque[tuple[ChosenFrame, float]] = deque()
        self._change = threading.Condition()
        self._has_ended = False
        self._error: BaseException | None = None
        self._alive = time.monotonic()

    def put(self, frame: ChosenFrame) -> bool:
        """Hand over a frame; False = nobody wants it."""
        with self._change:
            self._alive = time.monotonic()
            while len(self._waiting) >= self._size and not self.newest_wins and not self.closed.is_set():
                self._change.wait()
            while len(self._waiting) >= self._size:
                frame = self._drop_oldest(frame)
            self._waiting.append((frame, time.monotonic()))
            self._change.notify_all()
        return not self.closed.is_set()

    def show_life(self) -> None:
        """The reading thread is at work, even if it has no frame."""
        with self._change:
            self._alive = time.monotonic()

    def end(self, error: BaseException | None = None) -> None:
        """No more frames come; `error` is why, where that is one."""
        with self._change:
            self._has_ended, self._error = True, error
            self._change.notify_all()

    def get(self, *, patience_seconds: float) -> tuple[ChosenFrame, float] | None:
        """The oldest frame that waits, and how long it has.

        Args:
            patience_seconds: how long the reading thread may show no life.

        Returns:
            Frame and seconds; None = the source has ended, or the time is over.

        Raises:
            TimeoutError: the reading thread shows no life.
            BaseException: what it ended with.
        """
        with self._change:
            while not self._waiting:
                if self._error is not None:
                    raise self._error
                if self._has_ended:
                    return None
                now = time.monotonic()
                if now >= self.until:
                    return None
                if now >= self._alive + patience_seconds:
                    raise TimeoutError
                self._change.wait(min(self._alive + patience_seconds, self.until) - now)
            frame, since = self._waiting.popleft()
            self._alive = time.monotonic()  # as it could not show before, if it waited for room
            self._change.notify_all()
        return frame, time.monotonic() - since

    def close(self) -> None:
        """Nobody wants frames any more."""
        with self._change:
            self.closed.set()
            self._waiting.clear()
            self._change.notify_all()

    def _drop_oldest(self, newest: ChosenFrame) -> ChosenFrame:
        """Drop the oldest; what must not be lost of it goes to the one after it. Gives the newest back."""
        dropped, _ = self._waiting.popleft()
        self.num_dropped += len(dropped.seconds)
        if not self._waiting:
            return newest.after(dropped)
        following, since = self._waiting.popleft()
        self._waiting.appendleft((following.after(dropped), since))
        return newest
