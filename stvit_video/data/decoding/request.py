"""Which file is read, by whom and for how long, and the errors that say so."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from stvit_video.data.decoding.time_limits import FLOOR_SECONDS, listing_seconds

__all__ = ["Deadline", "DecodeError", "DecodeRequest", "DecodeTimeoutError", "DecoderKilledError", "all_within"]


class DecodeError(RuntimeError):
    """A video that can't be read; the message names the file, the backend and the cause."""


class DecodeTimeoutError(DecodeError):
    """A video that can't be read within the time limit."""


class DecoderKilledError(DecodeError):
    """A decoding process was killed from outside, as by a system that is short of memory: no fault of the video."""


class Deadline:
    """The end of one call's time: made when the call starts, asked inside its loops.

    Args:
        seconds: from now on.
        limit_seconds: of the whole call, for messages; None = the same.
    """

    def __init__(self, seconds: float, *, limit_seconds: float | None = None) -> None:
        self._end_seconds = time.monotonic() + seconds
        self.limit_seconds = seconds if limit_seconds is None else limit_seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never below 0."""
        return max(self._end_seconds - time.monotonic(), 0.0)


_shared: ContextVar[Deadline | None] = ContextVar("shared deadline", default=None)


@contextmanager
def all_within(deadline: Deadline) -> Iterator[None]:
    """Within, all calls of this thread together end by `deadline`, and each by its own limit as ever."""
    before = _shared.set(deadline)
    try:
        yield
    finally:
        _shared.reset(before)


@dataclass(frozen=True)
class DecodeRequest:
    """One video, who reads it, and how long one call may take; it words every `DecodeError`.

    With `time_limit_seconds=None` a call has the time that its work takes on a slow machine (`time_limits.py`).
    With `allow_addresses` the path may be an address or a playlist, and is handed to ffmpeg as it stands.
    `name` is what errors call it; "" = the path.
    """

    path: str
    backend: str
    time_limit_seconds: float | None
    allow_addresses: bool = False
    name: str = ""

    @property
    def shown(self) -> str:
        """What errors call the video."""
        return self.name or self.path

    @property
    def listing_seconds(self) -> float:
        """How long opening the file and listing its packets may take."""
        if self.time_limit_seconds is not None:
            return self.time_limit_seconds
        try:
            return listing_seconds(os.path.getsize(self.path))
        except (OSError, ValueError):  # an address, or a path that is refused later
            return FLOOR_SECONDS

    def deadline(self, needed_seconds: float | None = None) -> Deadline:
        """A call's time, starting now: the limit that was set, else what the work needs; None = listing the packets.

        It ends no later than that of `all_within`.
        """
        needed = self.listing_seconds if needed_seconds is None else needed_seconds
        own, shared = Deadline(needed if self.time_limit_seconds is None else self.time_limit_seconds), _shared.get()
        return own if shared is None or own.remaining_seconds() <= shared.remaining_seconds() else shared

    def extended(self, deadline: Deadline, needed_seconds: float) -> Deadline:
        """The time for a further part of a call: what is left of a limit that was set, else what the part needs."""
        return self.deadline(needed_seconds) if self.time_limit_seconds is None else deadline

    def error(self, cause: str) -> DecodeError:
        """The error that names this file and backend, with `cause` as the reason."""
        return DecodeError(self._sentence(cause))

    def timeout(self, doing: str, deadline: Deadline | None = None) -> DecodeTimeoutError:
        """The error that says what took too long, and the setting that allows more; None = listing the packets."""
        grown = self.listing_seconds if deadline is None else deadline.limit_seconds
        seconds = grown if self.time_limit_seconds is None else self.time_limit_seconds
        remedy = "raise time_limit_seconds (in a training data.time_limit_seconds) if the file is merely long"
        cause = f"{doing} took longer than the time limit of {seconds:g} s; {remedy}"
        return DecodeTimeoutError(self._sentence(cause))

    def killed(self, doing: str) -> DecoderKilledError:
        """The error that says that the system ended a process, and why it may have."""
        return DecoderKilledError(self._sentence(f"{doing}; is the machine out of memory?"))

    def check_time(self, deadline: Deadline, doing: str) -> None:
        """Raise when the time is over.

        Raises:
            DecodeTimeoutError: `doing` took longer than the time limit.
        """
        if deadline.remaining_seconds() <= 0:
            raise self.timeout(doing, deadline)

    def _sentence(self, cause: str) -> str:
        cause = cause.replace(self.path, self.name) if self.name else cause  # libraries name the path
        return f"can't decode {self.shown!r} with backend {self.backend!r}: {cause}"
