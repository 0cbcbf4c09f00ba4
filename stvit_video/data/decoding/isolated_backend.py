"""A video read in a process of its own, so that a hung or crashing native decoder can be killed.

`subprocess` and no `multiprocessing`: data loader workers are daemonic and may not have children of that kind.
A process is started where none is idle (0.2 s), and serves one video after another.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from stvit_video.data.decoding.isolated_channel import (
    ChannelClosedError,
    index_from_message,
    index_to_message,
    receive_frames,
    receive_message,
    send_message,
)
from stvit_video.data.decoding.probe import VideoIndex, opening_seconds
from stvit_video.data.decoding.request import Deadline, DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.utils.optional import MissingLibraryError

__all__ = ["CAN_ISOLATE", "DecoderProcess", "IsolatedReader", "probe_isolated", "stop_idle_decoders"]

CAN_ISOLATE = os.name == "posix"  # a socket is handed down, and an alarm set, as POSIX has them
START_SECONDS = 60.0  # for starting a process or importing a library: no fault of the file
GRACE_SECONDS = 1.0  # the process itself should say that time is over, with the better words
MAX_IDLE = 4
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from stvit_video.data.decoding.isolated_worker import main; main(int(sys.argv[1]))"
)


class DecoderProcess:
    """One decoding process and the socket to it; belongs to the process and the video that use it."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, "-c", _BOOT, str(theirs.fileno()), json.dumps(sys.path)]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        self._imported: set[str] = set()
        self.stop = weakref.finalize(self, _stop, self._process, self._channel, os.getpid())
        _started.add(self)
        try:
            receive_message(self._channel, Deadline(START_SECONDS))
        except (ChannelClosedError, TimeoutError) as error:
            self.stop()
            raise RuntimeError(
                f"the decoding process {sys.executable!r} did not start within {START_SECONDS:g} s; its own words are "
                "on the standard error output; backend=auto decodes in this process"
            ) from error

    @property
    def is_usable(self) -> bool:
        """True = running, and started by this very process (a fork has no right to it)."""
        return self.stop.alive and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def disown(self) -> None:
        """In a fork: close our copy of the socket, and leave the process to the one that started it."""
        self._process.returncode = 0  # nothing for us to wait for
        self.stop()

    def load(self, library: dict[str, str]) -> None:
        """Import a backend's library, outside any file's time limit.

        Raises:
            MissingLibraryError: it does not import there.
        """
        if library["name"] in self._imported:
            return
        source = DecodeRequest("", library["name"], START_SECONDS)
        self.call({"do": "import", "library": library}, source, Deadline(START_SECONDS))
        self._imported.add(library["name"])

    def call(self, request: dict[str, Any], source: DecodeRequest, deadline: Deadline) -> tuple[dict[str, Any], Any]:
        """Send a request and wait for the reply; a process that fails to give one is killed.

        Returns:
            The reply, and the frames that came with it (None: it carries none).

        Raises:
            DecodeError: the reply is an error, the process ended, or time is over (DecodeTimeoutError).
            MissingLibraryError: the reply is that a library does not import.
        """
        seconds = deadline.remaining_seconds()
        patience = Deadline(seconds + GRACE_SECONDS)
        try:
            self._channel.settimeout(seconds + GRACE_SECONDS)
            send_message(self._channel, {"seconds": seconds, "limit_seconds": deadline.limit_seconds, **request})
            reply = receive_message(self._channel, patience)
            frames = receive_frames(self._channel, tuple(reply["shape"]), patience) if "shape" in reply else None
        except TimeoutError as error:
            self.stop()
            raise source.timeout("a call in a process of its own, which is now killed,", deadline) from error
        except (ChannelClosedError, OSError) as error:
            raise self._ended(source) from error
        except BaseException:  # Ctrl-C between question and answer: the next answer would be the wrong one
            self.stop()
            raise
        if "error" in reply:
            self._raise(reply, source)
        return reply, frames

    def _raise(self, reply: dict[str, Any], source: DecodeRequest) -> None:
        kind, text = reply["error"], reply["text"]
        if kind == "missing":
            raise MissingLibraryError(text)
        if kind == "timeout":
            self.stop()
            raise DecodeTimeoutError(text)
        raise DecodeError(text) if kind == "decode" else source.error(text)

    def _ended(self, source: DecodeRequest) -> DecodeError:
        """The error that says how the process ended; nothing in it kills itself with these signals."""
        try:
            status = self._process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            status = 0
        self.stop()
        if status >= 0:
            return source.error(f"its decoding process ended with status {status}")
        words = f"its decoding process was ended by signal {signal.Signals(-status).name}"
        return source.killed(words) if -status in (signal.SIGKILL, signal.SIGTERM) else source.error(words)


class IsolatedReader:
    """Any backend's reader in a process of its own; a process that was killed is replaced at the next call."""

    def __init__(
        self, source: DecodeRequest, index: VideoIndex, deadline: Deadline, *, library: dict[str, str]
    ) -> None:
        self._source = source
        self._library = library
        self._worker: DecoderProcess | None = None
        self.index = index
        self._open(deadline)

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: the backend's own, or the process was killed or crashed.
        """
        if self._worker is None or not self._worker.is_usable:
            deadline = self._open(self._source.extended(deadline, deadline.limit_seconds + opening_seconds(self.index)))
        assert self._worker is not None
        _, frames = self._worker.call({"do": "read", "indices": list(indices)}, self._source, deadline)
        expected = (len(indices), self.index.height, self.index.width, 3)
        if frames is None or frames.shape != expected:
            raise self._source.error(f"the decoding process gives no frames of shape {expected}")
        return frames

    def close(self) -> None:
        """Give the process back for the next video."""
        worker, self._worker = self._worker, None
        if worker is not None:
            _release(worker)

    def _open(self, deadline: Deadline) -> Deadline:
        """Open the video in a process; gives the deadline back, later by what starting the process took."""
        self.close()
        remaining_seconds = deadline.remaining_seconds()
        worker = _acquire()
        try:
            worker.load(self._library)
            deadline = Deadline(remaining_seconds, limit_seconds=deadline.limit_seconds)
            request = {"do": "open", "source": asdict(self._source), "index": index_to_message(self.index)}
            reply, _ = worker.call(request, self._source, deadline)
        except (DecodeError, MissingLibraryError):
            _release(worker)
            raise
        self._worker, self.index = worker, index_from_message(reply["index"])
        return deadline


def probe_isolated(source: DecodeRequest, deadline: Deadline, *, library: dict[str, str]) -> VideoIndex:
    """`probe_video` in a process of its own.

    Raises:
        DecodeError: `probe_video`'s own, or the process was killed or crashed.
        MissingLibraryError: PyAV does not import.
    """
    remaining_seconds = deadline.remaining_seconds()
    worker = _acquire()
    try:
        worker.load(library)
        request = {"do": "probe", "source": asdict(source)}
        reply, _ = worker.call(request, source, Deadline(remaining_seconds, limit_seconds=deadline.limit_seconds))
        return index_from_message(reply["index"])
    finally:
        _release(worker)


_lock = threading.Lock()
_idle: list[DecoderProcess] = []
_started: "weakref.WeakSet[DecoderProcess]" = weakref.WeakSet()


def stop_idle_decoders() -> None:
    """End the processes that wait for a video; later ones are started anew."""
    with _lock:
        idle, _idle[:] = list(_idle), []
    for worker in idle:
        worker.stop()


def _acquire() -> DecoderProcess:
    """A process that nobody else uses."""
    with _lock:
        while _idle:
            worker = _idle.pop()
            if worker.is_usable:
                return worker
    return DecoderProcess()


def _release(worker: DecoderProcess) -> None:
    """Take a process back; what can't or need not be kept is ended."""
    if not worker.is_usable:
        return
    try:
        worker.call({"do": "close"}, DecodeRequest("", "", GRACE_SECONDS), Deadline(GRACE_SECONDS))
    except DecodeError:
        return
    with _lock:
        keep = len(_idle) < MAX_IDLE
        if keep:
            _idle.append(worker)
    if not keep:
        worker.stop()


def _stop(process: "subprocess.Popen[bytes]", channel: socket.socket, owner_pid: int) -> None:
    """Kill the process, where it is ours, and wait for its end."""
    channel.close()
    if os.getpid() != owner_pid:
        return
    process.kill()
    try:
        process.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return  # held by the system, e.g. in a dead network drive; the kill takes effect when it lets go


def _forget_after_fork() -> None:
    """In a forked child: the processes belong to the parent, so only close our copies of their sockets."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()
    for worker in list(_started):
        worker.disown()
    _started.clear()


if CAN_ISOLATE:
    os.register_at_fork(after_in_child=_forget_after_fork)
