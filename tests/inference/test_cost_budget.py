"""Budgets: which one is given, what meets it, and the error where nothing does."""

from dataclasses import dataclass

import pytest

from stvit_video.inference.cost_budget import Budget, best_within, read_budget


@dataclass(frozen=True)
class Point:
    name: str
    gmacs: float
    clips_per_second: float
    latency_ms: float
    accuracy: float

    def __str__(self):
        return self.name


POINTS = [
    Point("small", 1.237, 80.0, 12.0, 0.5),
    Point("middle", 2.0, 90.0, 20.0, 0.7),
    Point("large", 8.0, 9.876, 101.5, 0.9),
]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"gmacs": 2}, "middle"),
        ({"gmacs": 1.99}, "small"),
        ({"gmacs": 100}, "large"),
        ({"clips_per_second": 85}, "middle"),
        ({"clips_per_second": 9}, "large"),
        ({"latency_ms": 12}, "small"),
        ({"latency_ms": 200}, "large"),
    ],
)
def test_the_most_accurate_within_a_budget(given, name):
    assert best_within(POINTS, read_budget(**given)).name == name


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        # the whole sentence, once for its family
        (
            {"gmacs": 1},
            "no setting meets gmacs=1: the cheapest is small with 1.237 GMACs a video; give gmacs=1.24 or more",
        ),
        ({"clips_per_second": 100}, "the cheapest is middle with 90 videos a second; give clips_per_second=90 or less"),
        ({"latency_ms": 1.5}, "the cheapest is small with 12 ms a video; give latency_ms=12 or more"),
    ],
)
def test_a_budget_that_nothing_meets_names_the_cheapest_and_one_that_is_met(given, sentence):
    budget = read_budget(**given)
    with pytest.raises(ValueError, match=sentence) as caught:
        best_within(POINTS, budget)
    limit = float(str(caught.value).rpartition("=")[2].split()[0])
    assert best_within(POINTS, Budget(budget.name, limit))


def test_at_most_one_budget_and_above_0():
    assert read_budget() is None
    with pytest.raises(ValueError, match=r"gmacs and latency_ms are given"):
        read_budget(gmacs=1, latency_ms=2)
    for wrong in (0, -1.0, float("nan"), "a"):
        with pytest.raises(ValueError, match="gmacs=.* above 0"):
            read_budget(gmacs=wrong)
