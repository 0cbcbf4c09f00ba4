import zipfile

import pytest
from picture_maker import pack

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.file_tree import archive_of, open_place, open_tree, trees_within
from stvit_video.data.shards.zip_members import read_member

FILES = {"list.json": b"{}", "train/a.png": b"aaa", "train/deep/b.png": b"bb", "val/c d.png": b"c"}


@pytest.fixture(params=["folder", "archive"])
def tree(request, tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return open_tree(tmp_path / "set" if request.param == "folder" else pack(tmp_path / "set", tmp_path / "set.zip"))


def read(located):
    if located.byte_range is None:
        return located.path.read_bytes()
    return read_member(located.path, located.member, located.byte_range)


def test_files_are_found_listed_and_read(tree):
    assert {name: tree.read(name) for name in FILES} == FILES
    assert {name: read(tree.find(name)) for name in FILES} == FILES
    assert tree.names() == ["list.json"]
    assert tree.names("train") == ["a.png"]
    assert tree.folders() == ["train", "val"]
    assert tree.find("train/none.png") is None
    assert tree.find("train") is None
    assert tree.names("none") == []


def test_a_folder_of_it_is_a_tree(tree):
    below = tree.below("train")
    assert read(below.find("deep/b.png")) == b"bb"
    assert below.names() == ["a.png"]
    assert below.folders() == ["deep"]
    assert below.below("deep").names() == ["b.png"]
    assert tree.below("").names() == ["list.json"]


def test_names_that_are_written_the_windows_way_are_found(tree):
    assert read(tree.find("train\\deep\\b.png")) == b"bb"
    assert read(tree.find("./list.json")) == b"{}"


def test_an_archive_may_have_one_folder_at_its_top(tmp_path):
    (tmp_path / "set" / "train").mkdir(parents=True)
    (tmp_path / "set" / "train" / "a.png").write_bytes(b"a")
    packed = open_tree(pack(tmp_path / "set", tmp_path / "x.zip", below="top/"))
    assert [tree.folders() for tree in trees_within(packed)] == [["top"], ["train"]]
    assert len(trees_within(open_tree(tmp_path / "set"))) == 1


def test_what_is_neither_is_named(tmp_path):
    with pytest.raises(ManifestError, match="no folder or .zip .*none; correct"):
        open_tree(tmp_path / "none")
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(ManifestError, match="text.zip is no .zip"):
        open_tree(tmp_path / "text.zip")
    with pytest.raises(ManifestError, match="list.json can't be read"):
        open_tree(tmp_path).read("list.json")


def test_a_damaged_list_in_an_archive_is_named(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("list.json", b"0123456789")
    path.write_bytes(path.read_bytes().replace(b"0123456789", b"0123456780"))
    with pytest.raises(ManifestError, match="list.json can't be read"):
        open_tree(path).read("list.json")


def test_files_of_all_folders_are_listed(tree):
    names = tree.all_names()
    assert "list.json" in names
    assert names == sorted(names)
    assert any("/" in name for name in names)
    assert [name for name in names if "/" not in name] == tree.names()


def test_a_folder_in_an_archive_is_a_place(tmp_path):
    for name in ("images/train/a.png", "images/train/deep/b.png", "images/.hidden/c.png", "maps/d.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"x")
    for below in ("", "top/"):
        archive = pack(tmp_path / "set", tmp_path / f"{len(below)}.zip", below=below)
        assert archive_of(archive / "images" / "train") == archive
        assert open_place(archive / "images" / "train").all_names() == ["a.png", "deep/b.png"]
        assert open_place(archive / "images").all_names() == ["train/a.png", "train/deep/b.png"]
        with pytest.raises(ManifestError, match="holds no files in a folder labels;"):
            open_place(archive / "labels")
    assert open_place(tmp_path / "set" / "images").all_names() == ["train/a.png", "train/deep/b.png"]
    assert archive_of(tmp_path / "set" / "images") is None
