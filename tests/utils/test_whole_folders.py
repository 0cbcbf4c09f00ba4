"""A folder is whole or not there, also where the disk is full and a library has another word for it."""

import os
import resource

import pytest

from stvit_video.utils import whole_folders
from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.whole_folders import refuse_used, whole_folder


def test_it_takes_its_place_at_the_end(tmp_path):
    out = tmp_path / "not yet" / "out"
    with whole_folder(out) as folder:
        (folder / "a").write_text("1")
        assert not out.exists()
    assert (out / "a").read_text() == "1"
    assert list(out.parent.iterdir()) == [out]


def test_an_empty_folder_is_taken_and_a_used_one_refused(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with whole_folder(out) as folder:
        (folder / "a").touch()
    for used in (out, out / "a"):
        with pytest.raises(ValueError, match=r"is there already; remove it, or give another folder as out=FOLDER$"):
            refuse_used(used)
        with pytest.raises(ValueError, match="is there already"), whole_folder(used):
            raise AssertionError("work was begun")
    refuse_used(tmp_path / "new")


def stopped(out, stop):
    with whole_folder(out) as folder:
        (folder / "a").touch()
        raise stop


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_nothing_is_left_of_work_that_was_stopped(tmp_path, stop):
    with pytest.raises(stop):
        stopped(tmp_path / "out", stop)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(monkeypatch):
    """No file of this process may be larger than 1000 bytes."""
    monkeypatch.setattr(whole_folders, "PROBE_BYTES", 2000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fails_in_its_own_way(folder):
    try:
        (folder / "graph").write_bytes(bytes(2000))
    except OSError as error:
        raise RuntimeError("a writer failed") from error


@pytest.mark.parametrize("write", [lambda folder: (folder / "graph").write_bytes(bytes(2000)), fails_in_its_own_way])
def test_a_full_disk_is_told_in_one_way(tmp_path, small_disk, write):
    with (
        pytest.raises(
            DiskFullError, match=r"out can't be written, there is no room left; nothing is there now: .*out="
        ),
        whole_folder(tmp_path / "out") as folder,
    ):
        write(folder)
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_make_one_folder_the_first_wins(tmp_path):
    out = tmp_path / "out"

    def both():
        with whole_folder(out) as folder:
            (folder / "second").touch()
            with whole_folder(out) as first:
                (first / "first").touch()

    with pytest.raises(ValueError, match=r"out is there already; remove it, or give another folder as out=FOLDER$"):
        both()
    assert sorted(tmp_path.rglob("*")) == [out, out / "first"]


def test_errors_name_files_by_their_place_in_the_folder(tmp_path):
    with pytest.raises(OSError, match=r"No such file") as caught, whole_folder(tmp_path / "out") as folder:
        (folder / "no" / "file").touch()
    assert caught.value.filename == str(tmp_path / "out" / "no" / "file")
    with pytest.raises(OSError, match=r"No such file") as caught, whole_folder(tmp_path / "out") as folder:
        (tmp_path / "a").rename(folder / "b")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path / "a"), str(tmp_path / "out" / "b"))


def test_a_parent_that_cannot_be_written_is_told_by_the_name_that_was_given(tmp_path, monkeypatch):
    def refuse(*_, **words):
        raise PermissionError(13, "Permission denied", str(words["dir"] / words["prefix"]))

    monkeypatch.setattr(whole_folders.tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(PermissionError) as caught, whole_folder(tmp_path / "out"):
        raise AssertionError("work was begun")
    assert caught.value.filename == str(tmp_path / "out")


def test_the_longest_name_of_a_folder(tmp_path):
    out = tmp_path / ("a" * os.pathconf(tmp_path, "PC_NAME_MAX"))
    with whole_folder(out) as folder:
        (folder / "a").touch()
    assert (out / "a").is_file()
