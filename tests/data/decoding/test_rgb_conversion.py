"""RGB as ffmpeg and torchcodec make it: against values that both gave, against each other, and against PyAV's own."""

from fractions import Fraction

import av
import numpy as np
import pytest
from video_maker import make_video, whole_file

from stvit_video.data.decoding.rgb_conversion import RgbConversion, turned_picture
from stvit_video.data.decoding.video import open_video
from stvit_video.utils.optional import MissingLibraryError

# Of the planes of `made_frame`: the same bytes from ffmpeg 5.1 (rawvideo to rgb24) and from torchcodec 0.17
GOLDEN = {
    ("yuv420p", 7, 5): (
        "14ffbe6dffff000a61f7c2ffc94be7529cf02be1ff00a3539effff001269632eafb234d063acff00a3d1d100006100000000d80016"
        "99004b5bfffeff5100ffff7653ff8f81e1000beb0098ff0cff544931d1ff86d40000ffb8aaff98a8ff8dffaf00d6786d5570e925"
    ),
    ("yuv420p10le", 6, 4): (
        "ff8b61ffb086960000ff9ad000da1f09e72cff7f56cc2000ffcaff9f000000a50000c206817dff5350ff601f004908000800cf1600"
        "dd0b08fff9f5ff713000f3b22ad9a4ff4913ff"
    ),
}
INTERLACED = {"x264-params": "tff=1:qp=0"}


def made_frame(pixel_format, width, height):
    """A frame of random planes, 4:2:0; 10 bits a sample where the format's name says so."""
    is_wide, generator = "10" in pixel_format, np.random.default_rng(5)
    top = 1024 if is_wide else 256
    frame = av.VideoFrame(width, height, pixel_format)
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    half = ((height + 1) // 2, (width + 1) // 2)
    for plane, shape in zip(frame.planes, ((height, width), half, half), strict=True):
        samples = generator.integers(top // 16, top, shape).astype("<u2" if is_wide else "u1")
        row_bytes = samples[0].nbytes
        rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        rows[: shape[0], :row_bytes] = samples.view(np.uint8).reshape(shape[0], row_bytes)
        plane.update(rows.tobytes())
    return frame


def converted(frame, *, size=None):
    width, height = (frame.width, frame.height) if size is None else size
    return RgbConversion(av, height=height, width=width).picture(frame)


def by_pyav(frame, **settings):
    return av.video.reformatter.VideoReformatter().reformat(frame, format="rgb24", threads=1, **settings).to_ndarray()


@pytest.mark.parametrize("kind", GOLDEN)
def test_odd_sizes_and_10_bit_as_ffmpeg_and_torchcodec_gave_them(kind):
    expected = np.frombuffer(bytes.fromhex(GOLDEN[kind]), np.uint8).reshape(kind[2], kind[1], 3)
    picture = converted(made_frame(*kind))
    assert (picture.shape, picture.dtype) == (expected.shape, np.uint8)
    assert np.abs(picture.astype(int) - expected).max() <= 1  # processors may round, each in its own way


def test_8_bit_of_even_size_is_what_pyav_makes_of_it_to_the_last_bit():
    for pixel_format in ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray"):
        source = av.VideoFrame.from_ndarray(np.random.default_rng(2).integers(0, 256, (70, 98, 3), np.uint8), "rgb24")
        frame = source.reformat(format=pixel_format)
        np.testing.assert_array_equal(converted(frame), by_pyav(frame))


def test_an_interlaced_frame_is_converted_like_any_other(tmp_path):
    """The place of the fields decides nothing: the planes alone do, as in ffmpeg."""
    path = make_video(tmp_path / "interlaced.mp4", size=(98, 72), num_frames=3, options=INTERLACED)
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.interlaced_frame
            plain = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
            np.testing.assert_array_equal(converted(frame), by_pyav(plain))


def test_a_frame_of_another_size_is_scaled():
    frame = made_frame("yuv420p", 6, 4)
    picture = converted(frame, size=(9, 5))
    resized = by_pyav(frame, width=9, height=5, interpolation="BICUBIC")
    assert picture.shape == (5, 9, 3)
    assert np.abs(picture.astype(int) - resized).mean() < 2


def test_one_conversion_takes_frames_of_changing_sizes_and_formats():
    conversion = RgbConversion(av, height=4, width=6)
    frames = [made_frame("yuv420p", 6, 4), made_frame("yuv420p10le", 7, 5), made_frame("yuv420p", 9, 3)]
    for frame in (*frames, frames[0]):
        np.testing.assert_array_equal(conversion.picture(frame), converted(frame, size=(6, 4)))


LIVE = {  # name -> arguments of make_video
    "ten_bit.mp4": {"pixel_format": "yuv420p10le"},
    "ten_bit_422.mp4": {"pixel_format": "yuv422p10le"},
    "odd.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}, "size": (97, 71)},
    "odd_height.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}, "size": (98, 71)},
    "hdr.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "log-level=none:keyint=5:open-gop=0:chromaloc=2:colormatrix=bt2020nc"},
        "pixel_format": "yuv420p10le",
    },
    "interlaced.mp4": {"size": (98, 72), "options": INTERLACED},
    "interlaced_ten_bit.mp4": {"size": (98, 72), "options": {"x264-params": "tff=1"}, "pixel_format": "yuv420p10le"},
    "av1.mkv": {"codec": "libsvtav1", "options": {"preset": "12"}, "pixel_format": "yuv420p10le"},
}


@pytest.mark.parametrize("name", LIVE)
def test_torchcodec_gives_the_same_frames(tmp_path, name):
    path = make_video(tmp_path / name, num_frames=6, **LIVE[name])
    with open_video(path) as video:
        frames = video.read(range(6))
    np.testing.assert_array_equal(frames, whole_file(path))
    try:
        with open_video(path, backend="torchcodec") as video:
            np.testing.assert_array_equal(video.read(range(6)), frames)
    except MissingLibraryError as error:
        pytest.skip(f"torchcodec is an optional extra: {error}")


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_stored_picture_as_it_is_displayed(turns, flipped):
    picture = np.arange(2 * 5 * 3).reshape(2, 5, 3)
    rows = [list(reversed(row)) if flipped else row for row in picture.tolist()]
    for _ in range(turns):  # counter-clockwise: the last column becomes the first row
        rows = [[row[column] for row in rows] for column in reversed(range(len(rows[0])))]
    assert turned_picture(picture, quarter_turns=turns, flipped=flipped).tolist() == rows
