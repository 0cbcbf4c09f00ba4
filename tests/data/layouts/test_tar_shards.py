"""Shards as a manifest: labels, class names, ids; and who may read addresses."""

import re

import pytest
from tar_maker import samples, write_tar

from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards import index as tar_index_file
from stvit_video.data.shards.locations import file_system
from stvit_video.utils.optional import MissingLibraryError


def test_labels_by_name(tmp_path):
    write_tar(tmp_path / "0.tar", samples("a", label="run") | samples("b", label="jump"))
    write_tar(tmp_path / "1.tar", samples("c", label="run"))
    manifest = read_shard_manifest(str(tmp_path / "{0..1}.tar"))
    assert manifest.classes == ("jump", "run")
    assert [(record.video_id, record.label) for record in manifest.records] == [
        ("a.mp4", 1),
        ("b.mp4", 0),
        ("c.mp4", 1),
    ]
    record = manifest.records[2]
    assert (record.path, record.member, record.byte_range) == (tmp_path / "1.tar", "c.mp4", (512, 1))
    assert record.place == f"{tmp_path}/1.tar: c.mp4"
    known = read_shard_manifest(str(tmp_path), classes=("run", "walk", "jump"))
    assert [record.label for record in known.records] == [0, 2, 0]
    with pytest.raises(ManifestError, match=r"label 'run'; .*1 .*classes are jump\n"):
        read_shard_manifest(str(tmp_path), classes=("jump",))


def test_labels_by_number(tmp_path):
    numbers = {"a.mp4": b"1", "a.cls": 10, "b.mp4": b"1", "b.cls": 9, "c.mp4": b"1", "c.json": {"label": 0}}
    write_tar(tmp_path / "0.tar", numbers)
    manifest = read_shard_manifest(str(tmp_path))
    assert manifest.classes == ("0", "9", "10")
    names = [f"class {number}" for number in range(12)]
    (tmp_path / "classes.txt").write_text("\n".join(names) + "\n")
    manifest = read_shard_manifest(str(tmp_path))
    assert manifest.classes == tuple(names)
    assert [record.label for record in manifest.records] == [10, 9, 0]
    (tmp_path / "few.txt").write_text("x\ny\n")
    message = r"0\.tar: a\.mp4 .*number '10', .*\b2, from 0 to 1\n"
    with pytest.raises(ManifestError, match=message):
        read_shard_manifest(str(tmp_path), names_file=tmp_path / "few.txt")


def test_names_go_before_numbers(tmp_path):
    write_tar(tmp_path / "0.tar", samples("a", label="run") | {"a.cls": 7, "b.mp4": b"1", "b.cls": 1})
    (tmp_path / "classes.txt").write_text("walk\njump\n")
    manifest = read_shard_manifest(str(tmp_path))
    assert [manifest.classes[record.label] for record in manifest.records] == ["run", "jump"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"class names .*names\.txt .*No such file"),
        # the whole sentence, once for its family
        ("run\nrun\n", r"names\.txt must hold class names, one a line, each once; it holds 2 lines$"),
        ("", r"names\.txt .*class names, .*\b0 lines"),
    ],
)
def test_files_of_class_names_that_are_none(tmp_path, text, message):
    write_tar(tmp_path / "0.tar", samples("a"))
    if text is not None:
        (tmp_path / "names.txt").write_text(text)
    with pytest.raises(ManifestError, match=message):
        read_shard_manifest(str(tmp_path), names_file=tmp_path / "names.txt")


def test_an_id_is_of_one_video_and_segments_have_their_own(tmp_path):
    parts = {"label": "run", "video_id": "x"}
    members = {"a.mp4": b"1", "a.json": parts | {"end_seconds": 2}, "b.mp4": b"1", "b.json": parts | {"end_seconds": 3}}
    write_tar(tmp_path / "0.tar", members)
    records = read_shard_manifest(str(tmp_path)).records
    assert [(record.video_id, record.end_seconds) for record in records] == [("x#t=,2", 2.0), ("x#t=,3", 3.0)]
    write_tar(tmp_path / "1.tar", {"c.mp4": b"1", "c.json": parts | {"end_seconds": 3}})
    message = r"0\.tar: b\.mp4 and .*1\.tar: c\.mp4 .*video_id 'x'"
    with pytest.raises(ManifestError, match=message):
        read_shard_manifest(str(tmp_path))


def test_addresses_only_where_they_are_allowed(tmp_path):
    shard = write_tar(tmp_path / "0.tar", samples("a"))
    read_shard_manifest(str(shard))
    system, root = file_system("memory://manifest")
    for path in tmp_path.iterdir():
        system.pipe_file(f"{root}/{path.name}", path.read_bytes())
    address = "memory://manifest/{0..0}.tar"
    # the whole sentence, once for its family
    whole = (
        rf"^{re.escape(repr(address))} is an address, and only local shards are read; set data\.allow_addresses=true "
        "where you trust the source, or copy the shards$"
    )
    with pytest.raises(ManifestError, match=whole):
        read_shard_manifest(address)
    (record,) = read_shard_manifest(address, allow_addresses=True).records
    assert record.address == "memory://manifest/0.tar"
    assert record.place == "memory://manifest/0.tar: a.mp4"


def test_an_address_without_its_library_is_a_fault_of_the_settings(monkeypatch):
    def fail(address):
        raise MissingLibraryError("reading shards from s3:// needs a library")

    monkeypatch.setattr(tar_index_file, "file_system", fail)
    with pytest.raises(ManifestError, match=r"^reading shards from s3:// needs a library$"):
        read_shard_manifest("s3://bucket/0.tar", allow_addresses=True)


@pytest.mark.parametrize("pattern", ["", "/*.tar"])
def test_a_listed_shard_that_is_gone_is_a_fault_of_folders_and_patterns(tmp_path, pattern):
    for name in ("a", "b"):
        write_tar(tmp_path / f"{name}.tar", samples(name, label="run"))
    assert len(read_shard_manifest(f"{tmp_path}{pattern}").records) == 2  # which writes the index
    (tmp_path / "b.tar").unlink()
    with pytest.raises(ManifestError, match=r"no shard .*/b\.tar, .*index\.csv lists\b"):
        read_shard_manifest(f"{tmp_path}{pattern}")
    assert len(read_shard_manifest(f"{tmp_path}/a.tar").records) == 1  # asked for by name
