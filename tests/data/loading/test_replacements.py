import pytest
import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.replacements import BrokenVideosError, attempts_for, read_or_replace
from stvit_video.data.shards.tar_reader import FetchError

BROKEN, LOST = {2, 5}, {4}


def read(candidate, generator):
    if candidate in BROKEN:
        torch.rand(candidate, generator=generator)
        raise DecodeError(f"file {candidate} is broken")
    if candidate in LOST:
        raise FetchError(f"file {candidate} did not come")
    return candidate, float(torch.rand((), generator=generator))


def item(index, **settings):
    return read_or_replace(read, index, **({"num_listed": 7, "seed": 1, "epoch": 0, "max_attempts": None} | settings))


def test_a_good_file_is_read_once():
    found = item(3)
    assert found.content[0] == found.index == 3
    assert found.facts() == {"index": 3, "num_skipped": 0, "skipped": []}
    assert item(3) == found
    assert item(3, epoch=1).content[1] != found.content[1]
    assert item(3, seed=2).content[1] != found.content[1]


def test_a_broken_one_is_replaced_counted_and_named():
    found = [item(2, epoch=epoch) for epoch in range(30)]
    assert all(result.index not in BROKEN | LOST for result in found)
    assert {result.index for result in found} == {0, 1, 3, 6}
    assert all(result.skipped[0] == (2, "file 2 is broken") for result in found)
    assert all(result.num_skipped >= len(result.skipped) for result in found)


def test_one_that_was_lost_by_no_fault_of_its_own_is_counted_and_not_named(caplog):
    found = item(4)
    assert found.num_skipped >= 1
    assert all(index != 4 for index, _ in found.skipped)
    assert "file 4 did not come; another video takes its place this once" in caplog.text


def test_where_too_many_in_a_row_are_broken_reading_ends():
    def nothing(candidate, generator):
        raise DecodeError(f"file {candidate}")

    with pytest.raises(BrokenVideosError, match=r"^5 pictures in a row.*file 3; file \d; file \d; and 2 more$") as e:
        read_or_replace(nothing, 3, num_listed=7, seed=0, epoch=0, max_attempts=5, kind="picture")
    assert str(BrokenVideosError(f"Traceback ...\nBrokenVideosError: {e.value}")) == str(e.value)
    with pytest.raises(BrokenVideosError, match="^2 videos in a row"):
        read_or_replace(nothing, 1, num_listed=2, seed=0, epoch=0, max_attempts=None)


def test_attempts_follow_the_allowed_share():
    assert attempts_for(0.0) == attempts_for(0.05) == 10
    assert attempts_for(1.0) is None
    for share in (0.2, 0.5, 0.9, 0.99):
        assert share ** attempts_for(share) <= 1e-12 < share ** (attempts_for(share) - 1)
