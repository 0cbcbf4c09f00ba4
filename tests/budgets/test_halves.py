"""Halves of a list of videos: disjoint, complete, balanced at every length, and the same for the same seed."""

from collections import Counter

import pytest

from stvit_video.budgets.halves import draw_videos, split_in_halves

LABELS = [(i % 3,) for i in range(19)] + [(0, 2)] * 5


@pytest.mark.parametrize("seed", range(5))
def test_the_halves_are_disjoint_complete_and_balanced(seed):
    choosing, reporting = split_in_halves(LABELS, seed=seed)
    assert sorted([*choosing, *reporting]) == list(range(24))
    assert len(choosing) == len(reporting) == 12
    counts = [Counter(LABELS[position] for position in half) for half in (choosing, reporting)]
    assert all(abs(counts[0][label] - counts[1][label]) <= 1 for label in set(LABELS))


def test_every_beginning_holds_the_classes_evenly():
    choosing, _ = split_in_halves([(i % 5,) for i in range(60)], seed=3)
    for length in range(1, len(choosing) + 1):
        counts = Counter(position % 5 for position in choosing[:length])
        assert max(counts.values()) - min(counts[i] for i in range(5)) <= 1


def test_the_seed_decides():
    assert split_in_halves(LABELS, seed=1) == split_in_halves(LABELS, seed=1) != split_in_halves(LABELS, seed=2)


def test_one_video_has_no_halves():
    with pytest.raises(ValueError, match="2 videos at least, 1 came"):
        split_in_halves([(0,)], seed=0)


def test_some_videos_of_a_list_hold_its_classes_in_proportion():
    labels = [(0,)] * 60 + [(1,)] * 20
    drawn = draw_videos(labels, count=20, seed=0)
    assert drawn == sorted(set(drawn))
    assert Counter(labels[position] for position in drawn) == {(0,): 15, (1,): 5}
    assert draw_videos(labels, count=99, seed=0) == list(range(80))
