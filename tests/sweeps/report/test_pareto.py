from random import Random
from statistics import NormalDist

import pytest

from stvit_video.sweeps.report.pareto import Spread, close_groups, pareto_front, spread_of


def test_front_by_hand():
    #        cheap, good      dearer, better   dearer, worse    as cheap, worse   dearest, best   dearest, as the second
    costs = [1.0, 2.0, 3.0, 1.0, 5.0, 4.0]
    accuracies = [0.5, 0.7, 0.6, 0.4, 0.9, 0.7]
    assert pareto_front(costs, accuracies) == [True, True, False, False, True, False]
    assert pareto_front([], []) == []
    assert pareto_front([2.0, 2.0], [0.5, 0.5]) == [True, True]


def is_beaten(index, costs, qualities):
    """The definition, word by word."""
    for other in range(len(costs)):
        as_good = costs[other] <= costs[index] and qualities[other] >= qualities[index]
        if as_good and (costs[other] < costs[index] or qualities[other] > qualities[index]):
            return True
    return False


@pytest.mark.parametrize("seed", range(30))
def test_front_equals_the_definition(seed):
    random = Random(seed)
    costs = [float(random.randint(1, 7)) for _ in range(random.randint(1, 23))]
    qualities = [random.randint(0, 5) / 5 for _ in costs]
    assert pareto_front(costs, qualities) == [not is_beaten(i, costs, qualities) for i in range(len(costs))]


def test_faster_is_better_with_negative_speeds():
    assert pareto_front([-100.0, -50.0, -75.0], [0.5, 0.6, 0.4]) == [True, True, False]


def test_a_front_with_a_tolerance_by_hand():
    #        best   within 5%   best within 5% of the next   quicker by 4.6%   as good, slower   much quicker
    speeds = [100.0, 104.0, 108.0, 113.0, 107.0, 200.0]
    qualities = [0.9, 0.8, 0.7, 0.6, 0.7, 0.1]
    front = [True, False, True, False, False, True]
    assert pareto_front([-speed for speed in speeds], qualities, tolerance=0.05) == front
    assert pareto_front([1 / speed for speed in speeds], qualities, tolerance=0.05) == front
    assert pareto_front([-3.0, -3.0], [0.5, 0.5], tolerance=0.05) == [True, True]


@pytest.mark.parametrize("seed", range(10))
def test_a_front_with_a_tolerance_makes_up_for_every_other_point(seed):
    random = Random(seed)
    costs = [random.uniform(1, 1.5) for _ in range(20)]
    qualities = [round(cost + random.random() / 5, 1) for cost in costs]
    front = pareto_front(costs, qualities, tolerance=0.05)
    on_it = [i for i, is_on_it in enumerate(front) if is_on_it]
    assert all(any(qualities[j] >= qualities[i] and costs[j] <= 1.05 * costs[i] for j in on_it) for i in range(20))
    assert not any(is_beaten(i, costs, qualities) for i in on_it)
    by_cost = sorted(costs[i] for i in on_it)
    assert len(by_cost) > 2
    assert all(third > 1.05 * first for first, third in zip(by_cost, by_cost[2:], strict=False))


@pytest.mark.parametrize(
    ("costs", "qualities", "words"),
    [
        ([1.0], [0.5, 0.5], "1 costs and 2 qualities do not make points"),
        ([1.0, float("nan")], [0.5, 0.5], "is not finite"),
        ([1.0], [float("inf")], "is not finite"),
    ],
)
def test_what_makes_no_points(costs, qualities, words):
    with pytest.raises(ValueError, match=words):
        pareto_front(costs, qualities)


def test_groups_of_one_cost_by_hand():
    assert close_groups([100.0, 105.0, 105.1, 94.0, 200.0]) == [[0, 1], [1, 2]]
    assert close_groups([3.0, 7.0, 3.1, 3.0]) == [[0, 3, 2]]
    assert close_groups([100.0, 110.0], tolerance=0.1) == [[0, 1]]
    assert close_groups([1.0]) == []


def test_spread_by_hand():
    assert spread_of([0.5, 0.9, 0.7]) == Spread(pytest.approx(0.7), pytest.approx(0.2), 0.5, 0.9, 3)
    assert spread_of([0.25]) == Spread(0.25, None, 0.25, 0.25, 1)
    values = [0.31, 0.35, 0.44, 0.47, 0.52]
    assert spread_of(values).std == pytest.approx(NormalDist.from_samples(values).stdev)
    with pytest.raises(ValueError, match="no values have no spread"):
        spread_of([])


def test_spread_in_words():
    words = "0.7000 +- 0.2000 (min 0.5000, max 0.9000, 3 runs)"
    assert spread_of([0.5, 0.9, 0.7]).describe() == words
    assert spread_of([0.25]).describe() == "0.2500 (min 0.2500, max 0.2500, 1 run)"
