"""The limit of open files: whether an error comes of it, and the sentence that says what helps."""

import errno
import gc
import os
import traceback

try:
    import resource  # here, for a file that is to be opened later is one too many
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

from stvit_video.utils.error_chain import error_chain

__all__ = [
    "ENOUGH_FILES",
    "OpenFilesError",
    "is_of_open_files",
    "open_files_sentence",
    "refuse_for_open_files",
    "release_files",
]

ENOUGH_FILES = 4096
_NUMBERS = (errno.EMFILE, errno.ENFILE)
_WORDS = ("Too many open files", "received 0 items of ancdata")  # the latter is what multiprocessing makes of it


class OpenFilesError(RuntimeError):
    """This process may open no further file: no fault of the file that it wanted."""

    def __init__(self, message: str = "") -> None:
        # a data loader makes the error of its process anew, with that one's traceback as the message
        super().__init__(open_files_sentence())


def refuse_for_open_files(error: BaseException) -> None:
    """Raise where an error says that too many files are open, before it is taken for a fault of the file.

    Raises:
        OpenFilesError: it does.
    """
    if is_of_open_files(error):
        raise OpenFilesError from error


def is_of_open_files(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that too many files are open.

    Libraries hide the cause now and then, so a file is opened here too, to see.
    """
    for link in error_chain(error):
        if getattr(link, "errno", None) in _NUMBERS or any(words in str(link) for words in _WORDS):
            return True
    return not _can_open()


def open_files_sentence() -> str:
    """What is used up and what helps, without a full stop."""
    soft, hard = _limits()
    way = f"raise the limit by `ulimit -n {ENOUGH_FILES}` before the command, or use fewer processes (num_workers)"
    if 0 <= hard < ENOUGH_FILES:
        way += f"; the hard limit here is {hard} (`ulimit -Hn`), so do it in a new shell or container"
    return f"too many files are open: this process may have {soft} at a time (`ulimit -n`); {way}"


def release_files(error: BaseException) -> None:
    """Close what the failed work has left open: what runs at the end of the process needs files, too."""
    for link in error_chain(error):
        traceback.clear_frames(link.__traceback__)
        for frame, _ in traceback.walk_tb(link.__traceback__):
            dict(frame.f_locals)  # who has asked for them before has left a copy, which this brings up to date
    gc.collect()


def _limits() -> tuple[int, int]:
    """Soft and hard limit; -1 = none, or not known."""
    if resource is None:
        return -1, -1
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def _can_open() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in _NUMBERS
    return True
