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
UNCLAIMED_SECONDS = 30.0  # from the end of sending to the page's first event


class BusyError(RuntimeError):
    """There is no room for another clip now; the message is a whole sentence for a visitor."""


@dataclass
class _Clip:
    path: Path
    last_use: float
    visitor: str | None = None
    is_whole: bool = False
    is_claimed: bool = False
    is_lasting: bool = False


class ClipStore:
    """The clips; several threads may use it.

    Each has a token that can't be guessed, which is all that a visitor knows of it. A page keeps one clip, for as long
    as it is open and the clip is used; then it is removed. So is one that no page has claimed soon after it came.

    Args:
        folder: where they lie; `open_store` makes it.
        keep_seconds: since the last use, after which a clip is removed.
        max_clips: at once, those being received included.
        max_of_visitor: likewise, of one visitor.
    """

    def __init__(self, folder: Path, *, keep_seconds: float, max_clips: int, max_of_visitor: int = 4) -> None:
        self.folder = folder
        self.keep_seconds = keep_seconds
        self.max_clips = max_clips
        self.max_of_visitor = max_of_visitor
        self._clips: dict[str, _Clip] = {}
        self._of_session: dict[str, list[str]] = {}  # in the order of their claims
        self._lock = threading.Lock()

    def new(self, visitor: str | None = None) -> tuple[str, Path]:
        """A token, and the file to write the clip to; `drop` it where that fails, and tell `received` where not.

        Args:
            visitor: of `visitor_of`, who sends it; the oldest clip of the same that no page has claimed makes room.

        Raises:
            BusyError: as many clips are kept as there may be.
        """
        self.drop_old()
        with self._lock:
            kept = {token: clip for token, clip in self._clips.items() if not clip.is_lasting}
            own = {token: clip for token, clip in kept.items() if clip.visitor == visitor}
            has_too_many = visitor is not None and len(own) >= self.max_of_visitor
            if has_too_many or len(kept) >= self.max_clips:
                unclaimed = [token for token, clip in own.items() if clip.is_whole and not clip.is_claimed]
                if not unclaimed:
                    raise BusyError(
                        f"The demo is busy: it keeps {len(own)} clips of your address, which is as many as it takes; "
                        "close another page of the demo, then try again."
                        if has_too_many
                        else f"The demo is busy: it keeps {len(kept)} clips of visitors, which is as many as it takes; "
                        "try again in a minute."
                    )
                self._remove(min(unclaimed, key=lambda token: own[token].last_use))
            token = secrets.token_urlsafe(24)
            path = self.folder / f"{secrets.token_hex(8)}.clip"
            self._clips[token] = _Clip(path, time.monotonic(), visitor=visitor)
        return token, path

    def received(self, token: str) -> None:
        """Say that all of a clip has come; a page is to claim it within half a minute."""
        with self._lock:
            clip = self._clips.get(token)
            if clip is not None:
                clip.is_whole, clip.last_use = True, time.monotonic()

    def claim(self, token: str, session: str) -> None:
        """Keep a clip for a page that has asked for its labels, however long it has to wait for them.

        Args:
            token: of the clip; one that is not there is no fault.
            session: of the page.
        """
        with self._lock:
            self._claim(token, session)

    def keep(self, token: str, path: Path) -> None:
        """Let a file that the demo has made itself stay to the end."""
        with self._lock:
            self._clips[token] = _Clip(path, time.monotonic(), is_whole=True, is_lasting=True)

    def path_of(self, token: object, *, session: str | None = None) -> Path | None:
        """The file of a token, which counts as a use; None = there is none (any more).

        Args:
            token: whatever a browser has sent.
            session: the page whose turn with this clip has come; the clips that it has claimed before are removed. A
                clip that it has not claimed, or has claimed before all others that are left, removes none.
        """
        with self._lock:
            clip = self._clips.get(token) if isinstance(token, str) else None
            if clip is None or not isinstance(token, str):
                return None
            clip.last_use = time.monotonic()
            claimed = self._of_session.get(session, []) if session is not None else []
            if token in claimed:
                number = claimed.index(token)
                for before in claimed[:number]:
                    self._remove(before)
                del claimed[:number]
        return clip.path

    def drop(self, token: str) -> None:
        """Remove a clip; one that is not there is no fault."""
        with self._lock:
            self._remove(token)

    def drop_session(self, session: str | None) -> None:
        """Remove the clips of a page that was closed."""
        with self._lock:
            for token in self._of_session.pop(session, []) if session is not None else []:
                self._remove(token)

    def drop_old(self) -> None:
        """Remove the clips that nobody has used for `keep_seconds`, and those that no page has claimed soon."""
        now = time.monotonic()
        with self._lock:
            for token, clip in list(self._clips.items()):
                seconds = self.keep_seconds if clip.is_claimed else min(UNCLAIMED_SECONDS, self.keep_seconds)
                if clip.is_whole and clip.last_use <= now - seconds:
                    self._remove(token)
            self._of_session = {
                session: tokens
                for session, tokens in self._of_session.items()
                if any(token in self._clips and not self._clips[token].is_lasting for token in tokens)
            }

    def _claim(self, token: str, session: str) -> None:
        """`claim`, with the lock held; a clip that is claimed again is the newest."""
        clip = self._clips.get(token)
        if clip is None:
            return
        clip.is_claimed, clip.last_use = True, time.monotonic()
        claimed = self._of_session.setdefault(session, [])
        if token in claimed:
            claimed.remove(token)
        claimed.append(token)

    def _remove(self, token: str) -> None:
        """`drop`, with the lock held."""
        clip = self._clips.get(token)
        if clip is not None and not clip.is_lasting:
            del self._clips[token]
            clip.path.unlink(missing_ok=True)


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
        while not is_over.wait(min(store.keep_seconds / 4, 5.0)):
            store.drop_old()

    thread = threading.Thread(target=work, name="old clips", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
