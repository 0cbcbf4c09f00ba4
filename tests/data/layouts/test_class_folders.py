import logging
import re

import pytest
from list_maker import touch

from stvit_video.data.layouts.class_folders import find_class_folders, read_folder_manifest
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.manifests.faults import ManifestError


def test_folder_per_class(tmp_path, caplog):
    touch(tmp_path, "walk/b.MP4", "walk/a.webm", "jump up/ä, 1.avi", "walk/notes.txt", "walk/deep/c.mp4")
    touch(tmp_path, "README.md", ".cache/d.mp4")
    with caplog.at_level(logging.WARNING):
        manifest = read_folder_manifest(tmp_path)
    assert manifest.classes == ("jump up", "walk")
    assert [(record.video_id, record.label) for record in manifest.records] == [
        ("jump up/ä, 1.avi", 0),
        ("walk/a.webm", 1),
        ("walk/b.MP4", 1),
    ]
    assert all(record.path == tmp_path / record.video_id for record in manifest.records)
    [message] = [record.getMessage() for record in caplog.records]
    assert re.search("4 entries .*left out, .*: .cache, README.md, walk/deep", message)


def test_folder_faults(tmp_path):
    with pytest.raises(ManifestError, match=r"no folder .*nowhere; .*each class"):
        read_folder_manifest(tmp_path / "nowhere")
    with pytest.raises(ManifestError, match=r"1 fault\(s\):\n  it lists no video\b"):
        read_folder_manifest(tmp_path)
    touch(tmp_path, "walk/a.mp4", "run/notes.txt")
    with pytest.raises(ManifestError, match=r"class folder run .*no video\b"):
        read_folder_manifest(tmp_path)
    touch(tmp_path, "run/b.mp4")
    with pytest.raises(ManifestError, match="label 'run'; .*2 .*classes are jump, walk"):
        read_folder_manifest(tmp_path, classes=("jump", "walk"))


def test_endings_that_are_no_video_are_told(tmp_path, caplog):
    touch(tmp_path, *(f"run/{n}.xyz" for n in range(12)), "run/a.MTS", "run/.b.mp4", "run/c", "jump/d.m2ts")
    manifest = read_folder_manifest(tmp_path)
    assert [record.video_id for record in manifest.records] == ["jump/d.m2ts", "run/a.MTS"]
    [message] = caplog.messages
    assert "14 entries" in message
    assert "12 end with .xyz" in message
    assert "data=csv" in message
    touch(tmp_path, "walk/a.xyz", "walk/b.xyz", "walk/c.PQR", "walk/deep/d.mp4")
    with pytest.raises(
        ManifestError,
        match=r"folder walk holds no video: of its 3 files 2 end with \.xyz, 1 ends with \.PQR, .*data=csv",
    ):
        read_folder_manifest(tmp_path)


def test_a_root_without_parts_is_divided(tmp_path):
    touch(tmp_path, *(f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(9)))
    train, val = (find_class_folders(part, known_classes=None, root=str(tmp_path)) for part in ("train", "val"))
    assert isinstance(train, Undivided)
    assert {*train().records, *val().records} == {*read_folder_manifest(tmp_path).records}
    more = find_class_folders("val", known_classes=None, root=str(tmp_path), val_fraction=0.7, split_by="name")
    assert len(more().records) > len(val().records)
    touch(tmp_path / "whole", "train/run/a.mp4", "train/run/b.mp4", "train/jump/a.mp4", "train/jump/b.mp4")
    reading = find_class_folders("val", known_classes=("jump", "run"), root=str(tmp_path / "whole"))
    assert {record.path.parent.parent for record in reading().records} == {tmp_path / "whole/train"}


def test_a_test_folder_serves_for_validation_and_is_told(tmp_path, caplog):
    touch(tmp_path, "train/run/a.mp4", "test/run/b.mp4")
    reading = find_class_folders("val", known_classes=None, root=str(tmp_path))
    assert not caplog.messages  # the checks before a training ask, too
    assert [record.path for record in reading().records] == [tmp_path / "test/run/b.mp4"]
    assert "test is taken" in caplog.text


@pytest.mark.parametrize("option", [{"val_fraction": 0.3}, {"split_by": "name"}])
def test_a_share_contradicts_given_parts(tmp_path, option):
    touch(tmp_path, "train/run/a.mp4", "val/run/b.mp4")
    [name] = option
    lists = {part: str(tmp_path / part) for part in ("train", "val")}
    for part, places in (("val", {"root": str(tmp_path)}), ("train", lists)):
        with pytest.raises(ValueError, match=rf"data\.{name}={option[name]} has no effect, .*{part} videos"):
            find_class_folders(part, known_classes=None, **places, **option)


def test_where_one_part_is_given_the_other_is_not_divided(tmp_path):
    touch(tmp_path, "run/a.mp4", "run/b.mp4", "jump/a.mp4", "jump/b.mp4")
    reading = find_class_folders("val", known_classes=None, train=str(tmp_path / "run"), root=str(tmp_path))
    with pytest.raises(ManifestError, match=f"no folder {tmp_path}/val; "):
        reading()
