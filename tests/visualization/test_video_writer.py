"""Written videos: read back with the same size, rate, times and pictures; a stop leaves a file that plays."""

import av
import numpy as np
import pytest
from stamped_video import SCREEN_MS, numbered_picture, picture_numbers

from stvit_video.data.decode import open_video
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.visualization.video_writer import video_writer


def written(path, *, times, size=(64, 128), **settings):
    """Numbered pictures at these times; `size` is (height, width)."""
    with video_writer(path, height=size[0], width=size[1], times=times, **settings) as writer:
        for number in range(times.num_frames):
            picture = numbered_picture(number)
            rows, columns = np.arange(size[0]) * 64 // size[0], np.arange(size[1]) * 128 // size[1]
            writer.write(picture[rows][:, columns])
    return writer


@pytest.mark.parametrize("fps", [25.0, 30000 / 1001, 24000 / 1001, 12.5, 0.5, 14.9850149])
def test_a_constant_rate_comes_back(tmp_path, fps):
    path = tmp_path / "a b.mp4"
    assert written(path, times=FrameTimes.constant(7, fps)).notes == []
    with open_video(path) as video:
        assert (video.num_frames, video.height, video.width) == (7, 64, 128)
        assert video.fps == pytest.approx(fps, rel=1e-6)
        assert video.times.is_constant
        assert picture_numbers(video.read(range(7))) == list(range(7))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_time_stamps_of_a_variable_rate_come_back(tmp_path):
    seconds = np.array(SCREEN_MS) / 1000
    times = FrameTimes(seconds, float(seconds[-1]) + 0.5, len(seconds) / 7, is_constant=False)
    written(tmp_path / "a.mp4", times=times)
    with open_video(tmp_path / "a.mp4") as video:
        assert video.times.seconds == pytest.approx(seconds, abs=1e-4)
        assert not video.times.is_constant
        assert video.times.end_seconds == pytest.approx(times.end_seconds, abs=1e-3)
        assert picture_numbers(video.read(range(len(seconds)))) == list(range(len(seconds)))


@pytest.mark.parametrize("fps", [10.0, 24.0005])
def test_frames_beyond_those_that_were_told_follow_at_the_same_rate(tmp_path, fps):
    with video_writer(tmp_path / "a.mp4", height=64, width=128, times=FrameTimes.constant(3, fps)) as writer:
        for number in range(7):
            writer.write(numbered_picture(number))
    with open_video(tmp_path / "a.mp4") as video:
        assert video.times.seconds == pytest.approx(np.arange(7) / fps, abs=1e-4)


def test_frames_at_one_time_follow_each_other(tmp_path):
    times = FrameTimes(np.array([0, 0.5, 0.5, 0.5, 0.9]), 1.0, 5.0, is_constant=False)
    written(tmp_path / "a.mp4", times=times)
    with open_video(tmp_path / "a.mp4") as video:
        assert video.times.seconds == pytest.approx(times.seconds, abs=1e-4)
        assert picture_numbers(video.read(range(5))) == list(range(5))


@pytest.mark.parametrize("size", [(65, 127), (64, 101), (1, 1), (33, 660)])
def test_odd_sizes_are_kept_and_told(tmp_path, size):
    writer = written(tmp_path / "a.mp4", times=FrameTimes.constant(3, 25.0), size=size)
    assert len(writer.notes) == 1
    assert f"{size[1]}x{size[0]} has an odd side" in writer.notes[0]
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.num_frames, video.height, video.width) == (3, *size)


def test_one_frame_and_pixels_that_are_not_square(tmp_path):
    written(tmp_path / "a.mp4", times=FrameTimes.constant(1, 30.0), pixel_aspect=(4, 3))
    with open_video(tmp_path / "a.mp4") as video:
        assert (video.num_frames, video.fps, video.pixel_aspect) == (1, 30.0, (4, 3))


def test_the_index_stands_before_the_pictures(tmp_path):
    written(tmp_path / "a.mp4", times=FrameTimes.constant(5, 25.0))
    content = (tmp_path / "a.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_a_work_that_is_stopped_leaves_its_frames(tmp_path, stop):
    path = tmp_path / "a.mp4"
    times = FrameTimes.constant(40, 25.0)

    def work():
        with video_writer(path, height=64, width=128, times=times) as writer:
            for number in range(11):
                writer.write(numbered_picture(number))
            raise stop

    with pytest.raises(stop):
        work()
    with open_video(path) as video:
        assert picture_numbers(video.read(range(video.num_frames))) == list(range(11))


def test_without_a_frame_there_is_no_file(tmp_path):
    with video_writer(tmp_path / "a.mp4", height=64, width=128, times=FrameTimes.constant(4, 25.0)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_without_libx264_another_codec_is_taken_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    for size in ((64, 128), (65, 127)):
        times = FrameTimes(np.array([0, 0.1, 0.7]), 1.0, 3.0, is_constant=False)
        writer = written(tmp_path / "a.mp4", times=times, size=size)
        assert len(writer.notes) == 1
        assert "without libx264" in writer.notes[0]
        with open_video(tmp_path / "a.mp4") as video:
            assert (video.num_frames, video.height, video.width) == (3, *size)
            assert video.times.seconds == pytest.approx(times.seconds, abs=1e-3)


@pytest.fixture
def small_files():
    """A limit of the size of a file, as a full disk is to a writer."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_no_broken_file(tmp_path, small_files):
    path, noise = tmp_path / "a.mp4", np.random.default_rng(0)
    times = FrameTimes.constant(200, 25.0)

    def work():
        with (
            full_disk_is_told(path, advice="make room"),
            video_writer(path, height=64, width=128, times=times) as writer,
        ):
            for _ in range(60):
                writer.write(noise.integers(0, 256, (64, 128, 3), dtype=np.uint8))

    with pytest.raises(DiskFullError, match=r"a.mp4 can't be written, there is no room left .*; make room"):
        work()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        written(tmp_path / "none" / "a.mp4", times=FrameTimes.constant(1, 25.0))


def test_a_rate_that_is_no_fraction_of_small_numbers_is_kept_by_time_stamps(tmp_path):
    times = FrameTimes.constant(4, 1 / 3600)  # a frame an hour
    written(tmp_path / "a.mp4", times=times)
    with open_video(tmp_path / "a.mp4") as video:
        assert video.times.seconds == pytest.approx(times.seconds, abs=1e-3)


def test_colours_come_back_and_the_file_says_how_they_are_stored(tmp_path):
    colours = np.array([(200, 30, 40), (20, 180, 60), (40, 50, 220)], dtype=np.uint8)
    with video_writer(tmp_path / "a.mp4", height=720, width=1280, times=FrameTimes.constant(3, 25.0)) as writer:
        for colour in colours:
            writer.write(np.broadcast_to(colour, (720, 1280, 3)))
    with open_video(tmp_path / "a.mp4") as video:
        assert np.abs(video.read(range(3))[:, 360, 640].astype(int) - colours).max() <= 4
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.colorspace == 6
