"""The best and the worst maps, whatever the order they come in, and how little is kept of them."""

import random

import numpy as np
import pytest
import torch

from stvit_video.evaluation.segmentation.ranked_maps import RankedMaps


def offered(ranked, places, scores):
    for place in places:
        labels = np.full((3, 5), place, dtype=np.uint8)
        ranked.offer(f"{place}.jpg", place, score=scores[place], num_classes=1 + place % 2, labels=labels)
    return ranked


def chosen(ranked):
    return [(one.place, is_best) for one, is_best in ranked.chosen()]


def slow_choice(scores, count):
    count = min(count, len(scores))
    order = sorted(range(len(scores)), key=lambda n: (-scores[n], -(1 + n % 2), n))
    best = order[: (count + 1) // 2]
    rest = sorted((n for n in order if n not in best), key=lambda n: (scores[n], -(1 + n % 2), n))
    return [(n, True) for n in best] + [(n, False) for n in rest[: count // 2]]


@pytest.mark.parametrize("num_pictures", [0, 1, 2, 4, 5, 6, 9, 40])
@pytest.mark.parametrize("count", [4, 5])
def test_they_are_those_of_a_whole_sort(num_pictures, count):
    draw = random.Random(num_pictures)
    scores = [draw.choice([0.0, 0.25, 0.5, 1.0]) for _ in range(num_pictures)]  # with many ties
    places = list(range(num_pictures))
    for _ in range(3):
        draw.shuffle(places)
        assert chosen(offered(RankedMaps(count=count), places, scores)) == slow_choice(scores, count)


def test_processes_choose_as_one_does(tmp_path):
    scores = [round(random.Random(n).random(), 1) for n in range(30)]
    together = RankedMaps(count=6)
    for rank in range(3):
        torch.save(offered(RankedMaps(count=6), range(rank, 30, 3), scores).share(), tmp_path / "share.pt")
        together.take_share(torch.load(tmp_path / "share.pt", weights_only=True))
    assert chosen(together) == slow_choice(scores, 6)
    assert all((one.labels() == one.place).all() and one.labels().shape == (3, 5) for one, _ in together.chosen())


def test_the_labels_come_back_and_take_little_room():
    labels = np.repeat(np.arange(150, dtype=np.uint8), 4000).reshape(1000, 600).T  # not contiguous
    ranked = RankedMaps()
    for place in range(100):
        ranked.offer(place, place, score=place / 100, num_classes=3, labels=labels)
    share = ranked.share()
    assert len(share) == 6 + 12  # the best, and twice as many of the worst
    assert sum(len(one["packed"]) for one in share) < 18 * labels.size / 50
    for one, _ in ranked.chosen():
        assert np.array_equal(one.labels(), labels)
