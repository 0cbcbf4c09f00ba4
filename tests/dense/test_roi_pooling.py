from math import ceil, floor, log2, sqrt

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from stvit_video.dense.roi_pooling import pool_regions, region_levels

STRIDES = (4, 8, 16)


def bilinear(features, y, x):
    """Features (C, H, W) at a point in cells; 0 more than a cell outside, and the edge's value up to there."""
    height, width = features.shape[1:]
    if y < -1 or y > height or x < -1 or x > width:
        return torch.zeros(len(features))
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = floor(y), floor(x)
    low, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    upper = features[:, top, left] * (1 - dx) + features[:, top, right] * dx
    lower = features[:, low, left] * (1 - dx) + features[:, low, right] * dx
    return upper * (1 - dy) + lower * dy


def pooled_by_the_definition(features, box, stride, cells, *, aligned, num_samples):
    shift = 0.5 if aligned else 0.0
    x1, y1, x2, y2 = (value / stride - shift for value in box)
    width, height = x2 - x1, y2 - y1
    if not aligned:
        width, height = max(width, 1.0), max(height, 1.0)
    rows, columns = num_samples or ceil(height / cells), num_samples or ceil(width / cells)
    result = torch.zeros(len(features), cells, cells)
    for i in range(cells):
        for j in range(cells):
            for a in range(rows):
                for b in range(columns):
                    y = y1 + (i + (a + 0.5) / rows) * height / cells
                    x = x1 + (j + (b + 0.5) / columns) * width / cells
                    result[:, i, j] += bilinear(features, y, x) / (rows * columns)
    return result


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("num_samples", [0, 2, 3])
def test_pooled_regions_by_the_definition(aligned, num_samples):
    torch.manual_seed(0)
    maps = [torch.randn(2, 3, 60 // s + 9, 80 // s + 7) for s in STRIDES]
    boxes = [
        torch.tensor([[3.0, 5.0, 41.0, 30.5], [0.0, 0.0, 150.0, 130.0]]),
        torch.tensor([[-9.0, 2.0, 250.0, 290.0]]),
    ]
    found = pool_regions(maps, boxes, strides=STRIDES, output_size=3, aligned=aligned, num_samples=num_samples)
    wanted = []
    for picture, part in enumerate(boxes):
        for box in part.tolist():
            level = min(2, max(0, floor(log2(sqrt((box[2] - box[0]) * (box[3] - box[1])) / 56))))
            features = maps[level][picture]
            rules = {"aligned": aligned, "num_samples": num_samples}
            wanted.append(pooled_by_the_definition(features, box, STRIDES[level], 3, **rules))
    torch.testing.assert_close(found, torch.stack(wanted), rtol=1e-4, atol=1e-5)


def test_levels_change_where_sides_double():
    sides = torch.tensor([1.0, 55, 111.9, 112, 223.9, 224, 447.9, 448, 5000])
    boxes = torch.stack([torch.zeros(9), torch.zeros(9), sides / 2, sides * 2], dim=1)
    assert region_levels(boxes, num_levels=4).tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3]


def test_the_other_rule_equals_torchvisions_pooling():
    torch.manual_seed(0)
    maps = [torch.randn(2, 5, 256 // s, 384 // s) for s in (4, 8, 16, 32)]
    corners = torch.rand(2, 30, 2) * 150
    boxes = list(torch.cat([corners, corners + 2 + torch.rand(2, 30, 2) ** 3 * 220], dim=2))
    theirs = MultiScaleRoIAlign([str(i) for i in range(4)], 7, 2)
    wanted = theirs({str(i): features for i, features in enumerate(maps)}, boxes, [(256, 384)] * 2)
    found = pool_regions(maps, boxes, strides=(4, 8, 16, 32), output_size=7, aligned=False)
    torch.testing.assert_close(found, wanted)


def test_no_regions_keep_the_gradient():
    maps = [torch.randn(2, 3, 8, 8, requires_grad=True)]
    pooled = pool_regions(maps, [torch.zeros(0, 4)] * 2, strides=(4,), output_size=7)
    assert pooled.shape == (0, 3, 7, 7)
    pooled.sum().backward()
    assert not maps[0].grad.any()
