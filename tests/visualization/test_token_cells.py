"""Cells over pixels: sizes, places of a box, nearest cells, colours and outlines, against loops and cases by hand."""

import numpy as np
import pytest
from made_tokens import made_clip

from stvit_video.visualization.token_cells import (
    Box,
    cells_to_pixels,
    draw_box,
    grey_picture,
    shown_frame,
    shown_size,
    tinted,
)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((64, 64), (288, 288)),  # small: enlarged
        ((33, 57), (288, 498)),
        ((360, 480), (360, 480)),  # large enough: as it is
        ((361, 483), (360, 484)),  # even sides
        ((720, 1280), (360, 640)),  # too large
        ((10, 1000), (6, 640)),  # the long side counts more
        ((2000, 1), (640, 2)),
    ],
)
def test_shown_sizes_are_even_and_within_limits(size, shown):
    assert shown_size(*size) == shown


def test_the_box_of_what_is_seen_grows_with_the_frame():
    clip = made_clip(num_tokens=3, margin=(3, 8))  # 38 x 48 pixels, of which rows 3 to 35 and columns 8 to 40 are seen
    picture, box = shown_frame(clip, 0, size=(76, 96))
    assert picture.shape == (76, 96, 3)
    assert box == (6, 16, 70, 80)
    own, box = shown_frame(clip, 4, size=(38, 48))
    np.testing.assert_array_equal(own, clip.frames[4])
    assert box == clip.seen
    own[:] = 0  # a copy
    assert clip.frames[4].any()


@pytest.mark.parametrize(
    ("grid", "box"), [((3, 5), Box(2, 1, 33, 48)), ((7, 2), Box(0, 0, 7, 2)), ((6, 6), Box(0, 0, 4, 9))]
)
def test_each_pixel_has_the_cell_that_its_middle_lies_in(grid, box):
    cells = np.arange(grid[0] * grid[1]).reshape(grid)
    pixels = cells_to_pixels(cells, box)
    height, width = box.bottom - box.top, box.right - box.left
    assert pixels.shape == (height, width)
    for row, column in np.ndindex(height, width):
        place = int((row + 0.5) / height * grid[0]), int((column + 0.5) / width * grid[1])
        assert pixels[row, column] == cells[place]


def test_grey_is_dark_outside_of_the_box():
    picture = np.zeros((6, 8, 3), dtype=np.uint8)
    picture[..., 1] = 200  # green: 0.587 of the light
    grey = grey_picture(picture, Box(1, 2, 5, 7))
    assert (grey[1:5, 2:7] == 117).all()
    outside = grey.copy()
    outside[1:5, 2:7] = 0
    assert outside.max() < 117 / 2
    assert (outside[0] > 0).all()
    assert (grey_picture(picture, Box(1, 2, 5, 7), light_within=0.5)[1:5, 2:7] == 59).all()


def test_colours_are_laid_over_in_proportion():
    picture = np.full((1, 3, 3), 100, dtype=np.uint8)
    drawn = tinted(picture, np.array([200, 0, 100]), np.array([[0.0, 0.5, 1.0]]))
    assert drawn.tolist() == [[[100, 100, 100], [150, 50, 100], [200, 0, 100]]]


def test_a_box_has_a_white_line_within_and_a_black_one_around():
    picture = np.full((9, 11, 3), 90, dtype=np.uint8)
    draw_box(picture, Box(2, 3, 7, 9))
    rows = ["".join({0: "b", 90: ".", 255: "w"}[level] for level in row) for row in picture[..., 0].tolist()]
    assert rows == [
        "...........",
        "..bbbbbbbb.",
        "..bwwwwwwb.",
        "..bw....wb.",
        "..bw....wb.",
        "..bw....wb.",
        "..bwwwwwwb.",
        "..bbbbbbbb.",
        "...........",
    ]


def test_a_box_of_the_whole_picture_is_not_drawn_and_one_at_its_edge_is():
    picture = np.full((5, 7, 3), 90, dtype=np.uint8)
    draw_box(picture, Box(0, 0, 5, 7))
    assert (picture == 90).all()
    draw_box(picture, Box(0, 2, 5, 7))
    assert (picture[:, 2] == 255).all()
    assert (picture[:, 1] == 0).all()
    assert (picture[:, 0] == 90).all()
