"""Successive halving: it keeps winners, gives the front of an exhaustive search, and looks far less often."""

import numpy as np
import pytest

from stvit_video.budgets.halving import Quality, Round, front_of, gaps_to_front, keep_half, round_sizes, search_front


def slow_front(costs, table):
    """By every pair: the settings that no other one beats; of equal cost and accuracy the first with the best tie."""
    found = []
    for i, cost in enumerate(costs):
        beaten = any(
            costs[j] <= cost and table[j][0] >= table[i][0] and (costs[j], -table[j][0]) != (cost, -table[i][0])
            for j in range(len(costs))
        )
        twins = [j for j in range(len(costs)) if (costs[j], table[j][0]) == (cost, table[i][0])]
        if not beaten and i == max(twins, key=lambda j: (table[j][1], -j)):
            found.append(i)
    return sorted(found, key=lambda i: costs[i])


class Looks:
    """Settings that hit a video where their skill exceeds how hard it is; counts the looks."""

    def __init__(self, skills, hardness):
        self.hits = np.asarray(skills)[:, None] > np.asarray(hardness)[None]
        self.num_looks = 0
        self._seen = {}

    def __call__(self, numbers, num_videos):
        for number in numbers:
            self.num_looks += num_videos - self._seen.get(number, 0)
            self._seen[number] = num_videos
        return [Quality(float(self.hits[number, :num_videos].mean())) for number in numbers]


@pytest.mark.parametrize("seed", range(8))
def test_the_front_of_a_whole_round_is_that_of_the_slow_search(seed):
    generator = np.random.default_rng(seed)
    costs = generator.integers(1, 9, 23).tolist()
    table = [Quality(*pair) for pair in generator.integers(0, 6, (23, 2)).tolist()]
    assert front_of(costs, Round(5, tuple(range(23)), tuple(table))) == slow_front(costs, table)


@pytest.mark.parametrize("seed", range(8))
def test_halving_finds_the_front_of_an_exhaustive_search_with_half_of_the_looks(seed):
    generator = np.random.default_rng(seed)
    costs = generator.uniform(1, 100, 96).tolist()
    skills = [0.3 + 0.12 * np.log(cost) - generator.choice([0.0, 0.2, 0.3], p=[0.1, 0.45, 0.45]) for cost in costs]
    hardness = (np.arange(256) * 0.61803398875 % 1).tolist()  # spread evenly, also in every beginning
    look = Looks(skills, hardness)
    rounds = search_front(costs, look, num_videos=256, first=16)
    whole = [Quality(float(hits.mean())) for hits in look.hits]
    assert front_of(costs, rounds[-1]) == slow_front(costs, whole)
    assert look.num_looks < 96 * 256 / 2


def test_the_winner_of_a_table_by_hand_is_kept():
    costs = [1, 2, 3, 4, 5, 6]
    table = {  # accuracy on the first 2 and on all 4 videos
        2: [0.5, 0.0, 0.0, 0.5, 1.0, 0.5],
        4: [0.25, 0.5, 0.5, 0.75, 1.0, 0.0],
    }
    asked = []

    def look(numbers, num_videos):
        asked.append((tuple(numbers), num_videos))
        return [Quality(table[num_videos][number]) for number in numbers]

    rounds = search_front(costs, look, num_videos=4, first=2)
    assert asked == [((0, 1, 2, 3, 4, 5), 2), ((0, 3, 4), 4)]  # nobody is better at the cost of 3; 1, 2 and 5 lie lower
    assert front_of(costs, rounds[-1]) == [0, 3, 4]


def test_a_setting_on_the_front_is_never_dropped():
    costs = [1.0, 2.0, 3.0, 4.0]
    rising = {n: Quality(n / 4) for n in range(4)}
    assert keep_half(costs, rising) == [0, 1, 2, 3]
    falling = {n: Quality(1 - n / 4) for n in range(4)}
    assert keep_half(costs, falling) == [0, 1]
    assert keep_half(costs, {3: Quality(0.2)}) == [3]


def test_gaps_by_hand():
    qualities = [Quality(0.5, 0.3), Quality(0.75, 0.2), Quality(0.5, 0.9), Quality(0.75, 0.1), Quality(0.75, 0.4)]
    gaps = gaps_to_front([1, 2, 3, 4, 5], qualities)
    assert [tuple(gap) for gap in gaps] == [(0, 0), (0, 0), (0.25, 0), (0, pytest.approx(0.1)), (0, 0)]


def test_settings_that_can_not_be_run_are_left_out():
    rounds = search_front([1, 2], lambda numbers, _: [None, Quality(0.1)][: len(numbers)], num_videos=1, first=1)
    assert rounds == [Round(1, (1,), (Quality(0.1),))]
    with pytest.raises(ValueError, match="not one of 2 settings could be run"):
        search_front([1, 2], lambda numbers, _: [None] * len(numbers), num_videos=3, first=1)
    with pytest.raises(ValueError, match="no settings"):
        search_front([], lambda *_: [], num_videos=3, first=1)


def test_sizes_of_rounds_double_up_to_all_videos():
    assert round_sizes(100, first=16) == [16, 32, 64, 100]
    assert round_sizes(64, first=16) == [16, 32, 64]
    assert round_sizes(5, first=16) == [5]
    with pytest.raises(ValueError, match="first=0"):
        round_sizes(5, first=0)
