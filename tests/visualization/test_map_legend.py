"""Legends: every colour is there, long ones take more rows, nothing is written outside."""

import numpy as np
import pytest

from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.map_legend import LegendEntry, corner_legend, corner_letter_pixels, legend_strip
from stvit_video.visualization.text_image import letter_pixels


def entries(count, length=5):
    return [LegendEntry("n" * length, label, f"{label} %") for label in range(count)]


def has_colour(pixels, label):
    return bool((pixels == class_colour(label)).all(-1).sum() > 30)


@pytest.mark.parametrize("width", [90, 300, 2000])
def test_a_strip_has_every_colour_in_as_many_rows_as_it_needs(width):
    strip = legend_strip(entries(9), width=width, letter_pixels=11)
    assert strip.shape[1:] == (width, 3)
    assert all(has_colour(strip, label) for label in range(9))
    assert not has_colour(strip, 9)
    assert (strip[:, :2] == 255).all()
    assert (strip[:, -2:] == 255).all()
    rows = {90: 9, 300: None, 2000: 1}[width]
    one = len(legend_strip(entries(1), width=width, letter_pixels=11))
    gap = 6  # half a letter, at both ends and between rows
    assert rows is None or len(strip) == rows * (one - gap) + gap


def test_entries_stand_in_their_order():
    strip = legend_strip([LegendEntry("b", 3), LegendEntry("a", 1)], width=400, letter_pixels=12)
    places = [np.argwhere((strip == class_colour(label)).all(-1))[:, 1].min() for label in (3, 1)]
    assert places == sorted(places)


def test_more_than_the_most_are_counted():
    few, many = (legend_strip(entries(count), width=2000, letter_pixels=11, most=4) for count in (4, 40))
    assert len(few) == len(many)
    assert not has_colour(many, 4)
    assert (many < 255).any(axis=(0, 2)).sum() > (few < 255).any(axis=(0, 2)).sum() + 30  # "and 36 more"


def test_a_long_name_is_cut_and_its_value_stays():
    texts = [LegendEntry("n" * length, 0, "12 %") for length in (200, 300)]
    one, other = (legend_strip([entry], width=150, letter_pixels=11) for entry in texts)
    assert (one == other).all()
    assert (one != legend_strip([texts[0]._replace(value="13 %")], width=150, letter_pixels=11)).any()


def test_no_colour_is_hatched_and_nothing_is_no_strip():
    strip = legend_strip([LegendEntry("not counted", None)], width=200, letter_pixels=12)
    assert {120, 210} <= set(np.unique(strip[:, :20]))
    assert legend_strip([], width=200, letter_pixels=12).shape == (0, 200, 3)


def test_a_corner_takes_no_more_than_its_part():
    picture = np.full((100, 300, 3), 250, dtype=np.uint8)
    corner_legend(picture, entries(30, length=100), letter_pixels=11)
    changed = np.argwhere((picture != 250).any(-1))
    assert 20 < changed[:, 0].max() < 50
    assert 50 < changed[:, 1].max() < 150
    assert has_colour(picture, 0)
    assert not has_colour(picture, 29)


@pytest.mark.parametrize("size", [(8, 8), (1, 500), (500, 1)])
def test_a_corner_of_a_tiny_picture_stays_as_it_is(size):
    picture = np.full((*size, 3), 250, dtype=np.uint8)
    corner_legend(picture, entries(3), letter_pixels=11)
    assert (picture == 250).all()
    corner_legend(picture, [], letter_pixels=11)


def drawn_rows(count, letter_pixels, size=(100, 140)):
    picture = np.full((*size, 3), 250, dtype=np.uint8)
    corner_legend(picture, [LegendEntry("abc", label) for label in range(count)], letter_pixels=letter_pixels)
    return picture


def test_what_does_not_fit_into_a_corner_is_counted():
    fits, three, others = (drawn_rows(count, 9) for count in (3, 4, 13))
    assert [has_colour(fits, label) for label in range(4)] == [True, True, True, False]
    assert [has_colour(three, label) for label in range(4)] == [True, True, False, False]
    changed = [int((picture != 250).any((1, 2)).sum()) for picture in (fits, three, others)]
    assert len(set(changed)) == 1  # as many rows
    row = changed[0] // 3
    last = slice(changed[0] - row, changed[0])
    assert (three[: last.start] == others[: last.start]).all()
    assert (three[last] != others[last]).any()  # +2 and +11


@pytest.mark.parametrize("size", [(100, 140), (120, 160), (240, 320), (480, 854), (2160, 3840)])
def test_in_a_corner_three_names_can_be_read(size):
    names = ("ground", "triangle", "background")
    letters = corner_letter_pixels(*size, names=names)
    assert 8 <= letters <= letter_pixels(*size)
    picture = drawn_rows(3, letters, size)
    assert all(has_colour(picture, label) for label in range(3))
    assert not (picture[size[0] // 2 + 1 :] != 250).any()


def test_letters_become_smaller_before_a_legend_is_left_out():
    few, many = (corner_letter_pixels(100, 140, names=names) for names in (("ab",), ("ab", "cd", "background")))
    assert letter_pixels(100, 140) == few == 11
    assert 8 <= many < 11
    assert corner_letter_pixels(140, 100, names=("ab", "cd", "background")) is None  # too narrow
    assert corner_letter_pixels(40, 600, names=("ab", "cd", "ef")) is None  # too low for three rows
    assert corner_letter_pixels(100, 140, names=("ab", "W" * 40)) is None  # not even 6 letters of the second


def test_an_entry_may_have_a_colour_that_no_class_has():
    strip = legend_strip([LegendEntry("13", None, "+0.41", (45, 240, 135))], width=200, letter_pixels=12)
    assert (strip == (45, 240, 135)).all(axis=-1).sum() >= 12 * 12
