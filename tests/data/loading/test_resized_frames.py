"""Frames in several sizes by one pass: what a plain reading gives, with a bounded number in full size at a time."""

from contextlib import nullcontext

import pytest
import torch
from counting_video import CountingVideo

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading import frame_source
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.resized_frames import read_resized
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.transforms.functional import channels_first, resize_short_side


@pytest.fixture
def video(monkeypatch):
    video = CountingVideo(31, 20, 26)
    monkeypatch.setattr(frame_source, "open_video", lambda path, **_: nullcontext(video))
    return video


def test_sizes_are_those_of_a_plain_reading(video, tmp_path):
    record = VideoRecord(tmp_path / "v.mp4", 0, "v.mp4", start_seconds=0.5)
    frames = read_resized(FrameSource(), record, lambda times: [0, 3, times.num_frames - 1], short_sides={7, 20})
    whole = FrameSource().read(record, lambda times: [0, 3, times.num_frames - 1]).frames
    assert set(frames) == {7, 20}
    for side, found in frames.items():
        assert torch.equal(found, resize_short_side(channels_first(whole), short_side=side))
    assert frames[7].shape == (3, 3, 7, 9)


def test_a_bounded_number_of_frames_is_read_at_a_time(video, tmp_path):
    record, indices = VideoRecord(tmp_path / "v.mp4", 0, "v.mp4"), list(range(0, 30, 2))
    frame_bytes = 20 * 26 * 3
    frames = read_resized(
        FrameSource(), record, lambda times: indices, short_sides=[5], chunk_bytes=4 * frame_bytes + 1
    )
    assert [len(reading) for reading in video.readings] == [1, 4, 4, 4, 2]
    assert [index for reading in video.readings for index in reading] == indices
    assert len(frames[5]) == len(indices)


def test_a_broken_video_is_remembered(tmp_path):
    source, record = FrameSource(warn=False), VideoRecord(tmp_path / "no.mp4", 0, "no.mp4")
    for _ in range(2):
        with pytest.raises(DecodeError, match=r"no\.mp4"):
            read_resized(source, record, lambda times: [0], short_sides=[5])
