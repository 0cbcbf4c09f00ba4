"""The made videos: each has the oddity that its name says, a plain video hasn't."""

import shutil
import struct

import av
import pytest
from odd_videos import MADE
from real_data import real_cases, real_file
from video_cases import READABLE, REAL, REAL_READABLE, Case, each, made
from video_maker import whole_file

TURNED = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1)}  # clockwise degrees -> matrix, x right, y down


def stored_matrix(path):
    """The 2 x 2 turn in the track header of an mp4 or mov, read byte by byte: x' = a x + c y, y' = b x + d y."""
    data = path.read_bytes()
    start = data.index(b"tkhd") + 4 + 40  # behind version, times, track number, duration, layer, volume
    a, b, _, c, d = struct.unpack(">5i", data[start : start + 20])
    return tuple(round(value / 65536) for value in (a, b, c, d))


def stream_fact(path, name):
    with av.open(f"file:{path}") as container:
        return getattr(container.streams.video[0], name)


def first_pts(path):
    with av.open(f"file:{path}") as container:
        return next(packet.pts for packet in container.demux(video=0) if packet.size)


def duration(path):
    with av.open(f"file:{path}") as container:
        return container.duration


def num_packets(path):
    with av.open(f"file:{path}") as container:
        return sum(bool(packet.size) for packet in container.demux(video=0))


def decodes(path):
    try:
        return len(whole_file(path)) > 0
    except av.error.InvalidDataError:
        return False


def num_keyframes(path):
    with av.open(f"file:{path}") as container:
        return sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


def container_name(path):
    with av.open(f"file:{path}") as container:
        return container.format.name


# name -> whether a file has the oddity
ODDITIES = {
    "plain.mkv": lambda path: "matroska" in container_name(path),
    "long_gop.mp4": lambda path: num_keyframes(path) == 1,
    "short_32.mp4": lambda path: num_packets(path) == 32,
    "-one_pixel.mp4": lambda path: (stream_fact(path, "width"), stream_fact(path, "height")) == (1, 1),
    "animated.gif": lambda path: stream_fact(path, "name") == container_name(path) == "gif",
    "av1.mkv": lambda path: stream_fact(path, "codec").canonical_name == "av1",
    "h264_10bit.mp4": lambda path: (stream_fact(path, "name"), stream_fact(path, "pix_fmt")) == ("h264", "yuv420p10le"),
    "h265.mp4": lambda path: stream_fact(path, "name") == "hevc",
    "mpeg4.avi": lambda path: (stream_fact(path, "name"), container_name(path)) == ("mpeg4", "avi"),
    "vp8.webm": lambda path: stream_fact(path, "name") == "vp8",
    "rotated_90.mov": lambda path: stored_matrix(path) == TURNED[90],
    "rotated_180.mov": lambda path: stored_matrix(path) == TURNED[180],
    "stream_copied_trim.mp4": lambda path: first_pts(path) < 0,
    "ffmpeg_trim.mp4": lambda path: first_pts(path) < 0,
    "no_duration.mkv": lambda path: duration(path) is None,
    "corrupted.mp4": lambda path: num_packets(path) == stream_fact(path, "frames") and not decodes(path),
    "truncated.mp4": lambda path: num_packets(path) < stream_fact(path, "frames"),
    "empty.webm": lambda path: path.stat().st_size == 0,
}


def test_every_made_file_has_its_oddity_named():
    assert set(ODDITIES) == set(MADE) - {"plain.mp4"}


@pytest.mark.parametrize("case", [made(name) for name in ODDITIES], indirect=True)
def test_the_oddity_is_there_and_not_in_a_plain_video(case, made_case):
    assert ODDITIES[case.name](case.path)
    assert not ODDITIES[case.name](made_case("plain.mp4").path)


@pytest.mark.parametrize("case", each((), set(ODDITIES) & set(REAL)), indirect=True)
def test_its_real_counterpart_has_the_same_oddity(case):
    assert ODDITIES[case.name](case.path)


def test_a_plain_video_is_not_turned(made_case):
    assert stored_matrix(made_case("plain.mp4").path) == TURNED[0]


@pytest.mark.real_data
def test_the_real_files_are_those_that_the_tests_name():
    rows = real_cases()
    listed = {path.name for path in real_file("data", "decoder_cases").iterdir()} - {"cases.csv"}
    assert set(REAL) == set(rows) == listed
    assert {name for name, row in rows.items() if row["num_frames"]} == REAL_READABLE


@pytest.mark.parametrize("case", each(READABLE, REAL_READABLE), indirect=True)
def test_a_plain_decode_agrees_with_what_is_said_of_the_file(case):
    frames = whole_file(case.path)
    assert frames.shape == (case.num_frames, case.height, case.width, 3)
    assert stream_fact(case.path, "codec").name == case.codec


def test_files_that_need_ffmpeg_are_skipped_without_it(made_case, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match=r"ffmpeg_trim\.mp4 is made by the command ffmpeg"):
        made_case("ffmpeg_trim.mp4")


@pytest.mark.parametrize(("degrees", "clockwise", "size"), [(-90, 90, (5, 7)), (-180, 180, (7, 5)), (0, 0, (7, 5))])
def test_the_shown_size_by_hand(degrees, clockwise, size, tmp_path):
    case = Case(tmp_path / "a.mp4", "h264", 3, 7, 5, degrees)
    assert (case.shown_size, case.clockwise_degrees) == (size, clockwise)
