"""Searches: deep, sorted, each folder once, and what they leave out is told."""

import os

import pytest

from stvit_video.data.manifests.video_endings import is_video_file
from stvit_video.predictions.folder_search import endings_near, search_folder, search_pattern


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """v: b.mp4, a.mkv, notes.txt, ._b.mp4, sub/deep/c.MOV, sub/odd.xyz, .git/x.mp4"""
    for name in ("b.mp4", "a.mkv", "notes.txt", "._b.mp4", "sub/deep/c.MOV", "sub/odd.xyz", ".git/x.mp4"):
        path = tmp_path / "v" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "v"


def test_a_folder_is_searched_deeply_and_sorted(tree):
    found = search_folder("v", is_video_file)
    assert found.files == ["v/a.mkv", "v/b.mp4", "v/sub/deep/c.MOV"]
    assert sorted(found.others) == ["v/notes.txt", "v/sub/odd.xyz"]
    assert sorted(found.hidden) == ["v/._b.mp4", "v/.git"]
    assert found.notice() == (
        "left out: 2 files of other endings (1 ends with .txt, 1 ends with .xyz), 2 hidden (first: v/._b.mp4)"
    )


def test_what_is_left_out_twice_is_told_once(tree):
    found = search_folder("v", is_video_file)
    found.add(search_folder("v", is_video_file))
    assert "2 files of other endings" in found.notice()


def test_nothing_left_out_is_no_notice(tree):
    assert search_folder("v/sub/deep", is_video_file).notice() == ""


def test_linked_folders_are_searched_once(tree):
    os.symlink(tree, tree / "sub" / "loop")
    os.symlink(tree / "sub" / "deep", tree / "z")
    os.symlink("itself", tree / "itself")
    os.symlink("gone.mp4", tree / "dangling.mp4")
    found = search_folder("v", is_video_file)
    assert found.files == ["v/a.mkv", "v/b.mp4", "v/dangling.mp4", "v/sub/deep/c.MOV"]
    assert "v/itself" in found.others


def test_a_closed_folder_is_told(tree, monkeypatch):
    real = os.scandir

    def scandir(place):
        if str(place).endswith("deep"):
            raise PermissionError(13, "Permission denied", place)
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    found = search_folder("v", is_video_file)
    assert found.files == ["v/a.mkv", "v/b.mp4"]
    assert "1 folder that can't be read (first: v/sub/deep)" in found.notice()


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("v/*.mp4", ["v/b.mp4"]),
        ("v/?.m*", ["v/a.mkv", "v/b.mp4"]),
        ("v/[ab].mkv", ["v/a.mkv"]),
        ("v/**/*.MOV", ["v/sub/deep/c.MOV"]),
        ("v/**", ["v/a.mkv", "v/b.mp4", "v/sub/deep/c.MOV"]),
        ("v/*", ["v/a.mkv", "v/b.mp4", "v/sub/deep/c.MOV"]),  # a folder is searched
        ("v/s*/*.xyz", ["v/sub/odd.xyz"]),  # the ending is said
        ("v/*.avi", []),
    ],
)
def test_patterns(tree, pattern, files):
    assert search_pattern(pattern, is_video_file).files == files


def test_a_pattern_without_an_ending_tells_what_it_leaves_out(tree):
    assert search_pattern("v/*", is_video_file).others == ["v/notes.txt", "v/sub/odd.xyz"]


def test_what_is_there_where_a_pattern_finds_nothing(tree):
    assert "1 ends with .txt" in endings_near("v/*.avi")
    assert endings_near("nowhere/*.avi") == "there is no folder nowhere"
    (tree / "empty").mkdir()
    assert endings_near("v/empty/**/*.avi") == "v/empty holds no files"
