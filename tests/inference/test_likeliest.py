"""Which labels of a video are told."""

import numpy as np
import pytest

from stvit_video.inference.likeliest import likeliest, require_labels

PROBABILITIES = np.array([0.5, 0.9, 0.2], dtype=np.float32)


def test_the_best_come_first_and_of_equal_ones_the_first_class():
    told = likeliest(PROBABILITIES, "abc", top_k=9, threshold=None, file=None, seconds=1.0)
    assert told.labels == ("b", "a", "c")
    assert told.probabilities == pytest.approx((0.9, 0.5, 0.2))
    equal = np.array([0.1, 0.3, 0.3, 0.3], dtype=np.float32)
    assert likeliest(equal, "abcd", top_k=2, threshold=None, file=None, seconds=1.0).labels == ("b", "c")


def test_a_threshold_takes_every_label_that_reaches_it():
    told = likeliest(PROBABILITIES, "abc", top_k=1, threshold=0.5, file=None, seconds=1.0)
    assert told.labels == ("b", "a")
    assert likeliest(PROBABILITIES, "abc", top_k=1, threshold=1.0, file=None, seconds=1.0).labels == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"top_k": 0, "threshold": None, "multi_label": True}, "top_k=0 .*at least 1"),
        ({"top_k": 1, "threshold": 0.5, "multi_label": False}, "threshold=0.5 .*one each; .*top_k"),
        ({"top_k": 1, "threshold": 1.5, "multi_label": True}, "threshold=1.5 .*between 0 and 1"),
    ],
)
def test_what_is_asked_for_is_checked(settings, words):
    with pytest.raises(ValueError, match=words):
        require_labels(**settings)
