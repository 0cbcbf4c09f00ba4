"""Text as pixels: cut where it is too long, in letters of any script, escaped where no font has them."""

import numpy as np
import pytest

from stvit_video.utils import plot_text
from stvit_video.visualization.text_image import draw_text, letter_pixels, name_fits, named_value_image, text_image


def ink(text, *, size=16, width=2000, **settings):
    return text_image(text, size_pixels=size, max_width_pixels=width, **settings)


def test_text_has_ink_within_a_margin():
    image = ink("platelet 0.93")
    assert image.dtype == np.uint8
    assert image.max() > 200
    assert not image[:, :2].any()
    assert not image[:, -2:].any()
    assert 14 <= image.shape[0] <= 28


@pytest.mark.parametrize("text", ["x" * 200, "Ünïcødé " * 30, "قفز " * 40])
@pytest.mark.parametrize("width", [40, 100, 333])
def test_a_long_text_fits(text, width):
    image = ink(text, width=width, max_length=250)
    assert 0 < image.shape[1] <= width
    assert image.any()


def test_where_nothing_fits_there_is_nothing():
    assert ink("cell", width=5).shape[1] == 0
    assert ink("").shape[1] == 0


def test_a_text_of_many_letters_is_cut():
    assert ink("i" * 200, max_length=10).shape == ink("i" * 9 + "…").shape


def test_what_no_font_has_stands_as_an_escape(monkeypatch):
    monkeypatch.setattr(plot_text, "_other_families", tuple)
    text_image.cache_clear()
    assert np.array_equal(ink("\u4f60"), ink("\\u4f60"))
    text_image.cache_clear()


def test_letters_come_from_the_font_that_has_them(monkeypatch):
    """STIXGeneral comes with matplotlib, and has letters that DejaVu Sans lacks."""
    letters = plot_text._letters("STIXGeneral") - plot_text._letters("DejaVu Sans")
    letter = next(
        chr(code) for code in sorted(letters) if chr(code).isalpha() and plot_text._is_drawn("STIXGeneral", chr(code))
    )
    monkeypatch.setattr(plot_text, "_other_families", lambda: ("STIXGeneral",))
    text_image.cache_clear()
    mixed = ink(f"a{letter}b")
    assert mixed.shape[1] > ink("ab").shape[1]
    assert not np.array_equal(mixed, ink("a\ufffdb"))
    text_image.cache_clear()


def test_the_cached_image_can_not_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        ink("cell")[0, 0] = 1


def test_letters_grow_with_the_picture_within_limits():
    assert [letter_pixels(*size) for size in ((64, 48), (1080, 1920), (9000, 9000))] == [11, 27, 64]


def test_a_value_is_never_cut_and_its_name_is():
    value = text_image("0.83", size_pixels=12, max_width_pixels=200)
    both = named_value_image("n" * 300, "0.83", size_pixels=12, max_width_pixels=120)
    assert value.shape[1] < both.shape[1] <= 120
    assert (both[:, -value.shape[1] :] == value).all()
    assert (named_value_image("n", "0.83", size_pixels=12, max_width_pixels=4) == value[:, :0]).all()
    alone = named_value_image("name", "", size_pixels=12, max_width_pixels=200)
    assert (alone == text_image("name", size_pixels=12, max_width_pixels=200, max_length=40)).all()


@pytest.mark.parametrize(("name", "least"), [("background", 6), ("mmmmmmmm", 3), ("ill", 3), ("n" * 60, 20)])
def test_a_name_fits_from_the_width_on_at_which_its_first_letters_are_seen(name, least):
    """Compared with the picture of the beginning that must be seen."""
    begun = name if len(name) <= least else name[:least] + "…"
    width = ink(begun, size=9).shape[1]
    found = [name_fits(name, size_pixels=9, max_width_pixels=width + more, least_letters=least) for more in (-2, 0, 9)]
    assert found == [False, True, True]


def test_a_drawn_line_is_its_picture_in_ink_at_its_place():
    canvas = np.full((40, 200, 3), 255, dtype=np.uint8)
    end = draw_text(canvas, "right", value=" 0.83", top=7, left=11, size_pixels=16, max_width_pixels=150, ink=55)
    image = named_value_image("right", " 0.83", size_pixels=16, max_width_pixels=150)
    assert end == 11 + image.shape[1]
    part = canvas[7 : 7 + image.shape[0], 11:end, 1]
    np.testing.assert_allclose(part, 255 - 200 * (image / 255.0), atol=1)
    canvas[7 : 7 + image.shape[0], 11:end] = 255
    assert (canvas == 255).all()


def test_a_line_beyond_the_canvas_is_cut_off():
    canvas = np.zeros((15, 13, 3), dtype=np.uint8)
    draw_text(canvas, "cell", top=4, left=5, size_pixels=16, max_width_pixels=150, ink=255)
    assert canvas[4:, 5:].any()
    assert not canvas[:4].any()
    assert not canvas[:, :5].any()
