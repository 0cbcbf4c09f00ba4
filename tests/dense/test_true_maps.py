import math

import pytest
import torch
from torch.nn import functional as F

from stvit_video.dense.true_maps import NOT_COUNTED, checked_maps, map_loss

PICTURES = torch.zeros(2, 3, 6, 7)


def labels():
    return torch.randint(0, 5, (2, 6, 7), generator=torch.Generator().manual_seed(0))


def test_padding_is_not_counted_and_the_callers_map_stays():
    given = labels()
    before = given.clone()
    kept = checked_maps(given, [(6, 7), (4, 5)], pictures=PICTURES, num_classes=5)
    assert torch.equal(given, before)
    assert torch.equal(kept[0], before[0])
    assert torch.equal(kept[1, :4, :5], before[1, :4, :5])
    assert (kept[1] == NOT_COUNTED).sum() == 6 * 7 - 4 * 5
    assert checked_maps(given, [(6, 7), (6, 7)], pictures=PICTURES, num_classes=5) is given


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda maps: maps[:1], r"\(1, 6, 7\) and torch.int64; give \(2, 6, 7\) in int64"),
        (lambda maps: maps.to(torch.uint8), "torch.uint8; give .*int64"),
        (lambda maps: maps[..., None], r"\(2, 6, 7, 1\)"),
        (lambda maps: torch.where(maps == maps[1, 2, 3], 5, maps), "label 5 "),
        (lambda maps: torch.cat([maps[:1], maps[1:] - 1]), "label -1 in the map of picture 1 "),
    ],
)
def test_maps_that_do_not_fit(change, match):
    with pytest.raises(ValueError, match=match):
        checked_maps(change(labels()), [(6, 7), (6, 7)], pictures=PICTURES, num_classes=5)


def test_a_wrong_label_below_padding_is_no_error():
    maps = labels()
    maps[1, 5, 6] = 77
    assert checked_maps(maps, [(6, 7), (5, 7)], pictures=PICTURES, num_classes=5)[1, 5, 6] == NOT_COUNTED
    with pytest.raises(ValueError, match="label 77 in the map of picture 1 .*0 to 4"):
        checked_maps(maps, [(6, 7), (6, 7)], pictures=PICTURES, num_classes=5)


def slow_loss(logits, maps, *, of_all_pixels):
    """The mean of -log of the probability of the true class, pixel by pixel."""
    terms, pixels = [], 0
    for picture, row in zip(logits.tolist(), maps.tolist(), strict=True):
        for y, line in enumerate(row):
            for x, label in enumerate(line):
                pixels += 1
                if label != NOT_COUNTED:
                    values = [channel[y][x] for channel in picture]
                    terms.append(math.log(sum(map(math.exp, values))) - values[label])
    return sum(terms) / (pixels if of_all_pixels else len(terms))


def test_the_loss_of_the_pixels_that_are_counted():
    logits, maps = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(1)), labels()
    maps[0, 2:] = maps[1, :, 3] = NOT_COUNTED
    for of_all_pixels in (False, True):
        found = map_loss(logits, maps, of_all_pixels=of_all_pixels)
        assert math.isclose(float(found), slow_loss(logits, maps, of_all_pixels=of_all_pixels), rel_tol=1e-5)
    torch.testing.assert_close(
        map_loss(logits, maps, of_all_pixels=False), F.cross_entropy(logits, maps, ignore_index=NOT_COUNTED)
    )


def test_nothing_is_counted():
    logits = torch.randn(2, 5, 6, 7, requires_grad=True)
    for of_all_pixels in (False, True):
        loss = map_loss(logits, torch.full((2, 6, 7), NOT_COUNTED), of_all_pixels=of_all_pixels)
        assert float(loss.detach()) == 0
        (gradient,) = torch.autograd.grad(loss, logits)
        assert (gradient == 0).all()
