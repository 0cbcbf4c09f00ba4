"""What doesn't wait: a thread reads a camera or an address, so that the model always gets the newest frame."""

import math
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import TracebackType

from stvit_video.streaming.frame_choice import ChosenFrame, FrameChooser
from stvit_video.streaming.frame_queue import FrameQueue
from stvit_video.streaming.source_container import SourceContainer
from stvit_video.streaming.source_frames import SourceError, SourceFrame
from stvit_video.streaming.sources import Source
from stvit_video.streaming.stream_notes import Note
from stvit_video.streaming.stream_step import StreamSummary

__all__ = ["LiveSource"]

WAITS = 3  # each as long as the timeout: for an answer, for what tells the format, and for the first data
GRACE_SECONDS = 5.0  # beyond these, for what ffmpeg does not interrupt, such as the look-up of a host
CLOSE_SECONDS = 1.0  # that closing waits for the thread
MAX_PAUSE_SECONDS = 30.0  # between two attempts to connect
DEFAULT_INTERVAL_SECONDS = 1 / 30  # of a source that tells no rate


class LiveSource:
    """Reads a source in a thread of its own while it is entered; iterating gives its chosen frames.

    A lost connection is opened anew, after `reconnect_seconds`, then after twice that, and so on; after
    `max_reconnects` attempts without a connection that lasts `timeout_seconds` it is given up. An address with a
    duration or a size is a file elsewhere: it is read to its end, without drops and without reconnects.

    Args:
        source: of kind "camera" or "address".
        chooser: of the frames.
        summary: where reconnects and damages are counted.
        drop: True = a frame that the model is too late for makes room for the newest; False = the source waits.
        timeout_seconds: without data the connection is lost after it.
        max_reconnects: 0 = a lost connection is the end.
        reconnect_seconds: before the first attempt.
        max_seconds: by the clock, after the first frame or where none has come after the start, no frame of a live
            source is waited for any more; None = however long it takes.
    """

    def __init__(
        self,
        source: Source,
        *,
        chooser: FrameChooser,
        summary: StreamSummary,
        drop: bool,
        timeout_seconds: float,
        max_reconnects: int,
        reconnect_seconds: float,
        max_seconds: float | None = None,
    ) -> None:
        self._source, self._chooser, self._summary, self._drop = source, chooser, summary, drop
        self._open = partial(SourceContainer, source, timeout_seconds=timeout_seconds)
        self._timeout_seconds, self._patience_seconds = timeout_seconds, WAITS * timeout_seconds + GRACE_SECONDS
        self._max_reconnects, self._reconnect_seconds = max_reconnects, reconnect_seconds
        self._max_seconds = math.inf if max_seconds is None else max_seconds
        self._queue = FrameQueue()
        self._failures = 0  # attempts since the last connection that lasted
        # A daemon, since a connection that hangs ends with its timeout, and the program must not wait for that.
        self._thread = threading.Thread(target=self._work, name=f"reader of {source.shown}", daemon=True)

    def __enter__(self) -> "LiveSource":
        self._queue.until = time.monotonic() + self._max_seconds
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread, which closes the connection; where it hangs in one, it ends with its timeout."""
        self._queue.close()
        self._thread.join(CLOSE_SECONDS)

    def frames(self) -> Iterator[tuple[ChosenFrame, float]]:
        """Chosen frames, and the seconds that each has waited.

        Raises:
            SourceError: the source can't be opened or read on.
        """
        is_first = True
        while True:
            try:
                found = self._queue.get(patience_seconds=self._patience_seconds)
            except TimeoutError:
                raise SourceError(
                    f"{self._source.shown} shows no life for {self._patience_seconds:g} s; its driver or the look-up "
                    "of its name hangs"
                ) from None
            self._summary.frames_dropped = self._queue.num_dropped
            if found is None:
                return
            if is_first and self._summary.is_live:
                self._queue.until = found[0].arrived + self._max_seconds
            is_first = False
            yield found

    def _work(self) -> None:
        """The thread."""
        error: BaseException | None = None
        try:
            self._read_all()
        except BaseException as caught:  # handed to the thread that waits
            error = caught
        self._queue.end(error)

    def _read_all(self) -> None:
        container: SourceContainer | None = self._open()
        note: Note | None = None  # why the source is open anew
        while container is not None:
            is_live = container.is_live
            self._queue.newest_wins = self._drop and is_live and not container.in_parts
            self._summary.is_live = is_live
            if not is_live:
                self._queue.until = math.inf
            started = time.monotonic()
            cause = self._read(container, note)
            if self._queue.closed.is_set() or (cause is None and not is_live):
                return
            cause = cause or SourceError(f"{self._source.shown} ended")
            if time.monotonic() - started > self._timeout_seconds:
                self._failures = 0
            if not self._summary.frames_read:
                raise SourceError(f"{cause}, before its first picture")
            if not is_live:
                raise cause
            container, note = self._reopened(cause)

    def _read(self, container: SourceContainer, note: Note | None) -> SourceError | None:
        """Read on until it ends, and close it; gives why it broke off, None = it did not."""
        try:
            if container.note:
                self._summary.add_note(container.note)
            interval_seconds = container.interval_seconds or DEFAULT_INTERVAL_SECONDS
            self._chooser.begin(interval_seconds, is_live=container.is_live, note=note)
            for chosen in self._chooser.chosen(self._watched(container.frames(self._summary.count_damage))):
                if not self._queue.put(chosen):
                    break
        except SourceError as error:
            return error
        finally:
            container.close()
        return None

    def _watched(self, frames: Iterator[SourceFrame]) -> Iterator[SourceFrame]:
        for frame in frames:
            if self._queue.closed.is_set():
                return
            self._queue.show_life()
            yield frame

    def _reopened(self, cause: SourceError) -> tuple[SourceContainer | None, Note | None]:
        """The source opened anew, as soon as that works, and what that is called; None = nobody wants it any more.

        Raises:
            SourceError: it does not.
        """
        while self._failures < self._max_reconnects:
            pause_seconds = min(self._reconnect_seconds * 2**self._failures, MAX_PAUSE_SECONDS)
            self._failures += 1
            if not self._pause(pause_seconds):
                return None, None
            words = f"connection lost: {cause}, asked for again, {self._failures} of {self._max_reconnects}"
            self._summary.tell(words)
            try:
                container = self._open()
            except SourceError as error:
                cause = error
                continue
            self._summary.reconnects += 1
            return container, Note(kind="connection", words=words)
        raise SourceError(f"{cause}; asking for it again was given up (max_reconnects={self._max_reconnects})")

    def _pause(self, seconds: float) -> bool:
        """Wait; False = nobody wants more frames."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._queue.closed.wait(min(left, GRACE_SECONDS / 2)):
                return False
            self._queue.show_life()
        return True
