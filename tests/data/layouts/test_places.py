import pytest

from stvit_video.data.layouts.places import (
    existing,
    existing_place,
    published_file,
    published_folder,
    refuse_lists,
    required,
)
from stvit_video.data.manifests.faults import ManifestError


def test_what_is_given_comes_back(tmp_path):
    assert required("a.csv", "train", source="csv") == "a.csv"
    assert existing(str(tmp_path), "root", source="csv") == str(tmp_path)
    assert published_folder(None, "lists", "", root=str(tmp_path), source="ucf101") == tmp_path
    (tmp_path / "UCF-101").mkdir()
    assert published_folder(None, "videos", "UCF-101", root=str(tmp_path), source="ucf101") == tmp_path / "UCF-101"
    assert published_folder(str(tmp_path), "videos", "UCF-101", root=None, source="ucf101") == tmp_path
    assert refuse_lists("ucf101", train=None, val="") is None


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named_with_its_layout(value):
    with pytest.raises(ValueError, match="^data.source=folder needs data.root; give it, for example data.root=/path$"):
        required(value, "root", source="folder")


def test_paths_that_do_not_exist_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError, match=r"data.val: there is no a.csv; .*working directory.*, or in data.root\)"):
        existing("a.csv", "val", source="csv")
    with pytest.raises(ManifestError, match=rf"data.root: there is no gone; .*{tmp_path}\)"):
        existing("gone", "root", source="csv")
    with pytest.raises(ManifestError, match=f"no folder {tmp_path}/lists; .*data.lists"):
        published_folder(None, "lists", "lists", root=str(tmp_path), source="ucf101")


def test_a_published_file_is_given_or_in_root(tmp_path):
    (tmp_path / "a.json").touch()
    assert published_file(None, "train", "a.json", root=str(tmp_path), source="x") == tmp_path / "a.json"
    assert published_file(str(tmp_path / "a.json"), "train", "b.json", root=None, source="x") == tmp_path / "a.json"
    with pytest.raises(ManifestError, match=f"^there is no file {tmp_path}/b.json; correct data.root, .*data.train$"):
        published_file(None, "train", "b.json", root=str(tmp_path), source="x")
    with pytest.raises(ValueError, match="^data.source=x needs data.train;"):
        published_file(None, "train", "b.json", root=None, source="x")


def test_lists_beside_official_ones_are_refused():
    with pytest.raises(ValueError, match=r"data.source=hmdb51 .*leave data.val out"):
        refuse_lists("hmdb51", train=None, val="val.csv")


def test_a_path_may_go_on_into_an_archive(tmp_path):
    (tmp_path / "set.zip").touch()
    (tmp_path / "folder").mkdir()
    for name in ("set.zip", "set.zip/images/train", "folder"):
        place = str(tmp_path / name)
        assert existing_place(place, "train_images", source="label_maps") == place
    with pytest.raises(ManifestError, match="data.train_images: there is no .*folder/images"):
        existing_place(str(tmp_path / "folder" / "images"), "train_images", source="label_maps")
    with pytest.raises(ValueError, match="data.source=label_maps needs data.train_images"):
        existing_place(None, "train_images", source="label_maps")
