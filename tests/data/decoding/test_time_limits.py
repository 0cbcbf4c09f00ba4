"""The time that a call has where nobody set a limit: by hand, against a slow count, and on files that need it."""

import itertools

import numpy as np
import pytest
from real_data import real_file
from video_maker import make_video, whole_file

from stvit_video.data.decoding import request, time_limits
from stvit_video.data.decoding.request import DecodeTimeoutError
from stvit_video.data.decoding.time_limits import decoding_seconds, frames_to_decode, listing_seconds
from stvit_video.data.decoding.video import open_video

VP8 = {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8", "g": "9999", "lag-in-frames": "0"}}
LONG = {  # name -> arguments of make_video; frames that are reached only by decoding all before them
    "no_keyframes.webm": VP8,
    "stream.ts": {},
    "long_gop.mp4": {"options": {"g": "9999", "preset": "ultrafast"}},
}


def test_limits_by_hand():
    assert listing_seconds(0) == listing_seconds(20_000_000) == 10
    assert listing_seconds(4_000_000_000) == 2000
    assert decoding_seconds(0, height=1080, width=1920) == decoding_seconds(90, height=1080, width=1920) == 10
    assert decoding_seconds(90_000, height=120, width=160) == 267  # an hour of small pictures: 2.96 ms each
    assert decoding_seconds(3000, height=2304, width=4096) == 1422


def slow_count(keyframes, positions):
    """Frame by frame: on to each wanted frame, by a jump to a keyframe where one lies between."""
    count, at = 0, None
    for position in sorted(positions):
        keyframe = max(frame for frame in keyframes if frame <= position)
        at = keyframe if at is None or keyframe > at else at
        while at <= position:
            count, at = count + 1, at + 1
    return count


def test_frames_that_are_decoded_for_some_against_a_slow_count():
    keyframes = (0, 7, 8, 20)
    for number in range(1, 4):
        for positions in itertools.combinations((0, 3, 6, 7, 8, 13, 19, 20, 23), number):
            assert frames_to_decode(keyframes, positions[::-1]) == slow_count(keyframes, positions)
    assert frames_to_decode((0,), [5, 5, 5]) == 6
    assert frames_to_decode((0,), []) == 0


@pytest.fixture
def slow_clock(monkeypatch):
    """Each look at the clock takes a second, so that every frame does."""
    ticks = itertools.count()
    monkeypatch.setattr(request.time, "monotonic", lambda: float(next(ticks)))


@pytest.mark.parametrize("name", LONG)
def test_a_long_video_has_the_time_that_it_needs(tmp_path, name, slow_clock, monkeypatch):
    path = make_video(tmp_path / name, num_frames=60, **LONG[name])
    monkeypatch.setattr(time_limits, "SLOWEST_BYTES", 500)
    monkeypatch.setattr(time_limits, "FRAME_SECONDS", 5.0)
    with open_video(path) as video:
        np.testing.assert_array_equal(video.read([59, 20]), whole_file(path)[[59, 20]])


@pytest.mark.parametrize("name", LONG)
def test_a_call_that_hangs_still_ends(tmp_path, name, slow_clock, monkeypatch):
    """Every frame takes longer than the slowest machine needs."""
    path = make_video(tmp_path / name, num_frames=60, **LONG[name])
    monkeypatch.setattr(time_limits, "SLOWEST_BYTES", 500)
    with pytest.raises(DecodeTimeoutError, match=r"decoding .*time limit of 10 s; .*\btime_limit_seconds\b"):
        open_video(path).read([59])


@pytest.mark.parametrize("name", LONG)
def test_a_limit_that_was_set_does_not_grow(tmp_path, name, slow_clock, monkeypatch):
    path = make_video(tmp_path / name, num_frames=60, **LONG[name])
    monkeypatch.setattr(time_limits, "FRAME_SECONDS", 5.0)
    with pytest.raises(DecodeTimeoutError, match=r"time limit of 70 s; .*\btime_limit_seconds\b"):
        open_video(path, time_limit_seconds=70).read([59])


def test_a_process_of_its_own_has_the_same_limit(tmp_path):
    path = make_video(tmp_path / "clip.webm", num_frames=5, **VP8)
    with open_video(path, backend="isolated") as video:
        np.testing.assert_array_equal(video.read([4]), whole_file(path)[[4]])
    with pytest.raises(DecodeTimeoutError, match=r"time limit of 0\.0001 s"):
        open_video(path, backend="isolated", time_limit_seconds=1e-4)


@pytest.mark.real_data
@pytest.mark.slow
def test_the_real_file_that_takes_longer_than_10_seconds():
    path = real_file("data", "field_cases", "long_4k.flv")
    with open_video(path) as video:
        assert (video.num_frames, video.width, video.height) == (3000, 4096, 2304)
        assert video.read([2999]).shape == (1, 2304, 4096, 3)


@pytest.mark.real_data
def test_the_real_file_against_a_limit_that_was_set():
    path = real_file("data", "field_cases", "long_4k.flv")
    with pytest.raises(DecodeTimeoutError, match=r"time limit of 0\.5 s; .*\bdata\.time_limit_seconds\b"):
        open_video(path, time_limit_seconds=0.5)
