"""bundle.json: what is wrong with it is one sentence that says what to do."""

import json
import re

import pytest
from made_bundle import change_description, write_made_bundle

from stvit_video.bundles.bundle_description import DESCRIPTION, BundleError, is_bundle, read_description, refuse_bundle


def test_it_is_read_as_it_was_written(tmp_path):
    folder = write_made_bundle(tmp_path / "bundle")
    assert is_bundle(folder)
    assert read_description(folder) == json.loads((folder / DESCRIPTION).read_text())


def test_what_is_no_bundle(tmp_path):
    (tmp_path / "file.txt").write_text("x")
    way = r"; give a folder made by python -m stvit_video\.export$"
    for name, words in {"": "has no bundle.json", "file.txt": "is no folder, .* with a bundle.json"}.items():
        assert not is_bundle(tmp_path / name)
        with pytest.raises(BundleError, match=rf"^{re.escape(str(tmp_path / name))} {words}{way}"):
            read_description(tmp_path / name)
    with pytest.raises(BundleError, match=rf"^there is no {re.escape(str(tmp_path / 'b'))}{way}"):
        read_description(tmp_path / "b")


def test_checkpoints_and_runs_are_told_from_bundles(tmp_path):
    (tmp_path / "last.ckpt").touch()
    for path in (tmp_path, tmp_path / "last.ckpt"):
        with pytest.raises(BundleError, match=rf"not a bundle; give ckpt_path={re.escape(str(tmp_path))}/last.ckpt$"):
            read_description(path)
    folder = write_made_bundle(tmp_path / "bundle_onnx")
    with pytest.raises(BundleError, match=r"run, not a bundle; give bundle=.*/bundle_onnx or ckpt_path=.*/last.ckpt$"):
        read_description(tmp_path)
    with pytest.raises(BundleError, match=rf"is a file of a bundle; give its folder, {re.escape(str(folder))}$"):
        read_description(folder / "labels.txt")
    with pytest.raises(ValueError, match=r"is a bundle, not a checkpoint; give bundle=.*/bundle_onnx$"):
        refuse_bundle(folder)
    with pytest.raises(ValueError, match=r"bundle\.json is a bundle, not a checkpoint; give bundle=.*/bundle_onnx$"):
        refuse_bundle(folder / "bundle.json")
    with pytest.raises(ValueError, match=r"bundle_onnx is a bundle, not a checkpoint; take another way$"):
        refuse_bundle(folder, advice="take another way")
    refuse_bundle(tmp_path)


def test_a_newer_version_is_told_whole(tmp_path):
    folder = write_made_bundle(tmp_path / "bundle", bundle=2)
    with pytest.raises(
        BundleError,
        match=r"^the bundle .*bundle is of version 2, written by stvit_video 9\.9, and stvit_video [\d.]+\S* reads "
        r"version 1; install a newer stvit_video, or export the checkpoint again with python -m stvit_video\.export$",
    ):
        read_description(folder)
    change_description(folder, lambda said: {"versions": None})
    with pytest.raises(BundleError, match=r"version 2, written by stvit_video of a later version"):
        read_description(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bundle": None}, "its version is None"),
        ({"bundle": True}, "its version is True"),
        ({"bundle": 0}, "its version is 0"),
        ({"graphs": None, "num_classes": "3"}, "graphs is no dict; num_classes is no int"),
        ({"num_classes": True}, "num_classes is no int"),
        ({"multi_label": 1}, "multi_label is no bool"),
        ({"digests": {"a": 1}}, "digests is no table of texts"),
    ],
)
def test_a_value_of_another_kind(tmp_path, changes, words):
    folder = write_made_bundle(tmp_path / "bundle", **changes)
    with pytest.raises(BundleError, match=rf"bundle\.json is damaged \({words}\); export the checkpoint again"):
        read_description(folder)


@pytest.mark.parametrize(("text", "words"), [("{", "can't be read as JSON"), ("[]", "holds a list"), ("\xff", "JSON")])
def test_no_json(tmp_path, text, words):
    folder = write_made_bundle(tmp_path / "bundle")
    (folder / DESCRIPTION).write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=words):
        read_description(folder)
