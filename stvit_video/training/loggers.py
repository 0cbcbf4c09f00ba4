"""The metrics.csv of a run, kept when a training is resumed."""

import warnings
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger


def csv_logger(run_dir: Path, *, resumed: bool) -> CSVLogger:
    """A logger to run_dir/metrics.csv; a resumed training adds its rows to those that are there.

    Args:
        run_dir: folder of the run; made if it is missing.
        resumed: whether the training goes on from a checkpoint; else an old metrics.csv is replaced.
    """
    path = run_dir / "metrics.csv"
    rows = path.read_text(encoding="utf-8") if resumed and path.is_file() else ""
    logger = CSVLogger(str(run_dir), name="", version="")
    with warnings.catch_warnings():
        # Lightning warns that the folder is not empty and removes metrics.csv; what is needed of it is in `rows`
        warnings.filterwarnings("ignore", message="Experiment logs directory")
        experiment = logger.experiment
    if rows:
        path.write_text(rows, encoding="utf-8")
        experiment.metrics_keys = rows.splitlines()[0].split(",")
    return logger
