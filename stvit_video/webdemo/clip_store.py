"""Clips that visitors have sent: files of random names in a folder of this process, until nobody needs them."""

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from stvit_video.utils.file_lock import file_lock

__all__ = ["BusyError", "ClipStore", "open_store"]

PREFIX, LOCK = "stvit_demo_", "in_use.lock"
YOUNG_SECONDS = 60.0  # a folder may have been made and not be locked yet


class BusyError(RuntimeError):
    """There is no room for another clip now; the message is a whole sentence for a visitor."""


@dataclass
class _Clip:
    path: Path
    last_use: float
    is_lasting: bool = False


class ClipStore:
    """The clips; several threads may use it.

    Each has a token that can't be guessed, which is all that a visitor knows of it. A visitor keeps one clip, for as
    long as the page is open and the clip is used; then it is removed.

    Args:
        folder: where they lie; `open_store` makes it.
        keep_seconds: since the last use, after which a clip is removed.
        max_clips: at once, those being received included.
    """

    def __init__(self, folder: Path, *, keep_seconds: float, max_clips: int) -> None:
        self.folder = folder
        self.keep_seconds = keep_seconds
        self.max_clips = max_clips
        self._clips: dict[str, _Clip] = {}
        self._of_session: dict[str, str] = {}
        self._lock = threading.Lock()

    def new(self) -> tuple[str, Path]:
        """A token, and the file to write the clip to; `drop` it where that fails.

        Raises:
            BusyError: as many clips are kept as there may be.
        """
        self.drop_old()
        with self._lock:
            if sum(not clip.is_lasting for clip in self._clips.values()) >= self.max_clips:
                raise BusyError("The demo is busy with the clips of other visitors; try again in a minute.")
            token = secrets.token_urlsafe(24)
            path = self.folder / f"{secrets.token_hex(8)}.clip"
            self._clips[token] = _Clip(path, time.monotonic())
        return token, path

    def keep(self, token: str, path: Path) -> None:
        """Let a file that the demo has made itself stay to the end."""
        with self._lock:
            self._clips[token] = _Clip(path, time.monotonic(), is_lasting=True)

    def path_of(self, token: object, *, session: str | None = None) -> Path | None:
        """The file of a token, which counts as a use; None = there is none (any more).

        Args:
            token: whatever a browser has sent.
            session: the visitor who uses it from now on, and whose clip of before is removed.
        """
        with self._lock:
            clip = self._clips.get(token) if isinstance(token, str) else None
            if clip is None or not isinstance(token, str):
                return None
            clip.last_use = time.monotonic()
            before = self._of_session.get(session) if session is not None else None
            if session is not None:
                self._of_session[session] = token
        if before is not None and before != token:
            self.drop(before)
        return clip.path

    def drop(self, token: str) -> None:
        """Remove a clip; one that is not there is no fault."""
        with self._lock:
            clip = self._clips.get(token)
            if clip is None or clip.is_lasting:
                return
            del self._clips[token]
            clip.path.unlink(missing_ok=True)

    def drop_session(self, session: str | None) -> None:
        """Remove the clip of a visitor who has left."""
        with self._lock:
            token = self._of_session.pop(session, None) if session is not None else None
        if token is not None:
            self.drop(token)

    def drop_old(self) -> None:
        """Remove the clips that nobody has used for `keep_seconds`."""
        end = time.monotonic() - self.keep_seconds
        with self._lock:
            old = {token for token, clip in self._clips.items() if clip.last_use <= end and not clip.is_lasting}
            self._of_session = {session: token for session, token in self._of_session.items() if token not in old}
        for token in old:
            self.drop(token)


@contextmanager
def open_store(*, keep_seconds: float = 600.0, max_clips: int = 16, root: Path | None = None) -> Iterator[ClipStore]:
    """A store in a folder of its own, which is removed at the end; those that killed processes left are removed first.

    Args:
        keep_seconds: see `ClipStore`, with max_clips.
        root: where the folder is made; None = where the system has its temporary files.

    Raises:
        OSError: no folder can be made there.
    """
    place = Path(tempfile.gettempdir()) if root is None else root
    remove_left_folders(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))  # for this user alone
    try:
        with file_lock(folder / LOCK):
            (folder / "clips").mkdir()
            store = ClipStore(folder / "clips", keep_seconds=keep_seconds, max_clips=max_clips)
            with _cleaned(store):
                yield store
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders(root: Path, *, young_seconds: float = YOUNG_SECONDS) -> int:
    """Remove the folders of demos that were killed; gives their number. Those in use, or of others, stay."""
    left = 0
    for folder in root.glob(f"{PREFIX}*"):
        with suppress(OSError):  # one in use is locked, which is a BlockingIOError
            about = folder.lstat()
            is_ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            if not is_ours or folder.is_symlink() or time.time() - about.st_mtime < young_seconds:
                continue
            with file_lock(folder / LOCK):
                shutil.rmtree(folder)
                left += 1
    return left


@contextmanager
def _cleaned(store: ClipStore) -> Iterator[None]:
    """Within, a thread removes old clips, also where no visitor comes any more."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(min(store.keep_seconds / 4, 10.0)):
            store.drop_old()

    thread = threading.Thread(target=work, name="old clips", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
