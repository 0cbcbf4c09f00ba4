"""Views that settings share: pixels as `ViewDataset` cuts them, every frame decoded once, equal views once."""

from collections import Counter
from contextlib import nullcontext

import pytest
import torch
from counting_video import PLAIN, CountingVideo

from stvit_video.budgets.shared_views import SharedViews
from stvit_video.data.loading import frame_source
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.run_settings import RunSettings

SETTINGS = [
    RunSettings(
        num_frames=num_frames,
        frame_stride=frame_stride,
        crop_size=crop_size,
        short_side=crop_size + 4,
        num_tokens=None,
        generate_at=None,
        num_clips=num_clips,
        num_crops=num_crops,
    )
    for num_frames in (3, 5)
    for frame_stride in (1, 4)
    for crop_size in (12, 20)
    for num_clips in (1, 2, 4)
    for num_crops in (1, 3)
]


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """A video in memory, how often it was opened, and a function: protocol, settings -> what they share."""
    video, openings = CountingVideo(61, 28, 42), []
    monkeypatch.setattr(frame_source, "open_video", lambda path, **_: openings.append(path) or nullcontext(video))
    record = VideoRecord(tmp_path / "v.mp4", 0, "v.mp4", start_seconds=0.2)

    def make(protocol="uniform", settings=SETTINGS):
        return SharedViews(
            FrameSource(), record, settings, protocol=find_protocol(protocol), interpolation=PLAIN.interpolation
        )

    return video, openings, record, make


def test_all_settings_together_open_the_video_once_and_decode_each_frame_once(opened):
    video, openings, _, make = opened
    make()
    counts = Counter(index for reading in video.readings for index in reading)
    assert len(openings) == 1
    assert set(counts.values()) == {1}
    wanted = set()
    for one in SETTINGS:
        before = len(video.readings)
        make(settings=[one])
        wanted |= {index for reading in video.readings[before:] for index in reading}
    assert set(counts) == wanted  # and none that nobody wants


@pytest.mark.parametrize("protocol", ["uniform", "videoswin", "slowfast"])
@pytest.mark.parametrize("place", range(0, len(SETTINGS), 5))
def test_views_are_those_of_the_data_set(opened, protocol, place):
    _, _, record, make = opened
    one = SETTINGS[place]
    shared = make(protocol)
    preprocessing = Preprocessing(
        num_frames=one.num_frames,
        frame_stride=one.frame_stride,
        short_side=one.short_side,
        crop_size=one.crop_size,
    )
    dataset = ViewDataset(
        Manifest((record,), ("x",)),
        preprocessing=preprocessing,
        protocol=protocol,
        num_clips=one.num_clips,
        num_crops=one.num_crops,
    )
    assert torch.equal(shared.cut_all(shared.views_of(one)), dataset[0]["views"])


def test_equal_views_are_known_as_such(opened):
    _, _, _, make = opened
    shared = make()
    views = [
        view
        for one in SETTINGS
        if (one.num_frames, one.frame_stride, one.crop_size) == (5, 4, 20)
        for view in shared.views_of(one)
    ]
    assert len(views) == (1 + 2 + 4) * (1 + 3)
    assert len(set(views)) == (4 + 1) * 3  # the clips of two are the first and the last of four
