"""ViewDataset under named protocols: one decode pass a video, frames as the rule says, equal views made once."""

import dataclasses
import math

import pytest
import torch
from counting_video import PLAIN, CountingVideo
from eval_crops import eval_crops
from odd_videos import MADE
from torch.utils.data import DataLoader
from video_cases import REAL, each

from stvit_video.data.loading.collate import collate_views
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.data.transforms.device_transform import DeviceTransform


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_all_views_come_from_one_reading_of_the_union_in_order(views_of, name):
    video = CountingVideo(60, 24, 31)
    item = views_of(video, protocol=name, num_clips=5, num_crops=3)
    clips = PROTOCOLS[name].clips(60, 30.0, num_frames=3, frame_stride=2, num_clips=5)
    assert video.readings == [sorted({index for clip in clips for index in clip})]
    for view in range(15):
        assert item["views"][view, 0, :, 0, 0].tolist() == [
            index + PROTOCOLS[name].corners(24, 31, crop_size=20, num_crops=3)[view % 3][1]
            for index in clips[view // 3]
        ]
        assert item["clip_starts_seconds"][view] == pytest.approx(clips[view // 3][0] / 30)


@pytest.mark.parametrize("frame_difference", [False, True])
def test_finished_views_equal_those_of_each_clip_by_itself(views_of, frame_difference):
    video = CountingVideo(40, 37, 50)  # with resizing
    item = views_of(video, num_clips=3, num_crops=3)
    assert item["views"].dtype == torch.uint8
    preprocessing = dataclasses.replace(
        PLAIN, mean=(0.1, 0.4, 0.5), std=(0.2, 0.3, 0.7), frame_difference=frame_difference
    )
    clips = PROTOCOLS["uniform"].clips(40, 30.0, num_frames=3, frame_stride=2, num_clips=3)
    expected = [eval_crops(torch.from_numpy(video.frames[clip].copy()), preprocessing, num_crops=3) for clip in clips]
    assert torch.equal(DeviceTransform(preprocessing)(item["views"]), torch.cat(expected))


def test_an_unknown_protocol():
    manifest = Manifest((), ("x",))
    with pytest.raises(ValueError, match="protocol='best' .* uniform, single"):
        ViewDataset(manifest, preprocessing=PLAIN, protocol="best")


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_views_are_clips_times_crops_of_each_video(small_manifest, cache, frame_numbers):
    dataset = ViewDataset(small_manifest, preprocessing=PLAIN, num_clips=4, num_crops=3, decoding=Decoding(cache=cache))
    item = dataset[3]  # 13 frames, a clip reaches over 5: starts 0, 2.67, 5.33, 8
    assert item["views"].shape == (12, 3, 3, 20, 20)
    assert (item["label"], item["index"], item["error"]) == (1, 3, "")
    assert item["crops"] == [0, 1, 2] * 4
    assert item["clip_starts_seconds"] == pytest.approx([0.0] * 3 + [0.3] * 3 + [0.5] * 3 + [0.8] * 3)
    for view, start in zip(item["views"], [0] * 3 + [3] * 3 + [5] * 3 + [8] * 3, strict=True):
        assert frame_numbers(view) == [start, start + 2, start + 4]


def test_one_view_is_the_middle(small_manifest, frame_numbers):
    item = ViewDataset(small_manifest, preprocessing=PLAIN)[0]  # 11 frames
    assert item["views"].shape == (1, 3, 3, 20, 20)
    assert frame_numbers(item["views"][0]) == [3, 5, 7]


def test_evaluation_reports_a_broken_video_and_never_replaces_it(small_manifest, broken_record, caplog):
    gone = VideoRecord(broken_record.path.with_name("gone.mp4"), 1, "gone.mp4")
    manifest = dataclasses.replace(small_manifest, records=(small_manifest.records[0], broken_record, gone))
    dataset = ViewDataset(manifest, preprocessing=PLAIN, num_clips=2, num_crops=1)
    loader = DataLoader(dataset, batch_size=3, collate_fn=collate_views)
    [batch] = loader
    assert batch["views"].shape == (3, 2, 3, 3, 20, 20)
    assert batch["views"].dtype == torch.uint8
    assert batch["views"][1:].abs().max() == 0
    assert batch["label"].tolist() == [0, 0, 1]
    assert batch["index"].tolist() == [0, 1, 2]
    assert batch["error"][0] == ""
    assert "broken.mp4" in batch["error"][1]
    assert "gone.mp4" in batch["error"][2]
    assert batch["clip_starts_seconds"].dtype == torch.float64
    assert batch["clip_starts_seconds"][0].tolist() == pytest.approx([0.0, 0.6])
    assert all(math.isnan(seconds) for seconds in batch["clip_starts_seconds"][1:].flatten().tolist())
    assert batch["crops"].tolist() == [[0, 0]] * 3
    assert not caplog.records  # the reasons are in the items


@pytest.mark.parametrize("case", each(MADE, set(REAL) - {"corrupted.mp4", "vp8.webm"}), indirect=True)
def test_files_of_every_kind_are_read_or_reported(case):  # of the real ones, those of 1280x720 take long
    records = (VideoRecord(case.path, 0, case.name),)
    item = ViewDataset(Manifest(records, ("x",)), preprocessing=PLAIN, num_clips=2)[0]
    assert bool(item["error"]) == (case.num_frames is None)
    assert item["views"].shape == (2, 3, 3, 20, 20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"num_clips": 0}, r"num_clips=0 .*at least 1\b"), ({"num_crops": 2}, r"num_crops=2 .*\b1 or 3\b")],
)
def test_bad_numbers_of_views_are_refused(small_manifest, settings, message):
    with pytest.raises(ValueError, match=message):
        ViewDataset(small_manifest, preprocessing=PLAIN, **settings)


def test_several_labels_of_readable_and_broken_videos(small_manifest, broken_record):
    labels = {0: (0, 2), 1: (), 2: (1,)}
    listed = (*small_manifest.records[:2], broken_record)
    records = tuple(
        dataclasses.replace(record, label=NO_SINGLE_LABEL, labels=labels[number])
        for number, record in enumerate(listed)
    )
    dataset = ViewDataset(Manifest(records, ("x", "y", "z"), multi_label=True), preprocessing=PLAIN, num_clips=2)
    batch = collate_views([dataset[2], dataset[0], dataset[1]])
    assert batch["label"].dtype == torch.float32
    assert batch["label"].tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert [bool(error) for error in batch["error"]] == [True, False, False]
