import base64
import io

import numpy as np
import pytest
from PIL import Image

from stvit_video.pages import thumbnails
from stvit_video.pages.thumbnails import MAX_REASON_LENGTH, SIDE_PIXELS, read_thumbnails


@pytest.mark.parametrize(("height", "width", "size"), [(90, 320, (160, 45)), (480, 120, (40, 160)), (7, 5, (5, 7))])
def test_sides_are_bounded_and_nothing_is_enlarged(height, width, size):
    picture = np.full((height, width, 3), (200, 100, 50), dtype=np.uint8)
    (found,) = read_thumbnails(["a"], lambda name: picture)
    head, _, content = found.src.partition(",")
    assert (head, found.reason) == ("data:image/jpeg;base64", "")
    small = Image.open(io.BytesIO(base64.b64decode(content)))
    assert small.size == size
    assert max(small.size) <= SIDE_PIXELS
    assert np.abs(np.asarray(small, dtype=int) - (200, 100, 50)).max() <= 4


def test_a_file_that_can_not_be_read_has_its_reason():
    def read(name):
        if name == "b":
            raise MemoryError
        if name == "c":
            raise OSError("c: " + "x" * 1000)
        return np.zeros((4, 4, 3), dtype=np.uint8)

    first, second, third, fourth = read_thumbnails(["a", "b", "c", "d"], read)
    assert [bool(one.src) for one in (first, second, third, fourth)] == [True, False, False, True]
    assert second.reason == "MemoryError"
    assert third.reason.startswith("c: xxx")
    assert len(third.reason) == MAX_REASON_LENGTH


def test_no_reading_begins_when_the_time_is_over(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(thumbnails.time, "monotonic", lambda: now[0])
    read = []

    def slow(name):
        read.append(name)
        now[0] += 1.5
        return np.zeros((4, 4, 3), dtype=np.uint8)

    found = read_thumbnails(list("abcd"), slow, max_seconds=2.0)
    assert read == ["a", "b"]
    assert [one.reason for one in found] == ["", "", *["not read: the pictures of this page may take 2 s together"] * 2]
