"""Time stamps moved apart: cases by hand, and what must hold for any series."""

from itertools import pairwise

import numpy as np
import pytest

from stvit_video.data.curation.time_stamps import separated_stamps


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([], []),
        ([7], [7]),
        ([3, 10, 90, 95], [3, 10, 90, 95]),  # gaps stay
        ([0, 40, 40, 120], [0, 40, 80, 120]),
        ([0, 40, 40, 40, 120], [0, 40, 60, 80, 120]),
        ([0, 0, 40, 80], [0, 20, 40, 80]),
        ([0, 40, 80, 80], [0, 40, 60, 80]),
        ([0, 40, 80, 80, 80], [0, 40, 60, 70, 80]),
        ([0, 0, 40, 40], [0, 20, 21, 40]),  # both halves of one gap
        ([5, 5, 5], [5, 35, 65]),  # no neighbour: the usual gap
        ([0, 1, 1, 1, 1, 2], [0, 1, 2, 3, 4, 5]),  # too few ticks: the later ones give way
        ([-9, -9, -3], [-9, -6, -3]),
    ],
)
def test_by_hand(stamps, expected):
    assert separated_stamps(stamps, usual_gap=30) == expected


def test_all_but_repeats_stay_and_all_increase():
    chance = np.random.default_rng(5)
    for _ in range(60):
        stamps = sorted(1000 * int(value) for value in chance.integers(0, 9, chance.integers(1, 10)))
        moved = separated_stamps(stamps, usual_gap=400)
        assert all(a < b for a, b in pairwise(moved))
        num_kept = sum(a == b for a, b in zip(stamps, moved, strict=True))
        assert num_kept == len(set(stamps))


def test_a_repeated_stamp_moves_by_half_a_gap_at_most():
    chance = np.random.default_rng(6)
    for _ in range(60):
        stamps = sorted(1000 * int(value) for value in chance.integers(0, 12, 20))
        places = sorted(set(stamps))
        for stamp, moved in zip(stamps, separated_stamps(stamps, usual_gap=400), strict=True):
            index = places.index(stamp)
            gaps = [abs(other - stamp) for other in places[max(index - 1, 0) : index + 2] if other != stamp]
            assert abs(moved - stamp) <= max(gaps) / 2


def test_the_usual_gap_is_a_tick_at_least():
    with pytest.raises(ValueError, match=r"usual_gap=0 .*at least 1 tick"):
        separated_stamps([0, 0], usual_gap=0)
