"""Every kind of file against a plain whole-file decode, and every backend that takes a file against PyAV."""

import av
import numpy as np
import pytest
from av.stream import Disposition
from odd_videos import write_unseekable
from real_data import real_file
from shape_maker import SIZES, changing_size
from video_cases import READABLE, REAL_READABLE, each
from video_maker import CLOSED_GOP, OPEN_GOP, make_video, remuxed, whole_file

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import READERS, open_video
from stvit_video.utils.optional import MissingLibraryError

VARIABLE = [0, 1, 2, 3, 7, 8, 20, 21, 22, 30, 31, 45, 46, 47, 48, 60, 75]
SLOWEST = {"preset": "12"}
X265 = "log-level=none:keyint=10:min-keyint=10"
# name -> arguments of make_video
MADE = {
    "bframes.mp4": {},
    "bframes.mkv": {},
    "fragmented.mp4": {"muxing": {"movflags": "frag_keyframe+empty_moov"}},
    "open_gop.mp4": {"options": OPEN_GOP},
    "intra_refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=10"}},
    "variable_rate.mp4": {"pts": VARIABLE},
    "variable_rate.mkv": {"pts": VARIABLE},
    "late_start.mp4": {"first_pts": 6400},
    "ten_bit.mp4": {"pixel_format": "yuv420p10le"},
    "full_colour.mp4": {"pixel_format": "yuv444p", "size": (97, 71)},
    "full_range.mp4": {"pixel_format": "yuvj420p"},
    "stream.ts": {},
    "flash.flv": {},
    "hevc_open.mp4": {"codec": "libx265", "options": {"x265-params": X265}},
    "hevc_closed.mkv": {"codec": "libx265", "options": {"x265-params": f"{X265}:open-gop=0"}},
    "hevc_ten_bit.mp4": {"codec": "libx265", "options": {"x265-params": X265}, "pixel_format": "yuv420p10le"},
    "vp8_hidden_frames.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "9", "g": "12"}},
    "vp9_hidden_frames.webm": {"codec": "libvpx-vp9", "options": {"auto-alt-ref": "1", "lag-in-frames": "9"}},
    "vp9.mp4": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "g": "10"}},
    "no_duration.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}, "muxing": {"live": "1"}},
    "no_duration.mkv": {"muxing": {"live": "1"}},
    "av1.mp4": {"codec": "libsvtav1", "options": SLOWEST},
    "av1.webm": {"codec": "libsvtav1", "options": SLOWEST, "pts": VARIABLE},
    "av1_ten_bit.mkv": {"codec": "libsvtav1", "options": SLOWEST, "pixel_format": "yuv420p10le"},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"bf": "2", "g": "10"}},
    "mpeg4_packed.avi": {"codec": "mpeg4", "options": {"bf": "2", "g": "10"}},
    "windows.wmv": {"codec": "wmv2", "options": {}},
    "motion_jpeg.mov": {"codec": "mjpeg", "options": {}, "pixel_format": "yuvj420p"},
    "lossless.mkv": {"codec": "ffv1", "options": {}, "pixel_format": "yuv422p"},
    "moving.gif": {"codec": "gif", "options": {}, "pixel_format": "rgb8"},
}


def check(video, expected):
    """Frames in order (some, where there are many) and in disorder, identical."""
    assert video.num_frames == len(expected)
    disorder = np.random.default_rng(len(expected)).integers(0, len(expected), 3)
    for order in (np.arange(0, len(expected), 1 + len(expected) // 80), [*disorder, len(expected) - 1, 0]):
        np.testing.assert_array_equal(video.read(order), expected[order])


@pytest.mark.parametrize("name", MADE)
def test_every_kind_of_file_gives_exactly_the_displayed_frames(tmp_path, name):
    if name == "no_duration.mkv":
        with open(tmp_path / name, "wb") as file:
            write_unseekable(make_video(tmp_path / "seekable.mkv"), file)
        path = tmp_path / name
    else:
        path = make_video(tmp_path / name, **MADE[name])
    expected = whole_file(path)
    with open_video(path) as video:
        check(video, expected)
    try:
        with open_video(path, backend="decord") as video:
            check(video, expected)
    except DecodeError as error:
        assert "decord is not safe on this file" in str(error)  # noqa: PT017


def test_a_stream_without_duration_is_made_without_one(tmp_path):
    with open(tmp_path / "live.mkv", "wb") as file:
        write_unseekable(make_video(tmp_path / "clip.mkv", num_frames=5), file)
    make_video(tmp_path / "live.webm", num_frames=5, **MADE["no_duration.webm"])
    for name in ("live.mkv", "live.webm"):
        with av.open(str(tmp_path / name)) as container:
            assert container.duration is None


@pytest.mark.parametrize(("shift", "num_shown"), [(-7 * 512, 28), (6 * 512, 35)])
def test_edit_lists_are_followed(tmp_path, shift, num_shown):
    options = {**CLOSED_GOP, "bf": "0"}
    path = remuxed(make_video(tmp_path / "clip.mp4", options=options), tmp_path / "edited.mp4", shift_pts=shift)
    expected = whole_file(tmp_path / "clip.mp4")[35 - num_shown :]
    np.testing.assert_array_equal(whole_file(path), expected)
    with open_video(path) as video:
        check(video, expected)


def test_a_copy_cut_between_keyframes_starts_where_decoding_can(tmp_path):
    clip = make_video(tmp_path / "clip.mp4")
    path = remuxed(clip, tmp_path / "cut.mkv", keep=lambda number: number >= 10)
    with open_video(path) as video:
        check(video, whole_file(clip)[10:])


@pytest.mark.parametrize("name", ["two.mkv", "two.mp4"])
def test_the_best_of_several_streams_is_read(tmp_path, name):
    small = make_video(tmp_path / "small.mp4", size=(98, 54), num_frames=12)
    large = make_video(tmp_path / "large.mp4", size=(146, 110), num_frames=9)
    with av.open(str(small)) as first, av.open(str(large)) as second, av.open(str(tmp_path / name), "w") as out:
        sources = [(source, out.add_stream_from_template(source.streams.video[0])) for source in (first, second)]
        sources[0][1].disposition, sources[1][1].disposition = Disposition(0), Disposition.default
        for source, stream in sources:
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    with open_video(tmp_path / name) as video:
        assert (video.width, video.height) == (146, 110)
        check(video, whole_file(large))


CHANGING = [
    ("libvpx", "a.webm"),
    ("libvpx-vp9", "a.webm"),
    ("libx264", "a.mkv"),
    ("libx264", "a.mp4"),
    ("libx264", "a.ts"),
]


def same_whichever_frames_are_drawn(path, *, first_size, other_size, backend):
    """Read from either end, across the change and alone; returns all frames."""
    with open_video(path, backend=backend) as video:
        assert (video.width, video.height) == first_size
        whole = video.read(range(video.num_frames))
    last, middle = len(whole) - 1, len(whole) // 2
    for numbers in ([last], [last, 0], [middle], [middle - 1, middle], [0, last, middle]):
        with open_video(path, backend=backend) as video:
            np.testing.assert_array_equal(video.read(numbers), whole[numbers])
            if backend == "pyav" and max(numbers) >= middle:
                assert video.other_sizes == {other_size}
    return whole


@pytest.mark.parametrize(("codec", "name"), CHANGING)
def test_frames_of_another_size_are_scaled_to_the_first_whichever_are_drawn(tmp_path, codec, name):
    """As the ffmpeg command does; decord and torchcodec, which fail on some clips of such a file, are refused."""
    path = changing_size(tmp_path / name, codec=codec)
    for backend in ("pyav", "isolated"):
        frames = same_whichever_frames_are_drawn(path, first_size=SIZES[0], other_size=SIZES[1], backend=backend)
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray(format="rgb24", width=98, height=70) for frame in container.decode(video=0)]
    assert np.abs(frames.astype(int) - np.stack(stored)).mean() < 5  # another scaler; another frame: 80
    for backend in ("decord", "torchcodec"):
        with pytest.raises((DecodeError, MissingLibraryError), match="is not safe on this file|torchcodec"):
            open_video(path, backend=backend)


@pytest.mark.real_data
def test_the_real_file_of_changing_size():
    path = real_file("data", "field_cases", "res_change.webm")
    same_whichever_frames_are_drawn(path, first_size=(320, 180), other_size=(160, 90), backend="pyav")


@pytest.mark.parametrize("backend", sorted(set(READERS) - {"pyav"}))  # PyAV on these is in test_decode
@pytest.mark.parametrize("case", each(READABLE, REAL_READABLE), indirect=True)
def test_backends_that_take_a_case_answer_alike(case, backend):
    path, expected = case.path, whole_file(case.path, clockwise_degrees=case.clockwise_degrees)
    try:
        with open_video(path, backend=backend) as video:
            assert video.backend == backend
            check(video, expected)
    except MissingLibraryError as error:
        pytest.skip(f"{backend} is an optional library here: {error}")
    except DecodeError as error:
        assert backend != "pyav"
        assert f"{backend} is not safe on this file" in str(error)  # noqa: PT017
