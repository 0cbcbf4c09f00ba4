"""Paths as others write them, on files whose names are decomposed, composed, or have odd spaces."""

import os
import unicodedata

import pytest

from stvit_video.utils.written_paths import PathFinder, on_disk, shortened, why_absent, windows_way


def nfd(text):
    return unicodedata.normalize("NFD", text)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def found(finder, written):
    path = finder.find(written)
    return None if path is None else path.relative_to(finder.folder).as_posix()


def test_names_in_another_form_are_found_one_by_one(tmp_path):
    touch(tmp_path, f"{nfd('été')}/ä/{nfd('fête')}.mp4", "a\u202fb/c d.mp4")
    finder = PathFinder(tmp_path)
    wanted = f"{nfd('été')}/ä/{nfd('fête')}.mp4"
    for written in ("été/ä/fête.mp4", nfd("été/ä/fête.mp4"), f"été/{nfd('ä')}/fête.mp4", wanted):
        assert found(finder, written) == wanted
        assert found(finder, str(tmp_path / written)) == wanted
    assert found(finder, "a b/c\u00a0d.mp4") == "a\u202fb/c d.mp4"
    assert finder.find("été/ä/fete.mp4") is None
    assert finder.find("été/ä") is None  # a folder is no file
    assert finder.find("") is None


def test_the_equal_name_counts_first(tmp_path):
    touch(tmp_path, "é.mp4", f"{nfd('é')}.mp4", "a  b.mp4", "a b .mp4", "c  d.mp4", "c\u00a0d.mp4")
    finder = PathFinder(tmp_path)
    assert found(finder, "é.mp4") == "é.mp4"
    assert found(finder, nfd("é.mp4")) == nfd("é.mp4")
    assert finder.notice() == ""
    assert finder.find("c d.mp4") is None  # two could be meant


def test_windows_paths(tmp_path):
    touch(tmp_path, "x/a.mp4", f"x/{nfd('é')}.mp4", "y\\b.mp4", "x y/c.mp4", "c.mp4")
    finder = PathFinder(tmp_path / "x")
    assert finder.find("..\\x\\a.mp4").samefile(tmp_path / "x" / "a.mp4")
    finder = PathFinder(tmp_path)
    assert found(finder, "x\\a.mp4") == "x/a.mp4"
    assert found(finder, " x\\é.mp4 ") == nfd("x/é.mp4")
    assert found(finder, "y\\b.mp4") == "y\\b.mp4"  # the name as it is written comes first
    assert found(finder, "x y\\c.mp4") == "x y/c.mp4"
    assert finder.find("C:\\x\\a.mp4") is None
    assert "3 files" in finder.notice()
    assert r"'x\\a.mp4'" in finder.notice()


@pytest.mark.parametrize("written", ["C:\\data\\b.mp4", "D:/videos/c.mp4", "\\\\server\\share\\b.mp4"])
def test_drives_and_servers_are_told(written):
    text = why_absent(written, f"/x/{written}", way_out="correct it")
    assert text.startswith(f"there is no file {written}: ")
    assert "Windows" in text
    assert "give that folder as root=FOLDER" in text


def test_what_is_said_of_other_paths():
    assert why_absent("a.mp4", "/x/a.mp4", way_out="correct it") == "there is no file /x/a.mp4; correct it"
    assert "Windows way, write it with / between" in why_absent("x\\a.mp4", "/x\\a.mp4", way_out="correct it")
    assert shortened("x" * 140_000) == "x" * 300 + "... (140000 characters)"


def test_no_folder_is_listed_for_files_that_are_there(tmp_path, monkeypatch):
    touch(tmp_path, "x/a.mp4", nfd("x/é.mp4"))
    listed = []
    monkeypatch.setattr(os, "listdir", lambda place, real=os.listdir: listed.append(place) or real(place))
    finder = PathFinder(tmp_path)
    for _ in range(3):
        assert finder.find("x/a.mp4")
    assert listed == []
    for _ in range(3):
        assert finder.find("x/é.mp4")
        assert finder.find("x/ö.mp4") is None
    assert listed == [str(tmp_path / "x")]


def test_names_that_no_system_takes(tmp_path):
    finder = PathFinder(tmp_path)
    assert finder.find("x" * 140_000) is None
    assert finder.find("a\0b") is None
    assert finder.find("none/é/a.mp4") is None


def test_a_path_given_to_a_command(tmp_path, monkeypatch):
    touch(tmp_path, nfd("été/é.mp4"))
    assert on_disk(tmp_path / "été") == tmp_path / nfd("été")
    assert on_disk(tmp_path / "été" / "new.csv") == tmp_path / "été" / "new.csv"
    monkeypatch.chdir(tmp_path)
    assert str(on_disk("été/é.mp4")) == nfd("été/é.mp4")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("C:\\a\\b.mp4", "a drive or server"),
        ("/work/C:\\a\\b.mp4", "a drive or server"),
        ("\\\\server\\b.mp4", "a drive or server"),
        ("D:/b.mp4", "a drive or server"),
        ("a\\b.mp4", "the Windows way; give it"),
        ("/a/b.mp4", ""),
        ("http://x/b.mp4", ""),
    ],
)
def test_a_windows_path_is_told(path, words):
    told = windows_way(path)
    assert words in told
    assert bool(told) == bool(words)
