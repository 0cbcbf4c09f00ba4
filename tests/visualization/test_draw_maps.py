"""A label map on a picture, against a loop over pixels."""

import colorsys

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


def test_a_pixel_is_colour_over_grey_and_darker_at_a_border():
    picture, labels = blocks()
    before, drawn = picture.copy(), draw_map(picture, labels)
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            grey = picture[row, column] @ np.array([0.299, 0.587, 0.114])
            if label == 255:
                assert np.abs(drawn[row, column] - grey).max() <= 1.5
                continue
            expected = 0.65 * np.array(class_colour(int(label))) + 0.35 * grey
            below = row + 1 < height and labels[row + 1, column] != label
            beside = column + 1 < width and labels[row, column + 1] != label
            expected = expected / 2 if below or beside else expected
            assert np.abs(drawn[row, column] - expected).max() <= 2  # each step rounds down
    assert (picture == before).all()


@pytest.mark.parametrize("pixel", [(0, 0, 0), (255, 255, 255), (250, 20, 20), (20, 250, 20), (20, 20, 250)])
@pytest.mark.parametrize("label", [0, 1, 7, 40])
def test_a_hue_is_that_of_the_class_whatever_the_picture(pixel, label):
    drawn = draw_map(np.full((4, 5, 3), pixel, dtype=np.uint8), np.full((4, 5), label, dtype=np.uint8))
    hues = [colorsys.rgb_to_hsv(*(int(x) / 255 for x in colour))[0] for colour in (drawn[2, 2], class_colour(label))]
    assert hues[0] == pytest.approx(hues[1], abs=0.01)


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
