"""Values of sliders as a browser sends them, and words of costs and names."""

import math

import pytest

from stvit_video.webdemo.clip_limits import RefusedError
from stvit_video.webdemo.demo_model import Steps, cost_facts, shown_name

STEPS = Steps(low=3, high=9, step=3, chosen=6, trained=(3, 9))


def test_values_of_a_slider():
    assert [STEPS.checked(value) for value in (3, 6.0, 9)] == [3, 6, 9]
    for value in (2, 10, 4.5, -3, "6", None, math.nan, math.inf, [6], {"a": 1}, 10**30):
        with pytest.raises(RefusedError, match="choose 3 to 9"):
            STEPS.checked(value)


def test_values_that_training_has_not_seen():
    assert STEPS.warning(9) == ""
    assert STEPS.warning(6) == "not trained for this, but for 3, 9: expect worse labels"


def test_costs_of_one_view_and_of_several():
    assert cost_facts(milliseconds=12.34, gmacs=0.1441, num_views=1) == [
        ("latency", "12.3 ms a clip"),
        ("multiply-adds", "0.144 GMACs a clip"),
    ]
    assert cost_facts(milliseconds=12.34, gmacs=0.1441, num_views=6) == [
        ("latency", "12.3 ms a clip; 74.0 ms for the 6 views"),
        ("multiply-adds", "0.144 GMACs a clip; 0.865 for the 6 views"),
    ]
    assert cost_facts(milliseconds=1, gmacs=None, num_views=1) == [("latency", "1.0 ms a clip")]


def test_a_name_tells_little_of_the_server(tmp_path):
    assert shown_name(tmp_path / "a" / "run" / "best.ckpt") == "run/best.ckpt"
    assert shown_name("/best.ckpt") == "best.ckpt"
