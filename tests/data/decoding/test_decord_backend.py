"""decord alone: in any order, hanging calls, and errors that must not be swallowed."""

import time
from dataclasses import replace

import numpy as np
import pytest
from video_maker import make_video, whole_file

from stvit_video.data.decoding.decord_backend import DecordReader
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest, DecodeTimeoutError


def opened(reader_class, path, *, seconds=10.0, **changes):
    source = DecodeRequest(str(path), reader_class.__name__, seconds)
    index = replace(probe_video(source, DecodeRequest("", "", 10.0).deadline()), **changes)
    return reader_class(source, index, source.deadline())


def read(reader, indices):
    return reader.read(indices, DecodeRequest("", "", 10.0).deadline())


ORDERS = ([34, 0, 34, 17], [9, 10, 11], [20, 19, 1], [3, 33], [12])


@pytest.mark.parametrize("name", ["closed.mp4", "closed.mkv"])
def test_decord_in_any_order_equals_decoding_from_the_start(tmp_path, name):
    pytest.importorskip("decord")
    path = make_video(tmp_path / name)
    expected, reader = whole_file(path), opened(DecordReader, path)
    for order in ORDERS:
        np.testing.assert_array_equal(read(reader, order), expected[order])
    reader.close()


def test_decord_count_must_be_the_index(tmp_path):
    pytest.importorskip("decord")
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    with pytest.raises(DecodeError, match=r"decord counts 5 .*\b2$"):
        opened(DecordReader, path, pts=(0, 512))


def test_decord_shape_must_be_the_index(tmp_path):
    pytest.importorskip("decord")
    reader = opened(DecordReader, make_video(tmp_path / "clip.mp4", num_frames=3), coded_height=72)
    with pytest.raises(DecodeError, match=r"\(1, 70, 98, 3\) instead of \(1, 72, 98, 3\)"):
        read(reader, [1])


def test_a_hanging_decord_is_an_error_in_time(tmp_path, monkeypatch):
    decord = pytest.importorskip("decord")
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    monkeypatch.setattr(decord, "VideoReader", lambda *args, **settings: time.sleep(3))
    with pytest.raises(DecodeTimeoutError, match=r"DecordReader .*time limit of 0\.05 s"):
        opened(DecordReader, path, seconds=0.05)


def test_a_bridge_that_somebody_else_has_set_does_not_matter(tmp_path):
    decord = pytest.importorskip("decord")
    path = make_video(tmp_path / "clip.mp4", num_frames=5)
    decord.bridge.set_bridge("torch")
    try:
        np.testing.assert_array_equal(read(opened(DecordReader, path), [3, 1]), whole_file(path)[[3, 1]])
    finally:
        decord.bridge.set_bridge("native")
