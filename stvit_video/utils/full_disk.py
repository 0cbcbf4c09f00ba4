"""Errors of a full disk in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stvit_video.utils.atomic_files import DiskFullError

__all__ = ["FULL", "full_disk_is_told"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def full_disk_is_told(path: Path, *, advice: str) -> Iterator[None]:
    """Within, an error of a full disk names the file and says what to do.

    Args:
        path: that is written.
        advice: what is kept, and how to go on.

    Raises:
        DiskFullError: in place of the system's error.
        OSError: any other error; it names the file.
    """
    try:
        yield
    except DiskFullError:
        raise
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(
                f"{path} can't be written, there is no room left ({error.strerror}); {advice}"
            ) from error
        if error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
