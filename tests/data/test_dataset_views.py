"""ViewDataset under named protocols: one decode pass a video, frames as the rule says, equal views made once."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from stvit_video.data import dataset as dataset_module
from stvit_video.data import frames as frames_module
from stvit_video.data.dataset import ViewDataset, collate_views
from stvit_video.data.manifest import Manifest, VideoRecord
from stvit_video.data.protocols import PROTOCOLS
from stvit_video.data.transforms import EvalTransform, Preprocessing

PLAIN = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


class CountingVideo:
    """A video in memory that notes each reading; frame i is a grey of i, its columns a little lighter to the right."""

    fps = 30.0

    def __init__(self, num_frames, height, width):
        columns = np.arange(width, dtype=np.uint8)[None, None, :, None]
        numbers = np.arange(num_frames, dtype=np.uint8)[:, None, None, None]
        self.frames = np.broadcast_to(numbers + columns, (num_frames, height, width, 3))
        self.num_frames = num_frames
        self.readings = []

    def read(self, indices):
        self.readings.append(list(indices))
        return self.frames[list(indices)].copy()

    def pts_seconds(self, index):
        return index / self.fps


@pytest.fixture
def views_of(monkeypatch, tmp_path):
    """A function: a video in memory and settings -> the item that the data set makes of it."""

    def make(video, **settings):
        monkeypatch.setattr(frames_module, "open_video", lambda path, **_: nullcontext(video))
        manifest = Manifest((VideoRecord(tmp_path / "v.mp4", 0, "v.mp4"),), ("x",))
        return ViewDataset(manifest, preprocessing=PLAIN, **settings)[0]

    return make


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_all_views_come_from_one_reading_of_the_union_in_order(views_of, name):
    video = CountingVideo(60, 24, 31)
    item = views_of(video, protocol=name, num_clips=5, num_crops=3)
    clips = PROTOCOLS[name].clips(60, 30.0, num_frames=3, frame_stride=2, num_clips=5)
    assert video.readings == [sorted({index for clip in clips for index in clip})]
    for view in range(15):
        assert (item["views"][view, 0, :, 0, 0] * 255).round().tolist() == [
            index + PROTOCOLS[name].corners(24, 31, crop_size=20, num_crops=3)[view % 3][1]
            for index in clips[view // 3]
        ]
        assert item["clip_starts_seconds"][view] == pytest.approx(clips[view // 3][0] / 30)


def test_views_equal_those_of_the_eval_transform_on_each_clip(views_of):
    video = CountingVideo(40, 37, 50)  # with resizing
    item = views_of(video, num_clips=3, num_crops=3)
    clips = PROTOCOLS["uniform"].clips(40, 30.0, num_frames=3, frame_stride=2, num_clips=3)
    transform = EvalTransform(PLAIN)
    expected = [transform.all_crops(torch.from_numpy(video.frames[clip].copy()), num_crops=3) for clip in clips]
    torch.testing.assert_close(item["views"], torch.cat(expected), rtol=0, atol=0)


def test_equal_views_are_made_once_and_named(views_of, monkeypatch):
    made = []
    to_clip = dataset_module.to_clip
    monkeypatch.setattr(dataset_module, "to_clip", lambda *given: made.append(1) or to_clip(*given))
    short = views_of(CountingVideo(4, 24, 31), protocol="videoswin", num_clips=2, num_crops=3)
    assert short["same_as"] == [0, 1, 2, 0, 1, 2]
    assert len(made) == 3
    assert torch.equal(short["views"][:3], short["views"][3:])
    square = views_of(CountingVideo(30, 20, 20), protocol="mvit", num_clips=2, num_crops=3)
    assert square["same_as"] == [0, 1, 2, 3, 4, 5]  # 24 x 24 pixels, crops of 20: these differ
    assert short["crops"] == square["crops"] == [0, 1, 2] * 2
    batch = collate_views([short, square])
    assert batch["same_as"].tolist() == [[0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5]]


def test_a_file_without_a_frame_rate_is_reported(views_of):
    video = CountingVideo(30, 24, 31)
    video.fps = 0.0
    item = views_of(video, protocol="slowfast", num_clips=2)
    assert item["error"].endswith("v.mp4: fps=0.0 must be a finite number above 0")
    assert item["same_as"] == [0, 1]
    assert video.readings == []


def test_an_unknown_protocol():
    manifest = Manifest((), ("x",))
    with pytest.raises(ValueError, match="protocol='best' is not known; use one of uniform"):
        ViewDataset(manifest, preprocessing=PLAIN, protocol="best")
