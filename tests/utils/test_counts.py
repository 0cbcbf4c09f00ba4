import pytest

from stvit_video.utils.counts import count_words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 videos"), (1, "1 video"), (2, "2 videos"), (12345, "12,345 videos")]
)
def test_only_a_single_one_has_no_s(number, words):
    assert count_words(number, "video") == words


def test_a_noun_without_a_plain_plural():
    assert [count_words(number, "class", "classes") for number in (1, 2)] == ["1 class", "2 classes"]
