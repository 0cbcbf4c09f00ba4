"""Pixels that are not square: told, and left as they are stored."""

from fractions import Fraction

import numpy as np
import pytest
from real_data import real_file
from shape_maker import with_pixel_aspect
from video_maker import whole_file

from stvit_video.data.decoding.pixel_shape import NOT_SQUARE, aspect_remark, pixel_aspect, resized_aspect, turned_aspect
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeRequest
from stvit_video.data.decoding.video import open_video


def test_what_pyav_says_of_the_pixels():
    assert pixel_aspect(Fraction(64, 45)) == (64, 45)
    assert pixel_aspect(None) == pixel_aspect(Fraction(0)) == (1, 1)


def test_a_quarter_turn_exchanges_width_and_height():
    assert [turned_aspect((64, 45), quarter_turns=turns) for turns in range(4)] == [(64, 45), (45, 64)] * 2


def test_a_resize_keeps_the_shape_that_is_shown():
    assert resized_aspect((64, 45), before=(576, 720), after=(256, 320)) == Fraction(64, 45)
    narrower = resized_aspect((1, 1), before=(70, 98), after=(70, 49))
    assert narrower == 2
    after = resized_aspect((11, 7), before=(331, 997), after=(70, 212))
    assert float(after) * 212 / 70 == pytest.approx(11 / 7 * 997 / 331, rel=1e-6)


def test_the_remark_gives_ratio_shape_and_a_remedy():
    assert aspect_remark((1, 1), height=576, width=720) == aspect_remark((3, 3), height=5, width=7) == ""
    assert aspect_remark((84, 85), height=48, width=68) == ""
    words = aspect_remark((64, 45), height=576, width=720)
    assert words.startswith(NOT_SQUARE)
    for part in ("64:45", "720x576", "1024x576", "ffmpeg -i FILE -vf scale=iw*sar:ih,setsar=1 COPY"):
        assert part in words


@pytest.mark.parametrize(
    ("name", "codec", "aspect"),
    [
        ("a.mp4", "libx264", (64, 45)),
        ("a.mkv", "libx264", (40, 33)),
        ("a.ts", "libx264", (8, 9)),
        ("a.avi", "mpeg4", (16, 11)),
    ],
)
def test_every_container_states_it_and_frames_stay_as_stored(tmp_path, name, codec, aspect):
    path = with_pixel_aspect(tmp_path / name, aspect=aspect, codec=codec)
    source = DecodeRequest(str(path), "pyav", 10.0)
    assert probe_video(source, source.deadline()).pixel_aspect == aspect
    with open_video(path) as video:
        assert (video.width, video.height, video.pixel_aspect) == (72, 58, aspect)
        np.testing.assert_array_equal(video.read([3]), whole_file(path)[[3]])


def test_of_a_turned_file_it_is_that_of_the_displayed_frame(tmp_path):
    path = with_pixel_aspect(tmp_path / "a.mp4", rotation=90)
    for backend in ("pyav", "isolated"):
        with open_video(path, backend=backend) as video:
            assert (video.width, video.height, video.pixel_aspect) == (58, 72, (45, 64))


@pytest.mark.real_data
def test_the_real_file():
    with open_video(real_file("data", "field_cases", "sar.mp4")) as video:
        assert (video.width, video.height, video.pixel_aspect) == (720, 576, (64, 45))
