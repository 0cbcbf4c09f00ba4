"""The table that grows: whole rows at any moment, in the order in which they are made."""

import errno
import os

import pytest
from made_predictions import MADE_WITH, prediction_of, videos_of

from stvit_video.predictions import growing_table as module
from stvit_video.predictions.growing_table import GrowingTable, text_so_far
from stvit_video.predictions.journal import Journal
from stvit_video.predictions.label_table import LabelTable
from stvit_video.utils.atomic_files import DiskFullError

VIDEOS = videos_of("a.mp4", "broken.mp4", "c.mp4")
TABLE = LabelTable(num_labels=2)


@pytest.fixture
def journal(tmp_path):
    journal = Journal.create(tmp_path / "labels.csv.journal", MADE_WITH, VIDEOS)
    journal.append(2, prediction_of("c.mp4"))
    yield journal
    journal.close()


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".CSV"])
def test_it_begins_with_the_journal_and_grows_by_rows(tmp_path, journal, ending):
    path = tmp_path / f"labels{ending}"
    path.write_text("what a kill left")
    table = GrowingTable(path, TABLE, journal)
    expected = TABLE.header(ending.lower()) + TABLE.line(ending.lower(), VIDEOS[2], prediction_of("c.mp4"))
    assert path.read_text() == expected
    for number in (0, 1):
        prediction = prediction_of(VIDEOS[number].path)
        journal.append(number, prediction)
        table.append(number, prediction)
        expected += TABLE.line(ending.lower(), VIDEOS[number], prediction)
        assert path.read_text() == expected == text_so_far(path, TABLE, journal).decode()
    table.close()


@pytest.mark.parametrize("name", [None, "labels.parquet"])
def test_other_files_do_not_grow(tmp_path, journal, name):
    path = name and tmp_path / name
    table = GrowingTable(path, TABLE, journal)
    table.append(0, prediction_of("a.mp4"))
    table.close()
    assert path is None or not path.exists()


def test_a_full_disk_is_told(tmp_path, journal, monkeypatch):
    table = GrowingTable(tmp_path / "labels.csv", TABLE, journal)

    def full(file, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "write_all", full)
    with pytest.raises(DiskFullError, match=r"labels.csv can't be written.*kept in labels.csv.journal"):
        table.append(0, prediction_of("a.mp4"))
    table.close()
