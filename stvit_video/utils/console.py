"""What a command prints: always shown, by escapes where the console lacks a sign, and quiet where nobody reads on.

A label may hold any sign, and a console may know a few (cp1252, ASCII): what it can't show is printed as an escape.
Where the reader of a pipe has left (`| head`), the command ends as other tools do, without a word and with the status
of SIGPIPE.
"""

import contextlib
import io
import os
import signal
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parents[1])
CLOSED = 128 + getattr(signal, "SIGPIPE", 13)


class OutputClosed(SystemExit):
    """Nobody reads the output any more.

    It is no `Exception`, so that no library on its way takes it for a failure that it can tell about.
    """

    def __init__(self) -> None:
        super().__init__(CLOSED)


class ReadOutput(io.TextIOWrapper):
    """Standard output or error that ends the command, once, where its reader has left; what follows goes nowhere.

    Attributes:
        is_closed: whether the reader has left.
    """

    is_closed = False

    def write(self, text: str, /) -> int:
        """As any text file.

        Raises:
            OutputClosed: the reader has left.
        """
        try:
            return super().write(text)
        except BrokenPipeError:
            raise self._end() from None

    def flush(self) -> None:
        """As any text file.

        Raises:
            OutputClosed: the reader has left.
        """
        try:
            super().flush()
        except BrokenPipeError:
            raise self._end() from None

    def _end(self) -> OutputClosed:
        self.is_closed = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, self.fileno())  # or Python would tell, at its end, that it can't write the rest
        os.close(nowhere)
        return OutputClosed()


def prepare_output() -> None:
    """Let standard output and error show everything, and end the command quietly where they are closed.

    Streams that something else has put in their place, such as a test's, get the escapes only. A warning of this
    package is one line, without the place in its code.
    """
    usual: Any = warnings.formatwarning
    if getattr(usual, "func", None) is not _in_one_line:
        warnings.formatwarning = partial(_in_one_line, usual)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        stream.reconfigure(errors="backslashreplace")
        if type(stream) is io.TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _guarded(stream))


def finish_output() -> bool:
    """Bring all to the reader; False = there is none any more."""
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        with contextlib.suppress(OutputClosed, OSError, ValueError, AttributeError):  # a full disk, a closed stream
            stream.flush()
    return not any(getattr(stream, "is_closed", False) for stream in streams)


def _in_one_line(usual: Any, message: Any, category: Any, filename: str, *place: Any, **more: Any) -> str:
    is_ours = filename.startswith(PACKAGE)
    return f"warning: {message}\n" if is_ours else str(usual(message, category, filename, *place, **more))


def _guarded(stream: io.TextIOWrapper) -> ReadOutput:
    """A second face of the same stream; the first stays, because handlers of logs may hold it."""
    stream.flush()
    guarded: Any = ReadOutput(
        stream.buffer,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.isatty() or stream is sys.__stderr__,
        write_through=stream.write_through,
    )
    guarded.mode = "w"  # as Python's own have it
    return guarded
