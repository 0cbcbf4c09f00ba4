"""Files of a work that may be stopped: what was written until then is kept, under the name of the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stvit_video.utils.atomic_files import atomically

__all__ = ["kept_on_error"]


@contextmanager
def kept_on_error(path: Path) -> Iterator[Path]:
    """As `atomically`, but an error within, Ctrl-C included, does not take away what was written.

    Args:
        path: the file; one that is there is replaced at the end.

    Yields:
        The path to write to. Where it is gone when the error comes, nothing is kept, and an old file stays.

    Raises:
        OSError: the file can't be written.
    """
    stopped_by: BaseException | None = None
    with atomically(path) as part:
        try:
            yield part
        except BaseException as error:
            if not part.exists():
                raise
            stopped_by = error
    if stopped_by is not None:
        raise stopped_by
