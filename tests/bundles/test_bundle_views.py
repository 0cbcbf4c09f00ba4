"""Views without torch are those that evaluation and prediction read with torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stvit_video.bundles import bundle_views
from stvit_video.bundles.bundle_views import GivenVideo, read_views, views_of
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.test_protocol import TestProtocol

SIZES = Preprocessing(num_frames=4, frame_stride=3, short_side=18, crop_size=16)


def by_torch(record: VideoRecord, preprocessing: Preprocessing, protocol: TestProtocol) -> dict:
    return ViewDataset(
        Manifest((record,), ("a",)),
        preprocessing=preprocessing,
        protocol=protocol.name,
        num_clips=protocol.num_clips,
        num_crops=protocol.num_crops,
    )[0]


@pytest.mark.parametrize(
    ("name", "views", "changes"),
    [
        ("uniform", {"num_clips": 2, "num_crops": 3}, {}),
        ("uniform", {"num_clips": 3, "num_crops": 1}, {"interpolation": "bicubic", "short_side": 33}),
        ("videoswin", {}, {}),
        ("mvit", {"num_clips": 5}, {"num_frames": 3}),
        ("videomae_ssv2", {}, {"frame_stride": 40}),
        ("single", {}, {"num_frames": 1, "short_side": 20}),  # the size of the file: no resizing
    ],
)
def test_every_pixel_is_that_of_the_data_set(tiny_run, name, views, changes):
    protocol = TestProtocol.named(name, **views)
    trained = replace(SIZES, **changes)
    preprocessing = find_protocol(name).preprocessing(trained, num_crops=protocol.num_crops)
    whole = VideoRecord(path=tiny_run.videos[1], label=0, video_id="b")
    for record in (whole, replace(whole, start_seconds=0.55, end_seconds=1.6)):
        ours = read_views(record, preprocessing=preprocessing, protocol=protocol)
        theirs = by_torch(record, preprocessing, protocol)
        assert theirs["error"] == ""
        expected = theirs["views"].permute(0, 2, 3, 4, 1).numpy()  # (V, T, H, W, 3)
        assert ours.views.dtype == np.uint8
        assert ours.views.shape == expected.shape
        assert np.abs(ours.views.astype(int) - expected).max() <= 1
        assert (ours.seconds, list(ours.same_as)) == (pytest.approx(theirs["seconds"]), list(theirs["same_as"]))


def test_a_few_frames_are_in_memory_at_a_time(tiny_run, monkeypatch):
    record = VideoRecord(path=tiny_run.videos[0], label=0, video_id="a")
    protocol = TestProtocol.named("uniform", num_clips=3, num_crops=1)
    whole = read_views(record, preprocessing=SIZES, protocol=protocol)
    asked = []
    read = bundle_views.open_video

    def noting(*given, **settings):
        video = read(*given, **settings)
        real = video.read
        video.read = lambda numbers: asked.append(len(numbers)) or real(numbers)
        return video

    monkeypatch.setattr(bundle_views, "open_video", noting)
    monkeypatch.setattr(bundle_views, "CHUNK_BYTES", 5 * 30 * 20 * 3 + 7)
    parted = read_views(record, preprocessing=SIZES, protocol=protocol)
    np.testing.assert_array_equal(parted.views, whole.views)
    assert set(asked) == {5, sum(asked) % 5 or 5}


def test_given_frames_are_a_video(tiny_run):
    from stvit_video.data.decode import open_video

    with open_video(tiny_run.videos[0]) as video:
        frames, times = video.read(range(video.num_frames)), video.times
    record = VideoRecord(path=Path("given"), label=0, video_id="given")
    protocol = TestProtocol.named("uniform", num_clips=2)
    given = views_of(GivenVideo(frames, times), record, preprocessing=SIZES, protocol=protocol)
    file = VideoRecord(path=tiny_run.videos[0], label=0, video_id="a")
    np.testing.assert_array_equal(given.views, read_views(file, preprocessing=SIZES, protocol=protocol).views)


def test_what_can_not_be_read_says_which_file(tmp_path):
    protocol = TestProtocol.named("single")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(DecodeError, match="bad.mp4"):
        read_views(
            VideoRecord(path=tmp_path / "bad.mp4", label=0, video_id="b"), preprocessing=SIZES, protocol=protocol
        )
    frames = np.zeros((5, 20, 30, 3), dtype=np.uint8)
    late = VideoRecord(path=Path("given"), label=0, video_id="g", start_seconds=9.0)
    with pytest.raises(DecodeError, match="given.*9.0 s"):
        views_of(GivenVideo(frames, FrameTimes.constant(5, 5.0)), late, preprocessing=SIZES, protocol=protocol)
