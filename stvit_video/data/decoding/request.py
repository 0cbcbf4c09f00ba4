"""Which file is read, by whom and for how long, and the errors that say so."""

import time
from dataclasses import dataclass

__all__ = ["Deadline", "DecodeError", "DecodeRequest", "DecodeTimeoutError", "DecoderKilledError"]


class DecodeError(RuntimeError):
    """A video that can't be read; the message names the file, the backend and the cause."""


class DecodeTimeoutError(DecodeError):
    """A video that can't be read within the time limit."""


class DecoderKilledError(DecodeError):
    """A decoding process was killed from outside, as by a system that is short of memory: no fault of the video."""


class Deadline:
    """The end of one call's time: made when the call starts, asked inside its loops."""

    def __init__(self, time_limit_seconds: float) -> None:
        self._end_seconds = time.monotonic() + time_limit_seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never below 0."""
        return max(self._end_seconds - time.monotonic(), 0.0)


@dataclass(frozen=True)
class DecodeRequest:
    """One video, who reads it, and how long one call may take; it words every `DecodeError`.

    With `allow_addresses` the path may be an address or a playlist, and is handed to ffmpeg as it stands.
    `name` is what errors call it; "" = the path.
    """

    path: str
    backend: str
    time_limit_seconds: float
    allow_addresses: bool = False
    name: str = ""

    @property
    def shown(self) -> str:
        """What errors call the video."""
        return self.name or self.path

    def deadline(self) -> Deadline:
        """A call's time, starting now."""
        return Deadline(self.time_limit_seconds)

    def error(self, cause: str) -> DecodeError:
        """The error that names this file and backend, with `cause` as the reason."""
        return DecodeError(self._sentence(cause))

    def timeout(self, doing: str) -> DecodeTimeoutError:
        """The error that says what took too long."""
        limit = f"the time limit of {self.time_limit_seconds:g} s"
        cause = f"{doing} took longer than {limit}; raise time_limit_seconds if the file is merely long"
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
            raise self.timeout(doing)

    def _sentence(self, cause: str) -> str:
        cause = cause.replace(self.path, self.name) if self.name else cause  # libraries name the path
        return f"can't decode {self.shown!r} with backend {self.backend!r}: {cause}"
