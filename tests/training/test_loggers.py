import csv

import pytest

from stvit_video.training.loggers import csv_logger


def log(run_dir, metrics, *, resumed):
    logger = csv_logger(run_dir, resumed=resumed)
    for step, values in metrics:
        logger.log_metrics(values, step)
    logger.save()


def rows(run_dir):
    with (run_dir / "metrics.csv").open() as file:
        return [{key: value for key, value in row.items() if value} for row in csv.DictReader(file)]


@pytest.mark.parametrize("later", ["loss", "accuracy"])
def test_resumed_training_adds_rows(tmp_path, later):
    log(tmp_path, [(0, {"loss": 2.0}), (1, {"loss": 1.5})], resumed=False)
    log(tmp_path, [(2, {later: 0.5})], resumed=True)
    expected = [{"step": "0", "loss": "2.0"}, {"step": "1", "loss": "1.5"}, {"step": "2", later: "0.5"}]
    assert rows(tmp_path) == expected


def test_new_training_replaces_old_rows(tmp_path):
    log(tmp_path, [(0, {"loss": 2.0})], resumed=False)
    log(tmp_path, [(7, {"loss": 1.0})], resumed=False)
    assert rows(tmp_path) == [{"step": "7", "loss": "1.0"}]


def test_resuming_into_an_empty_folder(tmp_path):
    log(tmp_path / "new", [(3, {"loss": 1.0})], resumed=True)
    assert rows(tmp_path / "new") == [{"step": "3", "loss": "1.0"}]
