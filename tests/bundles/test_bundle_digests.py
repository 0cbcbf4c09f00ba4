"""Digests of files, against those of hashlib and of the command that systems have for them."""

import hashlib

import pytest

from stvit_video.bundles.bundle_digests import CHUNK_BYTES, digest_faults, digests_of, is_within


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "graph.mlpackage" / "Data").mkdir(parents=True)
    (tmp_path / "graph.mlpackage" / "Data" / "weights").write_bytes(bytes(range(256)) * (CHUNK_BYTES // 128))
    (tmp_path / "a b.txt").write_text("abc")
    (tmp_path / "self.json").write_text("{}")
    return tmp_path


def test_every_file_has_its_own(folder):
    found = digests_of(folder, without=("self.json",))
    assert list(found) == ["a b.txt", "graph.mlpackage/Data/weights"]
    # of the standard that defines SHA-256, for "abc"
    assert found["a b.txt"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    weights = (folder / "graph.mlpackage" / "Data" / "weights").read_bytes()
    assert found["graph.mlpackage/Data/weights"] == hashlib.sha256(weights).hexdigest()
    assert digest_faults(folder, found) == []


def test_what_is_missing_or_changed_is_named(folder):
    found = digests_of(folder)
    (folder / "a b.txt").write_text("abd")
    (folder / "graph.mlpackage" / "Data" / "weights").unlink()
    (folder / "another.txt").write_text("is let be")
    assert digest_faults(folder, found) == ["a b.txt was changed", "graph.mlpackage/Data/weights is missing"]


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "..\\a", "", "."])
def test_no_file_outside_of_the_folder_is_read(name, folder):
    assert not is_within(name)
    assert digest_faults(folder, {name: "0" * 64}) == [f"{name} lies outside of the folder"]
