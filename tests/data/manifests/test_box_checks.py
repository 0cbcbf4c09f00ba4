import numpy as np
import pytest

from stvit_video.data.manifests.box_checks import check_boxes

H, W = 40, 70


def boxes(*rows, good=0):
    """Some rows, and so many good boxes behind them."""
    return np.array([*rows, *([[5, 6, 20, 10]] * good)], dtype=np.float64)


def check(bbox):
    sizes = np.tile([[float(H), float(W)]], (len(bbox), 1))
    return check_boxes(bbox, sizes, [f"n{row}" for row in range(len(bbox))])


def test_good_boxes_pass_also_at_the_border():
    sound, found = check(boxes([0, 0, W, H], [69.5, 39.5, 0.5, 0.5], [-0.5, 0, 3, H + 0.9], good=1))
    assert sound.all()
    assert not found.faults
    assert not found.warnings
    assert check(np.zeros((0, 4)))[0].shape == (0,)


BAD = [
    ([1, 2, 0, 5], "width or height of 0"),
    ([1, 2, 5, -3], "width or height of 0"),
    ([1, float("nan"), 5, 5], "finite"),
    ([1, 2, float("inf"), 5], "finite"),
    ([-9, 2, 9, 5], "outside"),
    ([1, -20, 5, 19], "outside"),
]


@pytest.mark.parametrize(("row", "what"), BAD)
def test_boxes_without_an_area_in_the_picture_are_faults_where_they_are_many(row, what):
    sound, found = check(boxes(row, good=9))
    assert sound.tolist() == [False] + [True] * 9
    assert not found.warnings
    assert len(found.faults) == 1
    assert what in found.faults[0]
    assert "1 of 10 boxes" in found.faults[0]
    assert "first: annotation n0" in found.faults[0]
    assert "[x, y, width, height]" in found.faults[0]


@pytest.mark.parametrize(("row", "what"), BAD)
def test_a_few_of_them_are_left_out_with_a_warning(row, what):
    sound, found = check(boxes(row, good=99))
    assert not sound[0]
    assert sound[1:].all()
    assert not found.faults
    assert what in found.warnings[0]
    assert "1 of 100" in found.warnings[0]


def test_three_ids_are_named():
    _, found = check(boxes(*[[1, 2, 0, 5]] * 4, good=3))
    assert "first: annotation n0, annotation n1, annotation n2;" in found.faults[0]
    assert "4 of 7" in found.faults[0]


def test_boxes_that_reach_out_are_clipped_with_a_warning():
    sound, found = check(boxes([60, 5, 20, 5], [-5, 3, 9, 9], good=20))
    assert sound.all()
    assert not found.faults
    assert "2 of 22 boxes reach more than 1 pixel out" in found.warnings[0]


def test_two_corners_are_told_from_width_and_height():
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0, 0.45, (50, 2)), rng.uniform(0.6, 1, (50, 2))
    corners = np.concatenate([low, high], axis=1) * [W, H, W, H]
    _, found = check(corners)
    assert len(found.faults) == 1
    assert "[x1, y1, x2, y2]" in found.faults[0]
    assert "more than 20%" in found.faults[0]
    sizes = corners.copy()
    sizes[:, 2:] -= sizes[:, :2]
    assert not check(sizes)[1].faults


def test_boxes_of_a_larger_picture_are_a_fault_of_another_kind():
    _, found = check(boxes([5, 5, 100, 90], [3, 2, 90, 80], [60, 30, 20, 20], good=3))
    assert "before the picture was resized" in found.faults[0]
    assert "3 of 6" in found.faults[0]


def test_sizes_with_width_and_height_exchanged_are_told():
    tall = boxes([5, 45, 9, 20], good=9)  # of pictures of 40x70, which are stated as 70x40
    [fault] = check(tall)[1].faults
    assert "1 of 10 boxes lie outside their picture" in fault
    assert "where width and height of the pictures are exchanged" in fault
    [fault] = check(boxes([5, 30, 9, 30], good=1))[1].faults
    assert "1 of 2 boxes reach out" in fault
    assert "where width and height of the pictures are exchanged" in fault
    assert "exchanged" not in check(boxes([5, 75, 9, 20], good=9))[1].faults[0]
