import logging
import re

import pytest
from list_maker import touch

from stvit_video.data.layouts.class_folders import read_folder_manifest
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
