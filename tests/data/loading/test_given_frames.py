"""Frames that are given are read as those of a file."""

from pathlib import Path

import torch

from stvit_video.data.loading.given_frames import GivenFrames
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes

RECORD = VideoRecord(path=Path("nothing"), label=0, video_id="nothing")


def test_chosen_frames_come_with_their_times():
    frames = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 2, 3, 3)  # (T, H, W, 3)
    seen = []

    def choose(times):
        seen.append((times.num_frames, times.fps, times.duration_seconds))
        return [4, 0, 0]

    reading = GivenFrames(frames, FrameTimes.constant(5, 10)).read(RECORD, choose)
    assert seen == [(5, 10, 0.5)]
    assert reading.frames.shape == (3, 2, 3, 3)
    assert reading.frames[:, 0, 0, 0].tolist() == [4, 0, 0]
    assert reading.seconds == [0.4, 0.0, 0.0]
