"""open_video against a plain whole-file decode, on every file that decoders disagree on."""

import sys
import time

import numpy as np
import pytest
from video_cases import DECORD_SAFE, READABLE, REAL_DECORD_SAFE, REAL_READABLE, both, each, made
from video_maker import make_video, plain_frames, whole_file

from stvit_video.data.decoding import request
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.utils.optional import MissingLibraryError


@pytest.mark.parametrize("case", each(READABLE, REAL_READABLE), indirect=True)
def test_every_case_gives_exactly_the_displayed_frames(case):
    expected = plain_frames(case.path, clockwise_degrees=case.clockwise_degrees)
    with open_video(case.path) as video:
        assert (video.width, video.height) == case.shown_size
        assert video.num_frames == case.num_frames
        for first in range(0, video.num_frames, 32):
            numbers = range(first, min(first + 32, video.num_frames))
            for number, frame in zip(numbers, video.read(numbers), strict=True):
                assert np.array_equal(frame, next(expected)), f"frame {number}"
        assert next(expected, None) is None
        assert video.backend == "pyav"


@pytest.mark.parametrize(
    "case", each(READABLE.difference(DECORD_SAFE), REAL_READABLE.difference(REAL_DECORD_SAFE)), indirect=True
)
def test_decord_is_never_called_on_the_other_cases(case, monkeypatch):
    decord = pytest.importorskip("decord")
    monkeypatch.setattr(decord, "VideoReader", lambda *args, **settings: pytest.fail("decord was called"))
    # the whole sentence, once for its family
    whole = "^can't decode '.*' with backend 'decord': decord is not safe on this file, .*; use backend=auto or "
    whole += "backend=pyav$"
    with pytest.raises(DecodeError, match=whole) as caught:
        open_video(case.path, backend="decord")
    assert case.name in str(caught.value)
    with open_video(case.path) as video:
        assert video.backend == "pyav"


@pytest.mark.parametrize("backend", ["auto", "pyav", "decord"])
@pytest.mark.parametrize(
    ("case", "cause"),
    [
        *both("corrupted.mp4", "Invalid data|damaged"),
        made("truncated.mp4", "Invalid data|damaged"),
        *both("empty.webm", "is empty"),
    ],
    indirect=["case"],
)
def test_broken_cases_name_file_backend_and_cause(case, cause, backend):
    named = "pyav" if backend == "auto" else backend
    with pytest.raises(DecodeError, match=cause) as caught:
        open_video(case.path, backend=backend)
    assert case.name in str(caught.value)
    assert f"backend {named!r}" in str(caught.value)


@pytest.mark.parametrize("backend", ["decord", "pyav"])
@pytest.mark.parametrize("case", each(["plain.mkv", "long_gop.mp4", "short_32.mp4"]), indirect=True)
def test_any_order_with_repeats(case, backend):
    if backend == "decord":
        pytest.importorskip("decord")
    expected, generator = whole_file(case.path), np.random.default_rng(3)
    with open_video(case.path, backend=backend) as video:
        assert video.backend == backend
        for order in (generator.integers(0, video.num_frames, 6), np.arange(5, 30, 4), [video.num_frames - 1, 0, 0]):
            np.testing.assert_array_equal(video.read(order), expected[order])


@pytest.mark.parametrize(
    "case", each(["h265.mp4", "mpeg4.avi", "stream_copied_trim.mp4", "rotated_90.mov"]), indirect=True
)
def test_pyav_any_order_where_decord_is_not_safe(case):
    expected = whole_file(case.path, clockwise_degrees=case.clockwise_degrees)
    order = np.random.default_rng(5).integers(0, len(expected), 9)
    with open_video(case.path) as video:
        np.testing.assert_array_equal(video.read(order), expected[order])
        np.testing.assert_array_equal(video.read(order[::-1]), expected[order[::-1]])


def test_mirrored_files_are_shown_mirrored(tmp_path):
    path = make_video(tmp_path / "mirrored.mp4", num_frames=3, rotation=(0, True))
    with open_video(path) as video:
        np.testing.assert_array_equal(video.read([2]), whole_file(path)[2:, :, ::-1])


def test_settings_of_a_made_file(tmp_path):
    path = make_video(tmp_path / "clip, with comma.mp4", num_frames=7, first_pts=6400)
    with open_video(str(path), backend="pyav") as video:
        assert (video.num_frames, video.fps, video.height, video.width) == (7, 25.0, 70, 98)
        assert [video.pts_seconds(number) for number in (0, 6)] == pytest.approx([0.5, 0.74])
        empty = video.read([])
        assert (empty.shape, empty.dtype) == ((0, 70, 98, 3), np.uint8)


def test_wrong_calls_are_named(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    # the whole sentence, once for its family
    with pytest.raises(
        ValueError, match="^unknown backend 'torchvision'; allowed are auto, decord, pyav, torchcodec, isolated$"
    ):
        open_video(path, backend="torchvision")
    with pytest.raises(ValueError, match=r"time_limit_seconds .*positive, .*\b0$"):
        open_video(path, time_limit_seconds=0)
    with pytest.raises(ValueError, match="allow_addresses=True .*'auto' or 'pyav', .*'decord'"):
        open_video(path, backend="decord", allow_addresses=True)
    with open_video(path) as video:
        for outside in (3, -1):
            with pytest.raises(ValueError, match=rf"frame {outside} .*clip\.mp4'.*\b0 to 2\b"):
                video.read([0, outside])
        with pytest.raises(ValueError, match=r"integers, .*\[0\.5\]"):
            video.read([0.5])
        with pytest.raises(ValueError, match=r"frame 9 .*\b0 to 2\b"):
            video.pts_seconds(9)
    video.close()
    with pytest.raises(ValueError, match=r"clip\.mp4' is closed\b"):
        video.read([0])


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_the_time_limit_counts_from_the_start_of_each_call(case, monkeypatch):
    with pytest.raises(DecodeError, match="opening .*time limit of 1e-09 s"):
        open_video(case.path, time_limit_seconds=1e-9)
    with open_video(case.path, backend="pyav") as video:
        clock = time.monotonic
        monkeypatch.setattr(request.time, "monotonic", lambda: clock() + 9)
        assert video.read([1]).shape == (1, case.height, case.width, 3)
        ticks = iter(range(0, 1000, 6))
        monkeypatch.setattr(request.time, "monotonic", lambda: float(next(ticks)))
        with pytest.raises(DecodeError, match=r"short_32\.mp4' .*'pyav': decoding .*time limit of 10 s"):
            video.read([20])


def test_a_library_that_is_not_there_is_named_when_it_is_asked_for(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    monkeypatch.setitem(sys.modules, "decord", None)
    with open_video(path) as video:
        assert video.read([2]).shape == (1, 70, 98, 3)
    with pytest.raises(MissingLibraryError, match="backend='decord' .*library 'decord'"):
        open_video(path, backend="decord")


def test_more_frames_than_memory_holds_is_a_decode_error(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    with open_video(path, backend="pyav") as video:
        monkeypatch.setattr(np, "empty", lambda *args, **settings: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(DecodeError, match=r"\b3 frames of 98x70 pixels .*memory\b"):
            video.read([0, 1, 2])
