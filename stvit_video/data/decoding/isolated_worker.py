"""The decoding process: reads one video at a time for the process that started it (`isolated_backend.py`).

It may hang or crash in a native decoder without harm: then it is killed and another one started. It ends by
itself when the asking process is gone, also while it hangs.
"""

import os
import signal
import socket
from typing import Any

import numpy as np

from stvit_video.data.decoding.isolated_channel import (
    ChannelClosedError,
    index_from_message,
    index_to_message,
    receive_message,
    send_message,
)
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.reader import Reader
from stvit_video.data.decoding.request import Deadline, DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.video import READERS
from stvit_video.utils.optional import MissingLibraryError, load_optional

__all__ = ["DecodingService", "main", "serve"]

ORPHAN_SECONDS = 5.0  # over the limit of one request the asking process would have killed this one
TIMED_OUT = 3  # exit status: a native call may still be running in a thread of this process


class DecodingService:
    """Answers requests: a dict with "do" and what that needs -> (reply, frames or None)."""

    def __init__(self) -> None:
        self._reader: Reader | None = None

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
        """Do what is asked.

        * "import" with `library` (arguments of `load_optional`): load it, which may take long once;
        * "probe" with `source`: reply with the index;
        * "open" with `source`, `index`: reply with the index as the backend knows it;
        * "read" with `indices`: frames (n, H, W, 3) uint8;
        * "close": forget the video.

        All but "import" and "close" carry `seconds`, the time left, and may carry `limit_seconds`, that of the whole
        call. A failure is a reply with "error".
        """
        try:
            return self._answer(request)
        except MissingLibraryError as error:
            return {"error": "missing", "text": str(error)}, None
        except DecodeTimeoutError as error:
            return {"error": "timeout", "text": str(error)}, None
        except DecodeError as error:
            return {"error": "decode", "text": str(error)}, None
        except Exception as error:  # it must reach the asking process, which names the file
            return {"error": "other", "text": f"{type(error).__name__}: {error}"}, None

    def _answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None]:
        match request["do"]:
            case "import":
                load_optional(**request["library"])
                return {}, None
            case "probe":
                source = DecodeRequest(**request["source"])
                return {"index": index_to_message(probe_video(source, _deadline(request)))}, None
            case "open":
                return {"index": index_to_message(self._open(request).index)}, None
            case "read":
                assert self._reader is not None
                frames = self._reader.read(request["indices"], _deadline(request))
                return {"shape": frames.shape}, frames
            case _:
                self._close()
                return {}, None

    def _open(self, request: dict[str, Any]) -> Reader:
        self._close()
        source, index = DecodeRequest(**request["source"]), index_from_message(request["index"])
        reader = READERS[source.backend](source, index, _deadline(request))
        self._reader = reader
        return reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None


def _deadline(request: dict[str, Any]) -> Deadline:
    return Deadline(request["seconds"], limit_seconds=request.get("limit_seconds"))


def serve(channel: socket.socket) -> int:
    """Answer until the other end is gone or a request has run out of time.

    Returns:
        The exit status of the process.
    """
    worker = DecodingService()
    send_message(channel, {"ready": True})
    while True:
        try:
            request = receive_message(channel)
        except ChannelClosedError:
            return 0
        # The system's alarm also ends a process that hangs in native code, when nobody is left to kill it.
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + ORPHAN_SECONDS)
        reply, frames = worker.answer(request)
        try:
            send_message(channel, reply, frames)
        except OSError:
            return 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        if reply.get("error") == "timeout":
            return TIMED_OUT


def main(file_descriptor: int) -> None:
    """Serve the socket with this number, then end at once, whatever threads still run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # they are for the asking process, whose end ends this one
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with socket.socket(fileno=file_descriptor) as channel:
        status = serve(channel)
    os._exit(status)
