"""The TensorBoard log of a run; what keeps it from being written is told in one sentence."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger

from stvit_video.training.callbacks.metrics_csv import LogWriteError, log_write_error
from stvit_video.utils.compat import is_tensorboard_writer

FOLDER = "tensorboard"


class TensorBoardLog(TensorBoardLogger):
    """Lightning's, in run_dir/tensorboard.

    TensorBoard writes in a thread of its own; where that fails, it tells the one that hands it the next value.

    Differs: Lightning says of any failure that the value is of a kind that can't be logged.

    Args:
        run_dir: folder of the run.
    """

    def __init__(self, run_dir: Path) -> None:
        super().__init__(str(run_dir), name=FOLDER, version="")

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Hand the values over.

        Raises:
            LogWriteError: those before could not be written.
        """
        with self._naming_the_log():
            super().log_metrics(metrics, step)

    def save(self) -> None:
        """Have all on the disk.

        Raises:
            LogWriteError: it can't be written.
        """
        with self._naming_the_log():
            super().save()

    def finalize(self, status: str) -> None:
        """Have all on the disk, and close the file.

        Raises:
            LogWriteError: it can't be written.
        """
        with self._naming_the_log():
            super().finalize(status)

    @contextmanager
    def _naming_the_log(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError) or isinstance(cause, LogWriteError):
                raise
            raise log_write_error(Path(self.log_dir), cause) from error


@contextmanager
def no_tracebacks_of_writers() -> Iterator[None]:
    """Within, TensorBoard's threads print no traceback where they can't write: `TensorBoardLog` says so."""
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not (is_tensorboard_writer(failure.thread) and isinstance(failure.exc_value, OSError)):
            before(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
