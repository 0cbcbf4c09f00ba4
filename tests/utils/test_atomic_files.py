"""Files are whole or not there, whatever goes wrong between."""

import csv
import multiprocessing
import os
from pathlib import Path

import pytest

from stvit_video.utils import atomic_files
from stvit_video.utils.atomic_files import atomically, remove_stale_parts, write_table, write_text


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
        write_text(path, f"{number}" * 20000)


def test_a_reader_never_finds_half_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda number: None)  # no reader sees them, and 400 take minutes
    path = tmp_path / "file"
    write_text(path, "0" * 20000)
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
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "a name that is no UTF-8: \udc80")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    """Without the sync, a power cut after the renaming could leave a file of zeros under the new name."""
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(atomic_files.os, "fsync", lambda number: done.append("sync") or sync(number))
    monkeypatch.setattr(atomic_files.os, "replace", lambda a, b: done.append(f"name {Path(b).name}") or replace(a, b))
    (tmp_path / "a").write_text("old")
    with atomically(tmp_path / "a", previous=tmp_path / "b") as part:
        part.write_text("new")
    assert done == ["sync", "name b", "name a", "sync"]  # the last one is that of the folder
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b").read_text() == "old"


def test_an_error_within_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_text("old")

    def fail():
        with atomically(tmp_path / "a", previous=tmp_path / "b") as part:
            part.write_text("new")
            raise KeyError("a")

    with pytest.raises(KeyError):
        fail()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}
    with pytest.raises(FileNotFoundError), atomically(tmp_path / "a"):
        pass  # nothing is written
    assert (tmp_path / "a").read_text() == "old"


def test_only_parts_that_nobody_writes_to_are_stale(tmp_path):
    old, new = tmp_path / ".a.part", tmp_path / ".b.part"
    for path in (old, new, tmp_path / "c.part"):
        path.write_text("")
    os.utime(old, (0, 0))
    assert remove_stale_parts([tmp_path]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.part", "c.part"]
