"""A file that one process at a time holds, so that two do not work in one folder."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_held: set[IO[str]] = set()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Within, no other process can hold this file; the system ends this when the process ends, however it does.

    Processes that this one forks, such as loaders, do not hold it and may outlive it. Where the file system knows no
    such locks (some of networks), nothing is held and a warning says so.

    Args:
        path: of the file; made where it is missing, and left behind. Its content is lost.

    Raises:
        BlockingIOError: another process holds it.
        OSError: it can't be written.
    """
    with path.open("w") as file:
        _held.add(file)
        try:
            why_not = _lock(file)
            if why_not:
                warnings.warn(
                    f"{path.parent} can't be locked ({why_not}); see to it that nothing else is started in this folder",
                    stacklevel=4,
                )
            yield
        finally:
            _held.discard(file)


def _lock(file: IO[str]) -> str:
    """Lock an open file; gives why the system can't, in words, "" = it is locked."""
    try:
        import fcntl
    except ImportError:
        return "this system has no flock"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _let_go() -> None:
    """A forked process shares the open files: while it had one of these, it would hold it."""
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
