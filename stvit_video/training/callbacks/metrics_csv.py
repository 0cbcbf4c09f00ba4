"""The metrics.csv of a run, which a resumed training goes on with."""

import csv
import os
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from stvit_video.utils.atomic_files import write_table

METRICS = "metrics.csv"


class LogWriteError(OSError):
    """A log of the training could not be written; its checkpoints are as they were."""


def log_write_error(path: Path, error: OSError) -> LogWriteError:
    """The sentence for a log that can't be written.

    Args:
        path: of the log.
        error: of the system.
    """
    return LogWriteError(
        f"{path} can't be written ({error.strerror or error}); the checkpoints are as they were: make room or mend the "
        f"disk, then start the same command again"
    )


class MetricsCsv(Logger):
    """Writes a row for each set of metrics to run_dir/metrics.csv, on the first process only.

    Rows are added to the file; one with a new column has the file written anew, beside its place. Fields without a
    value are empty, columns stand in alphabetical order.

    Differs: Lightning's CSVLogger deletes the rows that it finds, and a crash while it adds a column loses them all.

    Args:
        run_dir: folder of the run; made where it is missing.
        resumed: whether to go on with the rows that are there; else they are removed.
    """

    def __init__(self, run_dir: Path, *, resumed: bool) -> None:
        super().__init__()
        self.path = run_dir / METRICS
        self._columns: list[str] = []
        self._rows: list[dict[str, str]] = []
        self._num_written: int | None = None  # of the rows; None = the file is to be written anew
        if resumed and self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                self._rows = [{k: v for k, v in row.items() if k and v} for row in reader]
                self._columns = sorted(reader.fieldnames or [])
        else:
            self._remove()

    @property
    def name(self) -> str:
        """None is needed; the file has a fixed place."""
        return ""

    @property
    def version(self) -> str:
        """None is needed."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Add a row; `save` brings it to the file."""
        row = {key: str(float(value)) if key != "epoch" else str(int(value)) for key, value in metrics.items()}
        self._add(row | {"step": str(step if step is not None else len(self._rows))})

    def log_hyperparams(self, params: Any) -> None:
        """Nothing: the configuration stands in config.yaml."""

    @rank_zero_only
    def save(self) -> None:
        """Bring the rows to the file.

        Raises:
            LogWriteError: it can't be written.
        """
        try:
            self._write()
        except OSError as error:
            raise log_write_error(self.path, error) from error

    def _write(self) -> None:
        if self._num_written is None:
            if self._rows:
                write_table(self.path, header=self._columns, rows=map(self._fields, self._rows))
                self._num_written = len(self._rows)
        elif self._num_written < len(self._rows):
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(map(self._fields, self._rows[self._num_written :]))
            self._num_written = len(self._rows)

    def sync(self) -> int:
        """Have the rows on the disk, whatever happens to the machine, and count them; 0 on other processes.

        Raises:
            LogWriteError: the file can't be written.
        """
        self.save()
        try:
            self._to_disk()
        except OSError as error:
            raise log_write_error(self.path, error) from error
        return len(self._rows)

    @rank_zero_only
    def rewind(self, num_rows: int, next_row: dict[str, float]) -> None:
        """Go back to the first `num_rows` rows, as there were at a checkpoint, and the one that followed it, if any."""
        self._rows, self._num_written = self._rows[:num_rows], None
        if next_row:
            self.log_metrics(
                {key: value for key, value in next_row.items() if key != "step"}, step=int(next_row["step"])
            )
        if self._rows:
            self.save()
        else:
            self._remove()

    def _add(self, row: dict[str, str]) -> None:
        new = set(row) - set(self._columns)
        if new:
            self._columns, self._num_written = sorted({*self._columns, *new}), None
        self._rows.append(row)

    def _fields(self, row: dict[str, str]) -> list[str]:
        return [row.get(column, "") for column in self._columns]

    @rank_zero_only
    def _to_disk(self) -> None:
        if self.path.is_file():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())

    @rank_zero_only
    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)
