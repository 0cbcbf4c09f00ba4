"""Both readers alone: seeking against decoding from the start, hanging calls, and errors that must not be swallowed."""

import time
from dataclasses import replace

import numpy as np
import pytest
from video_maker import CASES, CLOSED_GOP, OPEN_GOP, make_video, whole_file

from stvit_video.data.backends import DecordReader, PyavReader, run_within
from stvit_video.data.probe import probe_video
from stvit_video.data.source import DecodeError, DecodeTimeoutError, Source


def opened(reader_class, path, *, seconds=10.0, **changes):
    source = Source(str(path), reader_class.__name__, seconds)
    index = replace(probe_video(source, Source("", "", 10.0).deadline()), **changes)
    return reader_class(source, index, source.deadline())


def read(reader, indices):
    return reader.read(indices, Source("", "", 10.0).deadline())


ORDERS = ([34, 0, 34, 17], [9, 10, 11], [20, 19, 1], [3, 33], [12])


@pytest.mark.parametrize(
    ("name", "options"),
    [("closed.mp4", CLOSED_GOP), ("closed.mkv", CLOSED_GOP), ("open.mp4", OPEN_GOP), ("ts.ts", CLOSED_GOP)],
)
def test_pyav_in_any_order_equals_decoding_from_the_start(tmp_path, name, options):
    path = make_video(tmp_path / name, options=options)
    expected, reader = whole_file(path), opened(PyavReader, path)
    for order in ORDERS:
        np.testing.assert_array_equal(read(reader, order), expected[order])
    reader.close()


@pytest.mark.parametrize("name", ["closed.mp4", "closed.mkv"])
def test_decord_in_any_order_equals_decoding_from_the_start(tmp_path, name):
    pytest.importorskip("decord")
    path = make_video(tmp_path / name)
    expected, reader = whole_file(path), opened(DecordReader, path)
    for order in ORDERS:
        np.testing.assert_array_equal(read(reader, order), expected[order])
    reader.close()


def test_a_sorted_clip_is_one_seek_and_one_pass(tmp_path, monkeypatch):
    reader = opened(PyavReader, make_video(tmp_path / "clip.mp4"))
    pulled = []
    pull = reader._decode_one
    monkeypatch.setattr(reader, "_decode_one", lambda deadline: pulled.append(1) or pull(deadline))
    read(reader, [23, 25, 27])
    assert len(pulled) == 8  # frames 20 to 27
    read(reader, [28, 29])
    assert len(pulled) == 10


def test_a_seek_that_fails_is_made_good_from_the_start(tmp_path):
    path = make_video(tmp_path / "open.mp4", options=OPEN_GOP)
    reader = opened(PyavReader, path, keyframes=(0, 7, 13))  # decoding can't start at 7 or 13
    np.testing.assert_array_equal(read(reader, [14, 20]), whole_file(path)[[14, 20]])


def test_an_index_that_promises_other_frames_is_an_error(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    reader = opened(PyavReader, path, pts=(0, 512, 1024, 1536, 2048, 2560))
    assert read(reader, [4]).shape == (1, 70, 98, 3)
    with pytest.raises(
        DecodeError, match=r"clip\.mp4.*PyavReader.*frame 5 of 6 is lost \(the file ends after 5 frames\)"
    ):
        read(reader, [5])
    reader = opened(PyavReader, path, pts=(0, 512, 1000, 1536, 2048))
    with pytest.raises(DecodeError, match=r"frame 2 of 5 is lost \(timestamp 1024 comes instead of 1000\)"):
        read(reader, [4])
    assert read(reader, [1]).shape == (1, 70, 98, 3)  # an error does not spoil what can be read


def test_a_seek_behind_the_last_frame_is_an_error(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    reader = opened(PyavReader, path, pts=(0, 512, 1024, 1536, 2048, 90000, 90512), keyframes=(0, 5))
    with pytest.raises(DecodeError, match=r"frame 5 of 7 is lost \("):
        read(reader, [6])
    np.testing.assert_array_equal(read(reader, [3]), whole_file(path)[[3]])


def test_a_frame_of_another_size_is_an_error(tmp_path):
    reader = opened(PyavReader, make_video(tmp_path / "clip.mp4", num_frames=2), coded_height=72)
    with pytest.raises(DecodeError, match="a frame is 98x70 where the first is 98x72"):
        read(reader, [0])


def test_lost_packets_are_an_error_not_a_shorter_video():
    with pytest.raises(DecodeError, match=r"corrupted\.mp4.*frame 28 of 50 is lost \(.*Invalid data"):
        opened(PyavReader, CASES / "corrupted.mp4")


def test_pyav_time_limit_while_decoding():
    path = CASES / "stream_copied_trim.mp4"
    source = Source(str(path), "pyav", 10.0)
    index, over = probe_video(source, source.deadline()), replace(source, time_limit_seconds=1e-9).deadline()
    with pytest.raises(DecodeTimeoutError, match="decoding took longer than the time limit of 10 s"):
        PyavReader(source, index, over)


def test_decord_count_must_be_the_index(tmp_path):
    pytest.importorskip("decord")
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    with pytest.raises(DecodeError, match="decord counts 5 frames where the packets hold 2"):
        opened(DecordReader, path, pts=(0, 512))


def test_decord_shape_must_be_the_index(tmp_path):
    pytest.importorskip("decord")
    reader = opened(DecordReader, make_video(tmp_path / "clip.mp4", num_frames=3), coded_height=72)
    with pytest.raises(DecodeError, match=r"shape \(1, 70, 98, 3\) instead of \(1, 72, 98, 3\)"):
        read(reader, [1])


def test_a_hanging_decord_is_an_error_in_time(tmp_path, monkeypatch):
    decord = pytest.importorskip("decord")
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    monkeypatch.setattr(decord, "VideoReader", lambda *args, **settings: time.sleep(3))
    with pytest.raises(DecodeTimeoutError, match=r"a call of DecordReader took longer than the time limit of 0\.05 s"):
        opened(DecordReader, path, seconds=0.05)


def test_run_within_hands_back_results_and_errors():
    assert run_within(lambda: 7, seconds=5) == 7
    with pytest.raises(KeyError, match="seven"):
        run_within(lambda: {}["seven"], seconds=5)
    with pytest.raises(TimeoutError, match=r"the call took longer than 0\.01 s"):
        run_within(lambda: time.sleep(1), seconds=0.01)
