"""All reading of a request ends in time, and what happens in between does not count."""

import time

import pytest

from stvit_video.data.decoding.request import DecodeRequest, DecodeTimeoutError
from stvit_video.webdemo.reading_budget import ReadingBudget


def test_readings_share_the_time_and_pauses_are_free(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    budget, request = ReadingBudget(20.0), DecodeRequest("a.mp4", "pyav", 15.0)
    for left in (15.0, 12.0, 4.0):  # the limit of one call, and then what is left of all
        with budget.spent():
            assert request.deadline().remaining_seconds() == pytest.approx(left)
            now[0] += 8.0
        now[0] += 1000.0
    with pytest.raises(DecodeTimeoutError, match="longer than the time limit of 20 s"), budget.spent():
        pytest.fail("there was no time left")
    assert request.deadline().remaining_seconds() == pytest.approx(15.0)


def test_what_fails_counts_too(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    budget = ReadingBudget(20.0)

    def fail() -> None:
        with budget.spent():
            now[0] += 21.0
            raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        fail()
    with pytest.raises(DecodeTimeoutError), budget.spent():
        pytest.fail("there was no time left")
