import re

import numpy as np
import pytest

from stvit_video.layers.numbers import flag, is_list, is_whole, number, pair, share, whole_number, whole_numbers


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_become_ints(value):
    assert is_whole(value)
    assert type(whole_number("depth", value)) is int
    assert whole_number("depth", value) == 3


@pytest.mark.parametrize("value", [2.5, 3.0, "4", True, None, (3,), np.float32(3), 0, -1])
def test_other_values_are_no_whole_numbers(value):
    # the whole sentence, once for its family
    message = re.escape(f"depth={value!r} must be a whole number, at least 1")
    with pytest.raises(ValueError, match=f"^{message}$"):
        whole_number("depth", value)


def test_the_minimum_is_allowed():
    assert whole_number("count", 0, minimum=0) == 0
    with pytest.raises(ValueError, match="count=1 .*at least 2"):
        whole_number("count", 1, minimum=2)


def test_lists_become_tuples_of_ints():
    assert whole_numbers("sizes", [2, np.int32(3)]) == (2, 3)
    assert is_list([1])
    assert not is_list("12")


@pytest.mark.parametrize("values", [5, "55", None, (2, 0), (2, 1.5), [True, 2], {2: 3}])
def test_other_values_are_no_sizes(values):
    with pytest.raises(ValueError, match=r"sizes=.* each axis, at least 1"):
        whole_numbers("sizes", values)


@pytest.mark.parametrize(
    ("size", "both"), [(5, (5, 5)), (np.int32(5), (5, 5)), ((3, 5), (3, 5)), ([3, np.int64(5)], (3, 5))]
)
def test_pairs(size, both):
    assert pair("image_size", size) == both


@pytest.mark.parametrize("size", [(3,), (3, 5, 7), "35", 2.5, None, {3: 5}, True])
def test_other_values_are_no_pairs(size):
    with pytest.raises(ValueError, match=rf"image_size={re.escape(repr(size))} .*both sides, or \(height, width\)"):
        pair("image_size", size)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "image_size=0 .*number, at least 1"),
        ((3, 0), r"image_size=\(3, 0\) .*each axis, at least 1"),
        ((3, 5.0), r"image_size=\(3, 5.0\) .*each axis, at least 1"),
    ],
)
def test_sides_that_are_not_possible(size, message):
    with pytest.raises(ValueError, match=message):
        pair("image_size", size)


def test_numbers():
    assert number("ratio", 2) == 2.0
    assert number("ratio", np.float32(0.5)) == 0.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "4", None, True, 10**400, [1.0]])
def test_other_values_are_no_numbers(value):
    with pytest.raises(ValueError, match="ratio=.* finite number"):
        number("ratio", value)


def test_shares():
    assert share("drop_rate", 0) == 0.0
    assert share("drop_rate", 0.99) == 0.99


@pytest.mark.parametrize("value", [1, 2, -0.1])
def test_other_values_are_no_shares(value):
    with pytest.raises(ValueError, match=rf"drop_rate={value} .*\[0, 1\)"):
        share("drop_rate", value)


def test_flags_are_true_or_false():
    assert flag("recover", True) is True
    for value in ("no", 1, None):
        with pytest.raises(ValueError, match=f"recover={value!r} .*True or False"):
            flag("recover", value)
