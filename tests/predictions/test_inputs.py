"""Words of a command line: which videos they stand for, in which order, and what is told of the others."""

import io
import os
import sys
import unicodedata

import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.predictions.inputs import read_inputs
from stvit_video.predictions.listed_video import ListedVideo


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    """v/a.mp4, v/b.mp4, v/sub/c.mkv, v/notes.md, p.jpg, odd.dat, empty/"""
    for name in ("v/a.mp4", "v/b.mp4", "v/sub/c.mkv", "v/notes.md", "p.jpg", "odd.dat"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*words, **settings):
    return [video.name for video in read_inputs(words, **settings).videos]


def test_words_in_order_and_a_folder_sorted():
    assert names("v/sub/c.mkv", "v") == ["v/sub/c.mkv", "v/a.mp4", "v/b.mp4"]
    assert names("./v/b.mp4", "odd.dat", "v/*.mp4") == ["./v/b.mp4", "odd.dat", "v/a.mp4"]
    assert names("v/") == ["v/a.mp4", "v/b.mp4", "v/sub/c.mkv"]


def test_what_a_folder_holds_beside_is_told():
    assert read_inputs(["v"]).notices == ("left out: 1 file of other endings (1 ends with .md)",)
    assert read_inputs(["v/a.mp4"]).notices == ()


def test_the_same_video_twice_is_predicted_once(tree):
    os.symlink("a.mp4", tree / "v" / "link.mp4")
    os.symlink("v", tree / "w")
    found = read_inputs(["v/a.mp4", "v/link.mp4", "w/a.mp4", "./v/a.mp4", str(tree / "v" / "a.mp4"), "v/b.mp4"])
    assert [video.name for video in found.videos] == ["v/a.mp4", "v/b.mp4"]
    assert found.notices == ("4 names are of a video that is listed already, and predicted once (first: v/link.mp4)",)


def test_pictures_for_an_image_model():
    assert read_inputs(["."], of_pictures=True).videos == (ListedVideo("./p.jpg", "./p.jpg", is_picture=True),)
    assert not read_inputs(["p.jpg"]).videos[0].is_picture  # a model of clips says that it is none of its kind
    assert read_inputs(["v/a.mp4"], of_pictures=True).videos[0].is_picture is False


def test_a_file_of_the_patterns_name_wins(tree):
    (tree / "v" / "[ab].mp4").touch()
    assert names("v/[ab].mp4") == ["v/[ab].mp4"]
    assert names("v/[b].mp4") == ["v/b.mp4"]


def test_a_csv_lists_files_and_segments(tree):
    (tree / "v" / "list.csv").write_text(
        'label,path,start_seconds,end_seconds\nrun,a.mp4,,\nrun,sub/c.mkv,1,2.5\n,a.mp4,3,\n"x",a.mp4,3,\n'
    )
    found = read_inputs(["v/list.csv"])
    assert found.videos == (
        ListedVideo("a.mp4", "v/a.mp4"),
        ListedVideo("sub/c.mkv", "v/sub/c.mkv", 1.0, 2.5),
        ListedVideo("a.mp4", "v/a.mp4", 3.0, None),
    )
    assert "1 name is of a video that is listed already" in found.notices[0]


def test_a_txt_lists_a_name_a_line(tree):
    (tree / "v" / "LIST.TXT").write_bytes("\ufeffa.mp4\r\n\n  \nsub/c.mkv\nabsent.mp4".encode())
    assert read_inputs(["v/LIST.TXT"]).videos == (
        ListedVideo("a.mp4", "v/a.mp4"),
        ListedVideo("sub/c.mkv", "v/sub/c.mkv"),
        ListedVideo("absent.mp4", "v/absent.mp4"),
    )


def test_the_name_of_a_list_stays_as_it_is_written(tree, caplog):
    decomposed = unicodedata.normalize("NFD", "f\u00eate.mp4")
    (tree / decomposed).touch()
    (tree / "list.txt").write_text("f\u00eate.mp4", encoding="utf-8")
    (video,) = read_inputs(["list.txt"]).videos
    assert (video.name, video.path) == ("f\u00eate.mp4", decomposed)
    assert "another form" in caplog.text


@pytest.mark.parametrize("content", [b"v/a.mp4\nv/b.mp4\n", b"v/a.mp4\0v/b.mp4\0", b"v/a.mp4\r\nv/b.mp4"])
def test_standard_input_has_a_name_a_line_or_between_nul(content):
    assert names("-", names=io.BytesIO(content)) == ["v/a.mp4", "v/b.mp4"]


def test_standard_input_is_read_where_the_word_stands(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"v/b.mp4\nodd\xff.mp4\n")))
    assert names("v/sub", "-", "v/a.mp4") == ["v/sub/c.mkv", "v/b.mp4", os.fsdecode(b"odd\xff.mp4"), "v/a.mp4"]


def test_a_file_that_is_absent_is_listed_unless_nothing_is_there():
    assert names("v/a.mp4", "gone.mp4") == ["v/a.mp4", "gone.mp4"]
    with pytest.raises(ValueError, match="the video is not there, first: 'gone.mp4'; correct"):
        read_inputs(["gone.mp4"])
    with pytest.raises(ValueError, match="not one of the 2 videos is there, first: 'x/y.mp4'"):
        read_inputs(["-"], names=io.BytesIO(b"x/y.mp4\nz.mp4"))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["v/a.mp4", "video_folder"], "no file or folder 'video_folder'; correct"),  # not a row of a run of hours
        (["v/a.mp4", "list.csv"], "no file or folder 'list.csv'"),
        (["empty"], "the folder empty holds no videos, it is empty"),
        (["v/a.mp4", "v/*.avi"], r"pattern 'v/\*\.avi' finds no videos \(in v .*1 ends with .md"),
        (["nowhere/*.mp4"], r"finds no videos \(there is no folder nowhere\)"),
        (["s3://bucket/a.mp4"], "s3://bucket/a.mp4 is an address, .*copy or mount"),
        (["C:\\videos\\a"], r"no file or folder .*Windows way"),
    ],
)
def test_words_that_stand_for_no_video(words, rule):
    with pytest.raises(ValueError, match=rule):
        read_inputs(words)


def test_a_folder_of_other_files_says_their_endings():
    with pytest.raises(ValueError, match=r"the folder v holds no pictures: of its files 2 end with .mp4, .*\.jpg"):
        read_inputs(["v"], of_pictures=True)


def test_an_empty_standard_input_is_refused():
    with pytest.raises(ValueError, match="standard input names no video"):
        read_inputs(["-", "v"], names=io.BytesIO(b"\n \n"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("file,label\na.mp4,run\n", "no column path"),
        ("path,start_seconds,end_seconds\na.mp4,5,2\nb.mp4,x,\n", r"2 fault\(s\)"),
        ("path,label\n ,run\n", "line 2: the path is empty"),
        ("path,label\na,b.mp4,run\n", "line 2: not 2 fields"),
        ("path\n", "names no video"),
    ],
)
def test_a_faulty_csv_is_refused_as_a_whole(tree, text, rule):
    (tree / "list.csv").write_text(text)
    with pytest.raises(ValueError, match=rule):
        read_inputs(["list.csv", "v"])


def test_a_list_that_can_not_be_read(tree, monkeypatch):
    (tree / "list.txt").write_text("v/a.mp4")

    def closed(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", closed)
    with pytest.raises(ManifestError, match="list.txt can't be read .Permission denied"):
        read_inputs(["list.txt"])
