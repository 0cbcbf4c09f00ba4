"""A label map on a picture, against a loop over pixels."""

import numpy as np
import pytest

from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.draw_maps import class_shares, draw_map

NAMES = ("sky", "sea", "ship", "shore")


def blocks(size=(19, 27), seed=0):
    """A picture, and labels in blocks of 5 pixels, some of them not counted."""
    draw = np.random.default_rng(seed)
    coarse = draw.choice([0, 1, 2, 3, 255], (size[0] // 5 + 1, size[1] // 5 + 1)).astype(np.uint8)
    labels = np.kron(coarse, np.ones((5, 5), dtype=np.uint8))[: size[0], : size[1]]
    return draw.integers(0, 256, (*size, 3), dtype=np.uint8), labels


def test_a_pixel_is_half_picture_and_half_colour_and_darker_at_a_border():
    picture, labels = blocks()
    before, drawn = picture.copy(), draw_map(picture, labels)
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 255:
                assert (drawn[row, column] == picture[row, column]).all()
                continue
            expected = (picture[row, column].astype(float) + class_colour(int(label))) / 2
            below = row + 1 < height and labels[row + 1, column] != label
            beside = column + 1 < width and labels[row, column + 1] != label
            expected = expected / 2 if below or beside else expected
            assert np.abs(drawn[row, column] - expected).max() <= 1.5
    assert (picture == before).all()


def test_borders_grow_with_the_picture():
    labels = np.zeros((1400, 1300), dtype=np.uint8)
    labels[700:] = 1
    drawn = draw_map(np.full((1400, 1300, 3), 200, dtype=np.uint8), labels)
    light = drawn[:, 5].astype(int).sum(axis=1)
    dark = np.flatnonzero(light < min(light[0], light[-1]) * 0.7)
    assert dark.tolist() == [699, 700]


@pytest.mark.parametrize(
    ("picture", "labels", "message"),
    [
        (np.zeros((4, 5), dtype=np.uint8), np.zeros((4, 5), dtype=np.uint8), r"picture must be \(H, W, 3\) uint8"),
        (np.zeros((4, 5, 3), dtype=np.uint8), np.zeros((5, 4), dtype=np.uint8), r"labels must be \(4, 5\) .*\(5, 4\)"),
        (np.zeros((4, 5, 3), dtype=np.uint8), np.zeros((4, 5), dtype=np.int64), "got .* int64; give a map"),
    ],
)
def test_what_does_not_fit_is_refused(picture, labels, message):
    with pytest.raises(ValueError, match=message):
        draw_map(picture, labels)


def test_shares_are_those_of_a_loop_the_largest_first():
    _, labels = blocks()
    counts = {name: sum(int(x == n) for x in labels.ravel()) for n, name in enumerate(NAMES)}
    shares = class_shares(labels, names=NAMES)
    assert shares == {name: count / labels.size for name, count in counts.items() if count}
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert sum(shares.values()) == pytest.approx(1 - (labels == 255).mean())
    assert list(class_shares(np.array([[2, 1]], dtype=np.uint8), names=NAMES)) == ["sea", "ship"]
    with pytest.raises(ValueError, match="label 4 has no name; names has 4"):
        class_shares(np.array([[4, 1]], dtype=np.uint8), names=NAMES)
