"""The packet index against known files, and each rule of the decord guard alone."""

import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from video_cases import both, each, made, real
from video_maker import OPEN_GOP, make_video, whole_file

from stvit_video.data.decoding.probe import VideoIndex, decord_refusal, orientation, probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest, DecodeTimeoutError

SAFE = VideoIndex(
    container="mov", codec="h264", pixel_format="yuv420p", coded_height=70, coded_width=98, quarter_turns=0,
    flipped=False, interlaced=False, stated_fps=25.0, time_base_seconds=1 / 12800, pts=(0, 512, 1024), keyframes=(0,),
    open_gop=False, num_video_streams=1, has_duration=True, distrust="",
)  # fmt: skip


def source(path, *, seconds=10.0):
    return DecodeRequest(str(path), "pyav", seconds)


def probe(path):
    return probe_video(source(path), source(path).deadline())


def test_index_of_a_made_file(tmp_path):
    index = probe(make_video(tmp_path / "clip.mp4", num_frames=25, first_pts=12800))
    assert index.pts == tuple(12800 + 512 * number for number in range(25))
    assert index.keyframes == (0, 10, 20)
    assert (index.width, index.height, index.stated_fps, index.distrust) == (98, 70, 25.0, "")
    assert index.time_base_seconds == pytest.approx(1 / 12800)
    assert decord_refusal(index) is None


def test_entries_of_open_gops_are_only_where_decoding_is_exact(tmp_path):
    index = probe(make_video(tmp_path / "open.mp4", num_frames=25, options=OPEN_GOP))
    assert index.open_gop
    assert index.keyframes == (0,)


@pytest.mark.parametrize(
    ("case", "num_hidden", "num_packets"),
    [made("stream_copied_trim.mp4", 7, 35), real("stream_copied_trim.mp4", 129, 300)],
    indirect=["case"],
)
def test_probing_does_not_import_decord(case, num_hidden, num_packets, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    index = probe(case.path)
    assert decord_refusal(index) == f"{num_hidden} of its {num_packets} packets are marked as not to be shown"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"distrust": "1 of its 4 packets are damaged"}, "1 of its 4 packets are damaged"),
        ({"pts": (-512, 0, 512)}, "its first timestamp is negative"),
        ({"container": "avi"}, "its container 'avi' is none of ('mov', 'matroska')"),
        ({"codec": "mpeg4"}, "its codec 'mpeg4' is none of ('h264', 'hevc')"),
        ({"pixel_format": "yuv420p10le"}, "its pixel format 'yuv420p10le' is none of ('yuv420p', 'yuvj420p')"),
        ({"num_video_streams": 2}, "it has 2 video streams"),
        ({"quarter_turns": 3}, "it is stored rotated or mirrored"),
        ({"flipped": True}, "it is stored rotated or mirrored"),
        ({"interlaced": True}, "it is interlaced"),
        ({"has_duration": False}, "it has no duration"),
        ({"coded_width": 64}, "its width of 64 pixels is below 96"),
    ],
)
def test_each_guard_rule_alone(change, text):
    assert decord_refusal(SAFE) is None
    assert decord_refusal(replace(SAFE, **change)) == text


def test_guard_names_open_gops():
    assert "open GOP" in decord_refusal(replace(SAFE, open_gop=True))


def test_several_streams_are_counted(tmp_path):
    index = probe(make_video(tmp_path / "two.mp4", num_frames=3, num_streams=2))
    assert decord_refusal(index) == "it has 2 video streams"


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("flipped", [False, True])
def test_orientation_moves_pixels_as_the_matrix_says(quarter_turns, flipped):
    turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarter_turns)  # counter-clockwise with y down
    linear = turn @ (np.diag([-1, 1]) if flipped else np.eye(2, dtype=int))  # mirror first: p' = linear @ (x, y)
    (a, c), (b, d) = (65536 * linear).tolist()
    picture = np.arange(15).reshape(3, 5)
    ys, xs = np.indices(picture.shape)
    moved = linear @ np.stack([xs.ravel(), ys.ravel()])
    moved = moved - moved.min(axis=1, keepdims=True)
    expected = np.zeros(moved.max(axis=1)[::-1] + 1, dtype=int)
    expected[moved[1], moved[0]] = picture.ravel()
    turns, mirrored = orientation((a, b, 0, c, d, 0, 0, 0, 1 << 30), source("clip.mp4"))
    np.testing.assert_array_equal(np.rot90(picture[:, ::-1] if mirrored else picture, turns), expected)


def test_orientation_without_matrix_or_at_an_odd_angle(tmp_path):
    assert orientation(None, source("clip.mp4")) == (0, False)
    path = make_video(tmp_path / "tilted.mp4", num_frames=2, rotation=(30, False))
    with pytest.raises(DecodeError, match=r"tilted\.mp4.*'pyav'.*no multiple of 90 degrees"):
        probe(path)


@pytest.mark.parametrize("case", each(["rotated_90.mov", "rotated_180.mov"]), indirect=True)
def test_decord_turns_the_same_way(case):
    decord = pytest.importorskip("decord")
    index = probe(case.path)
    second_opinion = decord.VideoReader(str(case.path), num_threads=1)[0].asnumpy()
    stored = whole_file(case.path)[0]
    np.testing.assert_array_equal(np.rot90(stored, index.quarter_turns), second_opinion)


def test_a_header_that_claims_huge_frames_is_refused(tmp_path, monkeypatch):
    path = make_video(tmp_path / "clip.mp4", num_frames=2)
    monkeypatch.setattr("stvit_video.data.decoding.probe.MAX_FRAME_PIXELS", 98 * 70 - 1)
    with pytest.raises(DecodeError, match=r"\b98x70 pixels .*\b6859 pixels allowed\b"):
        probe(path)


@pytest.mark.parametrize("case", both("plain.mp4"), indirect=True)
def test_time_limit_while_listing_packets(case, monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(ticks)))
    with pytest.raises(DecodeTimeoutError, match="listing .*time limit of 10 s"):
        probe(case.path)


def test_the_times_of_a_variable_rate_are_its_time_stamps(tmp_path):
    steps = [0, 1, 2, 10, 11, 12, 24, 25]  # in 1/25 s
    times = probe(make_video(tmp_path / "vfr.mp4", num_frames=8, pts=steps)).times
    assert (times.seconds * 25).tolist() == pytest.approx(steps)
    assert (times.fps, times.is_constant) == (pytest.approx(7), False)
