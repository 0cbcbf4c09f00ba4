"""A video in memory that notes each reading, and the views that a data set makes of it."""

from contextlib import nullcontext

import numpy as np
import pytest

from stvit_video.data.loading import frame_source
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.preprocessing import Preprocessing

PLAIN = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


class CountingVideo:
    """Frame i is a grey of i, its columns a little lighter to the right."""

    fps = 30.0

    def __init__(self, num_frames, height, width):
        columns = np.arange(width, dtype=np.uint8)[None, None, :, None]
        numbers = np.arange(num_frames, dtype=np.uint8)[:, None, None, None]
        self.frames = np.broadcast_to(numbers + columns, (num_frames, height, width, 3))
        self.num_frames = num_frames
        self.times = FrameTimes.constant(num_frames, self.fps)
        self.readings = []

    def read(self, indices):
        self.readings.append(list(indices))
        return self.frames[list(indices)].copy()


@pytest.fixture
def views_of(monkeypatch, tmp_path):
    """A function: a video in memory and settings -> the item that the data set makes of it."""

    def make(video, **settings):
        monkeypatch.setattr(frame_source, "open_video", lambda path, **_: nullcontext(video))
        manifest = Manifest((VideoRecord(tmp_path / "v.mp4", 0, "v.mp4"),), ("x",))
        return ViewDataset(manifest, preprocessing=PLAIN, **settings)[0]

    return make
