"""bundle.json: what is wrong with it is one sentence that says what to do."""

import json
import re

import pytest
from made_bundle import change_description, write_made_bundle

from stvit_video.bundles.bundle_description import DESCRIPTION, BundleError, is_bundle, read_description


def test_it_is_read_as_it_was_written(tmp_path):
    folder = write_made_bundle(tmp_path / "bundle")
    assert is_bundle(folder)
    assert read_description(folder) == json.loads((folder / DESCRIPTION).read_text())


def test_what_is_no_bundle(tmp_path):
    (tmp_path / "file.ckpt").write_text("x")
    for path, words in (
        (tmp_path, "has no"),
        (tmp_path / "file.ckpt", "is no folder"),
        (tmp_path / "b", "is no folder"),
    ):
        assert not is_bundle(path)
        with pytest.raises(
            BundleError, match=rf"^{re.escape(str(path))} {words}.* bundle.json; .*stvit_video\.export$"
        ):
            read_description(path)


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
