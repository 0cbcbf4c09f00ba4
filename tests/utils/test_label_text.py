"""Labels in several forms: what is the same text, and what is not."""

import unicodedata

import pytest

from stvit_video.utils.label_text import normal_label, same_labels, without_joiners

NFD = unicodedata.normalize("NFD", "école")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (NFD, "école"),
        ("a\u00a0b", "a b"),
        ("a\u202f\u2003 \tb\u3000", "a b"),
        (" a  b ", "a b"),
        ("\ufeffa\u200bb\u2060\u00ad\u200e", "ab"),
        ("e\u200b\u0301", "é"),
        ("\u200b", ""),
        ("a\nb\x1b", "a b"),
        ("Å (\u212b)", "Å (Å)"),
        ("run\u200c", "run"),
        ("jump\u200d up", "jump up"),
        ("\u0646\u0645\u06cc\u200c", "\u0646\u0645\u06cc"),
    ],
)
def test_one_text_in_several_forms(written, normal):
    assert normal_label(written) == normal
    assert normal_label(normal) == normal


@pytest.mark.parametrize(
    "meaningful",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner in it
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family, of three persons and two joiners
        "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
        "\u0915\u094d\u200d\u0937",  # Devanagari
        "A b-C",
        "01",
    ],
)
def test_what_has_a_meaning_stays(meaningful):
    assert normal_label(meaningful) == meaningful


def test_lists_of_labels():
    assert same_labels(["a b", NFD], ("a\u00a0b", "école"))
    assert not same_labels(["a b", "école"], ["école", "a b"])
    assert not same_labels(["a"], ["a", "b"])
    assert without_joiners("a\u200cb\u200dc") == "abc"
