import dataclasses
from contextlib import nullcontext

import pytest
import torch
from torch.utils.data import DataLoader, default_collate

from stvit_video.data import frames as frames_module
from stvit_video.data.dataset import BrokenVideosError, ClipDataset
from stvit_video.data.decode import DecodeError, open_video
from stvit_video.data.manifest import Manifest, VideoRecord
from stvit_video.data.transforms import Preprocessing, TrainTransform

PLAIN = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


@pytest.fixture
def frame_numbers(shown_numbers):
    """A function: clip (C, T, H, W) of plain grey frames -> which frame each is."""
    return lambda clip: [round(number) for number in shown_numbers(clip.mean(dim=(0, 2, 3)) * 255)]


def clip_dataset(manifest: Manifest, **settings) -> ClipDataset:
    return ClipDataset(manifest, preprocessing=PLAIN, transform=TrainTransform(PLAIN), **settings)


def with_records(manifest: Manifest, *records: VideoRecord) -> Manifest:
    return dataclasses.replace(manifest, records=records)


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_training_items_are_clips_at_the_stride(small_manifest, cache, frame_numbers):
    dataset = clip_dataset(small_manifest, cache=cache)
    assert len(dataset) == 5
    for index, record in enumerate(small_manifest.records):
        item = dataset[index]
        assert item["clip"].shape == (3, 3, 20, 20)
        assert (item["label"], item["index"], item["num_skipped"]) == (record.label, index, 0)
        numbers = frame_numbers(item["clip"])
        assert numbers == [numbers[0], numbers[0] + 2, numbers[0] + 4]
    batch = default_collate([dataset[1], dataset[4]])
    assert batch["clip"].shape == (2, 3, 3, 20, 20)
    assert batch["label"].tolist() == [1, 0]
    assert batch["num_skipped"].tolist() == [0, 0]
    assert batch["skipped"] == ["", ""]


def test_epochs_and_seeds_draw_other_clips(small_manifest, frame_numbers):
    dataset = clip_dataset(small_manifest, cache="memory")
    starts = []
    for epoch in range(12):
        dataset.set_epoch(epoch)
        starts.append(frame_numbers(dataset[3]["clip"])[0])
    assert set(starts) <= set(range(9))  # 13 frames, a clip reaches over 5
    assert len(set(starts)) > 4
    other = clip_dataset(small_manifest, cache="memory", seed=1)
    others = []
    for epoch in range(12):
        other.set_epoch(epoch)
        others.append(frame_numbers(other[3]["clip"])[0])
    assert others != starts


def all_items(loader: DataLoader) -> dict[int, torch.Tensor]:
    return {int(index): clip for batch in loader for index, clip in zip(batch["index"], batch["clip"], strict=True)}


def test_items_depend_on_seed_epoch_and_index_not_on_living_workers(small_manifest):
    alone = DataLoader(clip_dataset(small_manifest), batch_size=5)
    workers = DataLoader(
        clip_dataset(small_manifest), batch_size=2, shuffle=True, num_workers=2, persistent_workers=True
    )
    expected = []
    for epoch in range(3):
        for loader in (alone, workers):
            loader.dataset.set_epoch(epoch)
        expected.append(all_items(alone))
        found = all_items(workers)
        assert found.keys() == expected[-1].keys()
        assert all(torch.equal(clip, expected[-1][index]) for index, clip in found.items())
    assert any(not torch.equal(clip, expected[1][index]) for index, clip in expected[0].items())


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_a_broken_video_is_replaced_named_and_counted_alike_every_time(small_manifest, broken_record, cache, caplog):
    manifest = with_records(small_manifest, broken_record, *small_manifest.records)
    dataset = clip_dataset(manifest, cache=cache)
    first, again = dataset[0], dataset[0]
    assert first["skipped"] == again["skipped"]
    assert first["skipped"].startswith(f"can't decode {str(broken_record.path)!r}")
    assert [record.getMessage() for record in caplog.records].count(first["skipped"]) == 1
    assert default_collate([first, dataset[1]])["skipped"] == [first["skipped"], ""]
    assert first["num_skipped"] == again["num_skipped"] == 1
    assert first["index"] == again["index"] != 0
    assert first["label"] == manifest.records[first["index"]].label
    assert torch.equal(first["clip"], again["clip"])
    replacements = set()
    for epoch in range(20):
        dataset.set_epoch(epoch)
        replacements.add(dataset[0]["index"])
    assert len(replacements) > 2


class Damaged:
    """A video that opens well and can't be read."""

    num_frames, fps = 11, 10.0

    def read(self, indices):
        raise DecodeError("frame is damaged")


def test_how_far_a_failed_reading_got_does_not_matter(small_manifest, monkeypatch):
    """The first reading fails after its frames were drawn, the second one before."""
    bad, *good = small_manifest.records
    monkeypatch.setattr(
        frames_module,
        "open_video",
        lambda path, **settings: nullcontext(Damaged()) if path == bad.path else open_video(path, **settings),
    )
    dataset = clip_dataset(with_records(small_manifest, bad, *good))
    first, again = dataset[0], dataset[0]
    assert first["num_skipped"] == 1
    assert torch.equal(first["clip"], again["clip"])


def test_too_many_broken_videos_are_an_error_that_names_them(small_manifest, broken_record, tmp_path):
    others = []
    for number in range(3):
        path = tmp_path / f"bad{number}.mp4"
        path.write_bytes(b"nothing")
        others.append(VideoRecord(path, 0, path.name))
    manifest = with_records(small_manifest, broken_record, *others)
    message = r"^4 videos in a row can't be read; check the data set: .*bad0\.mp4.*; and 1 more$"
    with pytest.raises(BrokenVideosError, match=message) as e:
        clip_dataset(manifest)[1]
    assert sum(record.path.name in str(e.value) for record in manifest.records) == 3
    with pytest.raises(BrokenVideosError, match=r"^2 videos in a row can't be read") as e:
        clip_dataset(manifest, max_attempts=2)[1]
    assert "more" not in str(e.value)


def test_two_reasons_stand_in_one_text(small_manifest, broken_record, tmp_path):
    gone = VideoRecord(tmp_path / "gone.mp4", 0, "gone.mp4")
    dataset = clip_dataset(with_records(small_manifest, broken_record, gone, small_manifest.records[0]))
    found = []
    for epoch in range(8):
        dataset.set_epoch(epoch)
        found.append(dataset[0])
    assert {item["num_skipped"] for item in found} == {1, 2}
    for item in found:
        reasons = item["skipped"].split("; can't")
        assert len(reasons) == item["num_skipped"]
        assert "broken.mp4" in reasons[0]
        assert all("gone.mp4" in reason for reason in reasons[1:])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "seed=-1 must be at least 0, max_attempts=10 at least 1"),
        ({"max_attempts": 0}, "max_attempts=0 at least 1"),
        ({"cache_short_side": 23}, "cache_short_side=23 is less than short_side=24, so kept"),
        ({"cache": "memory", "cache_limit_gb": 1e-6}, "cache='memory' needs about"),
    ],
)
def test_bad_settings_are_refused(small_manifest, settings, message):
    with pytest.raises(ValueError, match=message):
        clip_dataset(small_manifest, **settings)
