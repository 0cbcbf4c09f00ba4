"""Pairs in rows of three, each with its titles, whatever their sizes."""

import numpy as np
import pytest
from PIL import Image

from stvit_video.visualization.paired_sheet import (
    GAP_PIXELS,
    HALF_PIXELS,
    PAIR_PIXELS,
    TITLE_PIXELS,
    Pair,
    fitted_size,
    paired_sheet,
    resized_picture,
    save_sheet,
)


def pair(level, size):
    halves = [np.full((*fitted_size(*size), 3), level + n, dtype=np.uint8) for n in (0, 1)]
    return Pair("title", lambda: (("left", halves[0]), ("right", halves[1])))


def test_pairs_stand_side_by_side_in_rows_as_high_as_their_highest():
    sheet = paired_sheet([pair(10, (100, 50)), pair(20, (50, 100)), pair(30, (7, 7)), pair(40, (10, 100))])
    first, second = (TITLE_PIXELS + side + GAP_PIXELS for side in (HALF_PIXELS, 32))
    assert sheet.shape == (first + second, 3 * PAIR_PIXELS, 3)
    for number, (height, width) in enumerate([(320, 160), (160, 320), (320, 320), (32, 320)]):
        top = TITLE_PIXELS + (first if number == 3 else 0)
        for half in (0, 1):
            left = number % 3 * PAIR_PIXELS + GAP_PIXELS + half * (HALF_PIXELS + GAP_PIXELS)
            part = sheet[top : top + height, left : left + width]
            assert (part == 10 * (number + 1) + half).all()
            assert (sheet[top - TITLE_PIXELS : top, left : left + 60] < 100).any()  # a title


@pytest.mark.parametrize("error", [OSError, RuntimeError, ValueError])
def test_a_pair_that_can_not_be_drawn_has_its_reason(error):
    def broken():
        raise error("a.jpg is gone")

    sheet = paired_sheet([Pair("worst", broken), pair(10, (4, 5))])
    assert (sheet[TITLE_PIXELS : HALF_PIXELS // 2, GAP_PIXELS : 2 * HALF_PIXELS] == 225).all()
    assert (sheet[:TITLE_PIXELS, :PAIR_PIXELS] < 100).any()


@pytest.mark.parametrize(("size", "fitted"), [((640, 480), (320, 240)), ((1, 1000), (1, 320)), ((9, 3), (320, 107))])
def test_the_long_side_is_that_of_the_sheet(size, fitted):
    assert fitted_size(*size) == fitted
    assert resized_picture(np.zeros((*size, 3), dtype=np.uint8)).shape == (*fitted, 3)


def test_a_sheet_is_written_in_one_step(tmp_path):
    sheet = paired_sheet([pair(10, (4, 5))])
    save_sheet(tmp_path / "a.png", sheet)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
