from math import sqrt

import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from stvit_video.dense.anchors import anchors_over, cell_anchors, grid_anchors, octave_sides, steps


def test_anchors_by_the_definition():
    sides, ratios, grid, step = (32.0, 45.0), (0.5, 1.0, 2.0, 3.0), (3, 5), (16, 8)
    wanted = []
    for row in range(grid[0]):
        for column in range(grid[1]):
            for ratio in ratios:
                for side in sides:
                    width, height = side / sqrt(ratio), side * sqrt(ratio)
                    x, y = column * step[1], row * step[0]
                    wanted.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    found = grid_anchors(cell_anchors(sides, ratios), grid=grid, step=step)
    torch.testing.assert_close(found, torch.tensor(wanted))


def test_a_published_anchor():
    """Half sides of 22.627 x 11.314 at scale 8, stride 4 and ratio 1/2; rounded they are 23 and 11."""
    torch.testing.assert_close(cell_anchors([32], [0.5])[0, 2:], torch.tensor([22.627417, 11.313708]))
    assert cell_anchors([32], [0.5], rounded=True)[0].tolist() == [-23, -11, 23, 11]


def test_torchvisions_rule_equals_torchvisions_generator():
    grids, picture, strides = [(25, 40), (13, 20), (7, 10), (4, 5), (2, 3)], (200, 320), (8, 16, 32, 64, 128)
    sides = [octave_sides(stride, scale=4, num_sides=3, rounded=True) for stride in strides]
    assert sides[0] == [32, 40, 50]
    theirs = AnchorGenerator(tuple(tuple(int(side) for side in level) for level in sides), ((0.5, 1.0, 2.0),) * 5)
    images = ImageList(torch.zeros(1, 3, *picture), [picture])
    wanted = theirs(images, [torch.zeros(1, 1, *grid) for grid in grids])[0]
    found = []
    for level, grid, stride in zip(sides, grids, strides, strict=True):
        step = steps(grid, stride=stride, picture=picture, of_picture=True)
        found.append(grid_anchors(cell_anchors(level, (0.5, 1.0, 2.0), rounded=True), grid=grid, step=step))
    assert torch.equal(torch.cat(found), wanted)


def test_steps_of_the_coarsest_level():
    """At 800 pixels there are 13 rows of stride 64: torchvision's are 61 apart."""
    assert steps((13, 21), stride=64, picture=(800, 1344), of_picture=False) == (64, 64)
    assert steps((13, 21), stride=64, picture=(800, 1344), of_picture=True) == (61, 64)


def test_sides_within_an_octave():
    assert octave_sides(8, scale=4, num_sides=3) == pytest.approx([32, 32 * 2 ** (1 / 3), 32 * 2 ** (2 / 3)])
    assert octave_sides(16, scale=8, num_sides=1) == [128]


def test_anchors_over_the_picture():
    grids, strides = [(3, 4), (2, 2)], [8, 16]
    over = anchors_over((9, 20), grids=grids, strides=strides, num_anchors=3)
    wanted = [
        row * stride < 9 and column * stride < 20
        for (rows, columns), stride in zip(grids, strides, strict=True)
        for row in range(rows)
        for column in range(columns)
        for _ in range(3)
    ]
    assert over.tolist() == wanted
