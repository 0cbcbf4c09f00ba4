import numpy as np
import pytest

from stvit_video.data.synthetic.shapes import SHAPE_CLASSES, draw_shapes

H, W = 61, 84


def draw(seed, num_shapes=5):
    return draw_shapes(rng=np.random.default_rng(seed), num_shapes=num_shapes, height=H, width=W)


def test_boxes_are_the_smallest_around_masks_that_do_not_overlap():
    for seed in range(8):
        drawn = draw(seed)
        assert drawn.picture.shape == (H, W, 3)
        assert drawn.masks.sum(0).max() <= 1
        assert len(drawn.masks) == len(drawn.labels) > 0
        for mask, (x, y, width, height) in zip(drawn.masks, drawn.boxes(), strict=True):
            rows, columns = np.nonzero(mask)
            assert (x, y) == (columns.min(), rows.min())
            assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)
            assert mask.sum() >= 4


def test_a_seed_gives_one_picture_and_another_seed_another():
    assert np.array_equal(draw(3).picture, draw(3).picture)
    assert not np.array_equal(draw(3).picture, draw(4).picture)
    empty = draw(3, num_shapes=0)
    assert empty.masks.shape == (0, H, W)
    assert empty.boxes().shape == (0, 4)


def test_shapes_differ_from_the_ground_and_classes_by_how_they_fill_their_box():
    fills = {name: [] for name in SHAPE_CLASSES}
    contrasts = []
    for seed in range(60):
        drawn = draw(seed, num_shapes=1)
        if not len(drawn.labels):
            continue
        mask, [box] = drawn.masks[0], drawn.boxes()
        inner = box[0] > 0 and box[1] > 0 and box[0] + box[2] < W and box[1] + box[3] < H
        contrasts.append(np.abs(drawn.picture[mask].mean(0) - drawn.picture[~mask].mean(0)).max())
        if inner:
            fills[SHAPE_CLASSES[drawn.labels[0]]].append(mask.sum() / (box[2] * box[3]))
    assert min(contrasts) > 25
    assert np.mean(fills["disc"]) == pytest.approx(np.pi / 4, abs=0.06)
    assert np.mean(fills["triangle"]) < 0.6 < np.mean(fills["square"])
