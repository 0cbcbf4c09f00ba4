"""write_table: what csv reads back, and no half table."""

import csv

import pytest

from stvit_video.data.table_files import write_table


def test_values_come_back_and_the_folder_is_made(tmp_path):
    path = tmp_path / "new" / "table.csv"
    write_table(path, header=("path", "n", "note"), rows=[("a, b.mp4", 3, None), ('q"uote.mp4', 0.5, "two\nlines")])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["path", "n", "note"],
            ["a, b.mp4", "3", ""],
            ['q"uote.mp4', "0.5", "two\nlines"],
        ]
    assert [entry.name for entry in path.parent.iterdir()] == ["table.csv"]


def test_a_name_that_is_no_utf8_is_written_all_the_same(tmp_path):
    write_table(tmp_path / "table.csv", header=("path",), rows=[("bad\udcff.mp4",)])
    assert (tmp_path / "table.csv").read_text() == "path\nbad\\udcff.mp4\n"


def test_a_failure_leaves_the_old_table(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, header=("a",), rows=[(1,)])
    with pytest.raises(ValueError, match="table.csv: a row has 2 values, the header 1 columns"):
        write_table(path, header=("a",), rows=[(2,), (3, 4)])
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]
