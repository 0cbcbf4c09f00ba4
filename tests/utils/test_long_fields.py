import csv

import pytest

from stvit_video.utils.long_fields import any_length


def test_a_long_field_is_read_and_the_limit_comes_back():
    before = csv.field_size_limit()
    text = ["x" * (before + 1) + ",y"]
    with pytest.raises(csv.Error):
        next(csv.reader(text))
    with any_length():
        assert len(next(csv.reader(text))[0]) == before + 1
    assert csv.field_size_limit() == before
    with pytest.raises(KeyError), any_length():
        raise KeyError
    assert csv.field_size_limit() == before
