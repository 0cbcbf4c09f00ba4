"""Places of labels: near their box, in the picture, on no other label."""

import numpy as np

from stvit_video.visualization.label_places import LabelPlaces

SIZE = {"height": 10, "width": 30}  # of a label


def test_above_then_below_then_within():
    places = LabelPlaces(height=100, width=200)
    box = (50, 40, 120, 80)
    assert [places.take(box, **SIZE) for _ in range(4)] == [(30, 50), (81, 50), (40, 50), (71, 50)]
    assert places.take(box, **SIZE) == (30, 91)  # then at the right end


def test_no_label_covers_more_than_a_quarter_of_a_box_that_is_to_stay_visible():
    other, box = (60, 20, 90, 39), (50, 40, 120, 49)  # above the box is another object
    assert LabelPlaces(height=100, width=200).take(box, **SIZE) == (30, 50)
    places = LabelPlaces(height=100, width=200, visible=[other, box])
    assert places.take(box, **SIZE) == (50, 50)
    assert LabelPlaces(height=20, width=30, visible=[(0, 0, 29, 19)]).take((0, 0, 29, 19), **SIZE) is None


def test_at_the_rim_it_stays_in_the_picture():
    assert LabelPlaces(height=100, width=200).take((190, 3, 199, 50), **SIZE) == (51, 170)
    assert LabelPlaces(height=100, width=200).take((0, 0, 199, 99), **SIZE) == (0, 0)


def test_a_small_picture_has_no_place():
    assert LabelPlaces(height=9, width=200).take((0, 0, 5, 5), **SIZE) is None
    assert LabelPlaces(height=100, width=29).take((0, 0, 5, 5), **SIZE) is None
    assert LabelPlaces(height=100, width=200).take((0, 0, 5, 5), height=10, width=0) is None


def test_no_two_labels_share_a_pixel():
    places, taken = LabelPlaces(height=90, width=140), np.zeros((90, 140), dtype=int)
    draw, num_placed = np.random.default_rng(0), 0
    for _ in range(200):
        left, top = draw.integers(0, 130), draw.integers(0, 80)
        place = places.take((left, top, left + draw.integers(0, 10), top + draw.integers(0, 10)), **SIZE)
        if place is not None:
            taken[place[0] : place[0] + 10, place[1] : place[1] + 30] += 1
            num_placed += 1
    assert taken.max() == 1
    assert taken.sum() == num_placed * 300 > 3000
