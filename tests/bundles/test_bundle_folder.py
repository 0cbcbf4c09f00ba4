"""A bundle is read as it was written, or not at all: every fault of its files is one sentence."""

import re
import shutil

import numpy as np
import pytest
from made_bundle import CLASSES, PROTOCOL, SIZES, change_description, sign_again, write_made_bundle

from stvit_video.bundles.bundle_description import GOLDEN, LABELS, PREPROCESSING, read_json, write_json
from stvit_video.bundles.bundle_folder import BundleError, read_bundle, write_labels


@pytest.fixture
def folder(tmp_path):
    return write_made_bundle(tmp_path / "a bundle")


def test_a_whole_bundle(folder):
    found = read_bundle(str(folder))
    assert found.graph_paths == {"clip": folder / "clip.onnx"}
    assert (found.labels, found.protocol, found.multi_label) == (CLASSES, PROTOCOL, False)
    assert found.preprocessing.to_dict() | SIZES == found.preprocessing.to_dict()
    assert (found.input_size, found.num_tokens, found.generate_at) == ((2, 5, 5, 3), 4, None)
    golden = found.golden()
    assert (golden.frames.shape, golden.frames.dtype) == ((2, 2, 5, 5, 3), np.uint8)
    assert golden.tolerance == pytest.approx(1e-3)


def test_a_graph_may_be_a_folder_and_tokens_a_grid(tmp_path):
    folder = write_made_bundle(tmp_path / "b", graph="clip.mlpackage/model", format="coreml", num_tokens=[2, 3])
    found = read_bundle(folder)
    assert found.graph_paths == {"clip": folder / "clip.mlpackage"}
    assert found.num_tokens == (2, 3)
    (folder / "clip.mlpackage" / "model").write_bytes(b"another")
    with pytest.raises(BundleError, match="clip.mlpackage/model was changed"):
        read_bundle(folder)


def test_two_graphs_have_a_step(folder):
    graphs = {"encode": "clip.onnx", "decide": "clip.onnx"}
    change_description(folder, lambda said: {"graphs": graphs, "frames_per_step": 2})
    found = read_bundle(folder)
    assert (list(found.graph_paths), found.frames_per_step) == (["encode", "decide"], 2)


def test_a_copy_elsewhere_is_the_same_bundle_and_notes_beside_it_are_let_be(folder, tmp_path):
    there = tmp_path / "elsewhere"
    shutil.move(folder, there)
    (there / "notes.md").write_text("mine")
    assert read_bundle(there).labels == CLASSES


def test_the_sentence_of_faulty_files(folder):
    (folder / LABELS).write_text("other\n")
    (folder / "clip.onnx").unlink()
    words = (
        f"the bundle {folder} is not as it was written: clip.onnx is missing; labels.txt was changed; copy it again, "
    )
    with pytest.raises(
        BundleError, match=f"^{re.escape(words)}or export the checkpoint again with python -m stvit_video.export$"
    ):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"graphs": {}}, "its graphs are none"),
        ({"graphs": {"encode": "clip.onnx", "decide": "clip.onnx"}}, "frames_per_step=None does not divide 2 frames"),
        ({"graphs": {"encode": "clip.onnx"}}, "its graphs are encode"),
        ({"graphs": {"clip": "other.onnx"}}, "other.onnx is not among its files"),
        ({"graphs": {"clip": "../clip.onnx"}}, "../clip.onnx is not among its files"),
        ({"digests": {"../a bundle/clip.onnx": "0" * 64}}, "lies outside of the folder"),
        ({"input": [None, 2, 5, 6, 3]}, "its input .* is not of the sizes in preprocessing.json"),
        ({"input": []}, "is not of the sizes"),
        ({"num_classes": 4}, "has 3 labels, a line each, for 4 logits"),
        ({"model": {}}, "is damaged .*name"),
    ],
)
def test_values_that_contradict_the_files(folder, changes, words):
    change_description(folder, lambda said: changes)
    with pytest.raises(BundleError, match=words):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"preprocessing": SIZES}, "protocol"),
        ({"preprocessing": SIZES, "protocol": {**PROTOCOL, "num_clips": "2"}}, "num_clips is '2'"),
        ({"preprocessing": {**SIZES, "crop_size": 70}, "protocol": PROTOCOL}, "crop_size=70"),
        ({"preprocessing": {**SIZES, "new_rule": 1}, "protocol": PROTOCOL}, "new_rule"),
    ],
)
def test_preprocessing_that_cannot_be_used(folder, values, words):
    write_json(folder / PREPROCESSING, values)
    sign_again(folder)
    with pytest.raises(BundleError, match=words):
        read_bundle(folder)


def test_a_golden_answer_of_another_model(folder):
    with np.load(folder / GOLDEN) as arrays:
        whole = dict(arrays)
    for change in ({"frames": whole["frames"][..., 0]}, {"logits": whole["logits"][:, :2]}, {"tolerance": "x"}):
        np.savez(folder / GOLDEN, **{**whole, **change})
        sign_again(folder)
        with pytest.raises(BundleError, match=r"golden\.npz"):
            read_bundle(folder).golden()
    for content in (b"", b"PK\x03\x04 no archive"):
        (folder / GOLDEN).write_bytes(content)
        sign_again(folder)
        with pytest.raises(BundleError, match=r"golden\.npz can't be read"):
            read_bundle(folder).golden()


def test_how_far_an_answer_is_off(folder):
    golden = read_bundle(folder).golden()
    assert golden.largest_difference(golden.logits + np.float32([[0, 0.5, 0], [0, 0, -2]])) == pytest.approx(2)
    assert golden.largest_difference(golden.logits * np.nan) == float("inf")
    assert golden.largest_difference(golden.logits) == 0


def test_labels_come_back_as_they_are(tmp_path):
    labels = ("", " a ", "b\r", "\u0065\u0301", "x\x0by", "\u2029")
    folder = write_made_bundle(tmp_path / "b", num_classes=len(labels))
    write_labels(folder / LABELS, labels)
    sign_again(folder)
    assert read_bundle(folder).labels == labels
    assert read_json(folder / PREPROCESSING)["protocol"] == PROTOCOL
    with pytest.raises(ValueError, match=r"'a\\nb' has two"):
        write_labels(folder / LABELS, ("x", "a\nb"))
