"""Labels of one text are one class; labels that only look alike are told by name."""

import unicodedata

import pytest

from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import Faults, ManifestError, UnknownLabelError
from stvit_video.data.manifests.look_alikes import class_list, look_alike_of

NFD = unicodedata.normalize("NFD", "école")


def build(tmp_path, *labels, classes=None):
    listed = [Listed(line, f"{line}.mp4", tmp_path / f"{line}.mp4", label) for line, label in enumerate(labels, 2)]
    manifest = build_manifest_of(listed, classes, Faults("list.csv"))
    return manifest.classes, [record.label for record in manifest.records]


@pytest.mark.parametrize("other", [NFD, "\u00a0école", "éco\u200ble", "\ufeffécole", "école\u2009 "])
def test_one_text_in_two_forms_is_one_class_and_is_told(tmp_path, caplog, other):
    assert build(tmp_path, "école", "x", other, other) == (("x", "école"), [1, 0, 1, 1])
    [message] = caplog.messages
    assert message.startswith("list.csv: 1 labels of 2 videos ")
    assert f"{other!a} as {'école'!a}" in message


def test_nothing_is_told_of_plain_labels(tmp_path, caplog):
    assert build(tmp_path, "école", "01", "2", "a-b")[0] == ("01", "2", "a-b", "école")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("known", "listed"), [("école", NFD), (NFD, "école"), ("a\u00a0b", "a b"), ("a b", "a\u00a0b")]
)
def test_known_classes_in_another_form_keep_their_name_and_number(tmp_path, caplog, known, listed):
    assert build(tmp_path, listed, "z", classes=("z", known)) == (("z", known), [1, 0])
    assert len(caplog.messages) == 1


def test_classes_of_an_old_checkpoint_that_are_one_text_are_told_apart_by_their_exact_form(tmp_path):
    classes = ("a b", "a\u00a0b", "x")
    assert build(tmp_path, "a\u00a0b", "a b", "x", classes=classes) == (classes, [1, 0, 2])
    with pytest.raises(UnknownLabelError, match="unknown label 'a b'"):
        build(tmp_path, "a\u2003b", classes=("a\u00a0b", "a\u202fb"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("01", "1"), ("0", "00"), ("a-b", "a\u2013b"), ("don't", "don\u2019t"), ("\u2764", "\u2764\ufe0f")],
)
def test_what_nobody_can_tell_apart_is_refused_by_name(tmp_path, one, other):
    with pytest.raises(ManifestError) as caught:
        build(tmp_path, one, other, "x")
    shown = [ascii(name) for name in (one, other)]
    assert all(name in str(caught.value) for name in shown)
    assert "look alike" in str(caught.value)
    assert build(tmp_path, one, "x")[0] in ((one, "x"), ("x", one))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Run", "run"), "'Run' and 'run'"),
        (("cop", "\u0441\u043e\u0440"), r"'cop' and '\u0441\u043e\u0440'"),  # Cyrillic
        (("take 01", "take 1"), "'take 01' and 'take 1'"),
        (("AB", "\uff21\uff22"), r"'AB' and '\uff21\uff22'"),
        (("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e"), r"'\u0645\u06cc\u062e' and '\u0645\u06cc\u200c\u062e'"),
    ],
)
def test_what_is_likely_one_class_is_a_warning(tmp_path, caplog, names, words):
    assert set(build(tmp_path, *names, "x")[0]) == {*names, "x"}
    [message] = caplog.messages
    assert words in message
    assert "several classes" in message


def test_numbers_with_a_point_are_other_numbers(tmp_path, caplog):
    assert len(build(tmp_path, "1.05", "1.5", "v 10", "v 1")[0]) == 4
    assert caplog.messages == []


def test_an_unknown_label_that_looks_like_a_class_is_told_with_it(tmp_path):
    with pytest.raises(UnknownLabelError, match="unknown label '01'; .* looks like the class '1'"):
        build(tmp_path, "01", classes=("1", "2"))
    with pytest.raises(UnknownLabelError, match=r"unknown label 'y'; the 2 known classes are 1, 2$"):
        build(tmp_path, "y", classes=("1", "2"))
    assert look_alike_of("RUN", ("jump", "run")) == "run"
    assert look_alike_of("ran", ("jump", "run")) is None


def test_an_invisible_label_is_empty(tmp_path):
    with pytest.raises(ManifestError, match=r"line 2: the label of 2\.mp4 is empty"):
        build(tmp_path, "\u200b", "x")


def test_lists_of_classes_in_files():
    faults = Faults("classes.txt")
    assert class_list(["x", NFD], faults) == ("x", "école")
    assert not faults.found
    class_list([NFD, "x", "école", "1", "01"], faults)
    assert [ascii(NFD) in text and ascii("école") in text for _, text in faults.found] == [True, False]
    assert "look alike" in faults.found[1][1]


def test_each_of_several_labels_counts_once(tmp_path):
    listed = [Listed(2, "a.mp4", tmp_path / "a.mp4", "", labels=("école", "x", NFD))]
    manifest = build_manifest_of(listed, None, Faults("list.csv"), multi_label=True)
    assert (manifest.classes, manifest.records[0].labels) == (("x", "école"), (0, 1))
