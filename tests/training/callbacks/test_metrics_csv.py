"""metrics.csv as other programs read it."""

import csv

import pytest

from stvit_video.training.callbacks.metrics_csv import LogWriteError, MetricsCsv


def log(run_dir, metrics, *, resumed):
    table = MetricsCsv(run_dir, resumed=resumed)
    for step, values in metrics:
        table.log_metrics(values, step)
        table.save()
    return table


def rows(run_dir):
    with (run_dir / "metrics.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if value} for row in csv.DictReader(file)]


@pytest.mark.parametrize("later", ["loss", "accuracy"])
def test_resumed_training_adds_rows(tmp_path, later):
    log(tmp_path, [(0, {"loss": 2.0}), (1, {"loss": 1.5, "epoch": 0})], resumed=False)
    log(tmp_path, [(2, {later: 0.5})], resumed=True)
    expected = [{"step": "0", "loss": "2.0"}, {"step": "1", "loss": "1.5", "epoch": "0"}, {"step": "2", later: "0.5"}]
    assert rows(tmp_path) == expected
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0].split(",")
    assert header == sorted({"step", "loss", "epoch", later})


def test_new_training_replaces_old_rows(tmp_path):
    log(tmp_path, [(0, {"loss": 2.0})], resumed=False)
    MetricsCsv(tmp_path, resumed=False)
    assert not (tmp_path / "metrics.csv").exists()
    log(tmp_path, [(7, {"loss": 1.0})], resumed=False)
    assert rows(tmp_path) == [{"step": "7", "loss": "1.0"}]


def test_resuming_into_an_empty_folder(tmp_path):
    log(tmp_path / "new", [(3, {"loss": 1.0})], resumed=True)
    assert rows(tmp_path / "new") == [{"step": "3", "loss": "1.0"}]


@pytest.mark.parametrize("written_too", [True, False])
def test_a_checkpoint_says_which_rows_count(tmp_path, written_too):
    """The row that follows it may be there or not; one behind that is of a course that nobody goes on with."""
    table = log(tmp_path, [(0, {"lr": 0.1}), (5, {"loss": 2.0, "epoch": 0})], resumed=False)
    assert table.sync() == 2
    if written_too:
        log(tmp_path, [(5, {"top1": 0.25, "epoch": 0}), (6, {"odd": 1.0})], resumed=True)
        with (tmp_path / "metrics.csv").open("a") as file:
            file.write("0.5,1")  # cut in the middle of a row
    resumed = MetricsCsv(tmp_path, resumed=True)
    resumed.rewind(2, {"top1": 0.25, "epoch": 0, "step": 5})
    expected = [
        {"step": "0", "lr": "0.1"},
        {"step": "5", "loss": "2.0", "epoch": "0"},
        {"step": "5", "top1": "0.25", "epoch": "0"},
    ]
    assert rows(tmp_path) == expected
    resumed.rewind(0, {})
    assert not (tmp_path / "metrics.csv").exists()


def test_a_folder_that_is_gone_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        log(tmp_path / "file" / "run", [(0, {"loss": 1.0})], resumed=False)


def test_a_full_disk_is_one_sentence(tmp_path):
    """A device that is always full takes the place of the file."""
    table = log(tmp_path, [(0, {"loss": 2.0})], resumed=False)
    (tmp_path / "metrics.csv").unlink()
    (tmp_path / "metrics.csv").symlink_to("/dev/full")
    table.log_metrics({"loss": 1.0}, 1)
    for write in (table.save, table.sync):
        with pytest.raises(LogWriteError, match=r"metrics.csv .*written \(No space left on device\)"):
            write()
    assert issubclass(LogWriteError, OSError)
