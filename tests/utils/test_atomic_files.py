"""write_table: what csv reads back, and no half table."""

import csv
import multiprocessing

import pytest

from stvit_video.utils.atomic_files import write_atomically, write_table


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


def rewrite(path, number):
    for _ in range(100):
        write_atomically(path, f"{number}" * 20000)


def test_a_reader_never_finds_half_a_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "0" * 20000)
    writers = [multiprocessing.get_context("fork").Process(target=rewrite, args=(path, n)) for n in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        text = path.read_text()
        assert text == text[0] * 20000
        seen.add(text[0])
    assert seen <= {"0", "1", "2"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_can_not_be_written_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "a name that is no UTF-8: \udc80")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
