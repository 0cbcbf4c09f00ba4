from math import floor

import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image

from stvit_video.dense.paste import paste_masks

SIZE = (37, 53)
BOXES = torch.tensor(
    [
        [3.2, 4.9, 20.1, 30.3],
        [-6.0, -8.5, 12.0, 9.0],
        [40.0, 20.0, 70.0, 50.0],
        [10.4, 10.6, 11.1, 11.2],
        [0, 0, 53, 37],
    ]
)


def by_the_definition(mask, box, threshold):
    """Every pixel's centre looked up in the mask, bilinearly between the centres of its cells, 0 outside."""
    cells = len(mask)
    x1, y1, x2, y2 = box.tolist()
    pasted = torch.zeros(SIZE, dtype=torch.bool)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            v = (row + 0.5 - y1) / (y2 - y1) * cells - 0.5
            u = (column + 0.5 - x1) / (x2 - x1) * cells - 0.5
            total = 0.0
            for i in (floor(v), floor(v) + 1):
                for j in (floor(u), floor(u) + 1):
                    if 0 <= i < cells and 0 <= j < cells:
                        total += (1 - abs(v - i)) * (1 - abs(u - j)) * mask[i, j].item()
            pasted[row, column] = total >= threshold
    return pasted


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_pasted_masks_by_the_definition(threshold):
    torch.manual_seed(0)
    masks = torch.rand(len(BOXES), 6, 6)
    found = paste_masks(masks, BOXES, size=SIZE, threshold=threshold)
    wanted = torch.stack([by_the_definition(mask, box, threshold) for mask, box in zip(masks, BOXES, strict=True)])
    assert (found != wanted).sum() == 0
    assert wanted[0].any()


def test_a_full_mask_fills_the_pixels_whose_centres_are_in_its_box():
    pasted = paste_masks(torch.ones(1, 28, 28), torch.tensor([[2.6, 3.4, 9.4, 6.6]]), size=(10, 12))[0]
    wanted = torch.zeros(10, 12, dtype=torch.bool)
    wanted[3:7, 3:9] = True
    assert torch.equal(pasted, wanted)


def test_the_other_rule_is_torchvisions():
    torch.manual_seed(0)
    masks = torch.rand(len(BOXES), 28, 28)
    wanted = paste_masks_in_image(masks[:, None], BOXES, SIZE)[:, 0] > 0.5
    assert torch.equal(paste_masks(masks, BOXES, size=SIZE, exact=False), wanted)


@pytest.mark.parametrize("exact", [True, False])
def test_no_masks(exact):
    assert paste_masks(torch.zeros(0, 28, 28), torch.zeros(0, 4), size=SIZE, exact=exact).shape == (0, *SIZE)


def test_a_box_outside_the_picture_has_no_pixels():
    assert not paste_masks(torch.ones(1, 28, 28), torch.tensor([[60.0, 5.0, 70.0, 9.0]]), size=SIZE).any()
