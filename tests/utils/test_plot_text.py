"""Names of other scripts: drawn by a font that has them, escaped where none has, never an empty box or a formula."""

import warnings

import numpy as np
import pytest

from stvit_video.utils import plot_text as module
from stvit_video.utils.figures import new_figure
from stvit_video.utils.plot_text import plot_text, write_literally

# letters that DejaVu Sans has (it comes with matplotlib), and what no font with text has
KNOWN = ("café", "cafe\u0301", "costs $5 to $10", "Ba$$in_x^", "{0} \\frac{a}", "привет", "רוץ", "قفز", "Ελλάδα")
UNKNOWN = ("\U0001fae0", "\u4f60\u597d", "\uac00")


@pytest.fixture
def only_first_font(monkeypatch):
    monkeypatch.setattr(module, "_other_families", tuple)


@pytest.mark.parametrize("text", KNOWN)
def test_what_the_first_font_has_stands_as_it_is(text, only_first_font):
    assert plot_text([text]) == ([text], ["DejaVu Sans"])


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_no_font_has_is_escaped(text, only_first_font):
    texts, families = plot_text([f"a{text}b", "c"])
    assert texts == [f"a{text.encode('unicode_escape').decode()}b", "c"]
    assert families == ["DejaVu Sans"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\nb\tc", "a\\nb\\tc"), ("a\u200db", "a\\u200db"), ("\ud800", "\\ud800"), ("\u202eabc", "\\u202eabc"), ("", "")],
)
def test_what_has_no_picture_is_escaped(text, shown):
    assert plot_text([text]).texts == [shown]


def test_another_installed_font_is_taken_for_what_it_has(monkeypatch):
    """STIXGeneral comes with matplotlib, too, and has letters that DejaVu Sans lacks."""
    letters = module._letters("STIXGeneral") - module._letters("DejaVu Sans")
    letter = next(
        chr(code) for code in sorted(letters) if chr(code).isalpha() and module._is_drawn("STIXGeneral", chr(code))
    )
    monkeypatch.setattr(module, "_other_families", lambda: ("no such font", "STIXGeneral"))
    assert plot_text([f"x{letter}\u4f60"]) == ([f"x{letter}\\u4f60"], ["DejaVu Sans", "STIXGeneral"])


def test_fonts_of_boxes_and_of_other_codes_are_left_out():
    families = module._other_families()
    assert "DejaVu Serif" in families
    assert not [name for name in families if name.startswith(("Last Resort", "cmsy", "cmr"))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abcdefgh", "abcdefgh"),
        ("abcdefghi", "abcdefg…"),
        ("a\u4f60b", "a\\u4f60b"),
        ("ab\u4f60b", "ab…"),  # no half of an escape
        ("x" * 100_000, "xxxxxxx…"),
    ],
)
def test_long_texts_are_cut(text, shown, only_first_font):
    assert plot_text([text], max_length=8).texts == [shown]


def drawn(text, *, is_literal):
    figure = new_figure(5, 1, dpi=80)
    texts, families = plot_text([text]) if is_literal else ([text], ["DejaVu Sans"])
    label = figure.text(0.02, 0.4, texts[0])
    if is_literal:
        write_literally([label], families)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0]


def test_a_dollar_is_no_formula():
    assert not np.array_equal(drawn("costs $5 to $10", is_literal=True), drawn("costs $5 to $10", is_literal=False))
    assert np.array_equal(drawn("costs 5", is_literal=True), drawn("costs 5", is_literal=False))
    assert (drawn("Ba$$in_x^", is_literal=True) < 128).any()


@pytest.mark.parametrize("text", [*KNOWN, *UNKNOWN, "跳舞 💃 café", "👩\u200d🚀", "\ufffd\uffff"])
def test_no_letter_is_missing(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (drawn(text, is_literal=True) < 128).any()
