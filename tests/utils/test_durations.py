import pytest

from stvit_video.utils.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (8000, "2 h 13 min")],
)
def test_times_in_words(seconds, words):
    assert in_words(seconds) == words
