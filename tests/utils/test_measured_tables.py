"""Tables of a measurement: the lines of a page, and a file whose rows all tell where they come from."""

import csv

import pytest

from stvit_video.utils.measured_tables import markdown_table, write_measured_table
from stvit_video.utils.provenance import current_commit


def test_a_table_for_a_page():
    assert markdown_table(("tokens", "ms"), [["4", "1.5"], ["16", "2.0"]]).splitlines() == [
        "| tokens | ms |",
        "|--:|--:|",
        "| 4 | 1.5 |",
        "| 16 | 2.0 |",
    ]


def test_every_row_of_the_file_tells_where_it_comes_from(tmp_path):
    write_measured_table(tmp_path / "a.csv", header=["x"], rows=[[3], [None]], of_all={"model": "tiny"})
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["x"], row["model"], row["commit"]) for row in rows] == [
        (x, "tiny", current_commit() or "None") for x in ("3", "")
    ]
    assert all(row["hardware"] and row["date"] for row in rows)


def test_a_row_with_a_value_too_many_is_refused(tmp_path):
    with pytest.raises(ValueError, match="value"):
        write_measured_table(tmp_path / "a.csv", header=["x"], rows=[[3, 4]], of_all={})
    assert not (tmp_path / "a.csv").exists()
