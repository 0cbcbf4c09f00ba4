"""How a file's errors are worded, and a call's time."""

import os
import time
from dataclasses import asdict

import pytest

from stvit_video.data.decoding.request import (
    Deadline,
    DecodeError,
    DecodeRequest,
    DecoderKilledError,
    DecodeTimeoutError,
    all_within,
)


def test_errors_name_file_backend_and_cause():
    source = DecodeRequest("a b.mp4", "pyav", 2.5)
    error = source.error("it is odd")
    assert type(error) is DecodeError
    # the whole sentence, once for its family
    assert str(error) == "can't decode 'a b.mp4' with backend 'pyav': it is odd"
    late = source.timeout("seeking")
    assert type(late) is DecodeTimeoutError
    # the whole sentence, once for its family
    assert str(late) == (
        "can't decode 'a b.mp4' with backend 'pyav': seeking took longer than the time limit of 2.5 s; "
        "raise time_limit_seconds (in a training data.time_limit_seconds) if the file is merely long"
    )


def test_without_a_limit_the_work_decides(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    os.truncate(path, 60_000_000)
    grown, fixed = DecodeRequest(str(path), "pyav", None), DecodeRequest(str(path), "pyav", 7.0)
    assert (grown.listing_seconds, fixed.listing_seconds) == (30, 7)
    assert (grown.deadline().limit_seconds, fixed.deadline().limit_seconds) == (30, 7)
    assert (grown.deadline(90).limit_seconds, fixed.deadline(90).limit_seconds) == (90, 7)
    late = grown.deadline()
    assert grown.extended(late, 50).limit_seconds == 50
    assert fixed.extended(late, 50) is late
    assert "time limit of 90 s" in str(grown.timeout("seeking", grown.deadline(90)))
    assert "time limit of 30 s" in str(grown.timeout("opening"))
    assert DecodeRequest("https://example.org/clip.mp4", "pyav", None).listing_seconds == 10


def test_a_deadline_runs_from_its_making_and_stops_at_zero(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    source = DecodeRequest("clip.mp4", "pyav", 3.0)
    deadline = source.deadline()
    now[0] = 102.0
    assert deadline.remaining_seconds() == pytest.approx(1.0)
    assert source.check_time(deadline, "seeking") is None
    now[0] = 109.0
    assert deadline.remaining_seconds() == 0
    with pytest.raises(DecodeTimeoutError, match="seeking .*time limit of 3 s"):
        source.check_time(deadline, "seeking")
    assert Deadline(-1).remaining_seconds() == 0


def test_only_plain_local_files_are_the_default():
    assert asdict(DecodeRequest("clip.mp4", "pyav", 3.0))["allow_addresses"] is False


def test_a_name_stands_for_the_path_in_every_error():
    source = DecodeRequest("/proc/7/fd/9", "pyav", 3.0, name="a.tar: b.mp4")
    assert (source.shown, DecodeRequest("clip.mp4", "pyav", 3.0).shown) == ("a.tar: b.mp4", "clip.mp4")
    error = source.error("opening failed (Invalid data: 'file:/proc/7/fd/9')")
    assert str(error).startswith("can't decode 'a.tar: b.mp4' ")
    assert str(error).endswith("opening failed (Invalid data: 'file:a.tar: b.mp4')")


def test_a_killed_process_is_told_apart_from_a_bad_video():
    error = DecodeRequest("a.mp4", "decord", 2.0).killed("its decoding process was ended by signal SIGKILL")
    assert isinstance(error, DecoderKilledError)
    # the whole sentence, once for its family
    assert str(error) == (
        "can't decode 'a.mp4' with backend 'decord': its decoding process was ended by signal SIGKILL; "
        "is the machine out of memory?"
    )


def test_several_calls_within_one_deadline(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    fixed, grown = DecodeRequest("clip.mp4", "pyav", 3.0), DecodeRequest("https://example.org/clip.mp4", "pyav", None)
    with all_within(Deadline(5.0, limit_seconds=60.0)):
        assert (fixed.deadline().remaining_seconds(), grown.deadline(90).remaining_seconds()) == (3, 5)
        now[0] = 104.0
        assert (fixed.deadline().remaining_seconds(), grown.deadline().remaining_seconds()) == (1, 1)
        with all_within(Deadline(0.5)):
            assert fixed.deadline().remaining_seconds() == 0.5
        assert fixed.deadline().limit_seconds == 60
    assert (fixed.deadline().remaining_seconds(), grown.deadline(90).remaining_seconds()) == (3, 90)
