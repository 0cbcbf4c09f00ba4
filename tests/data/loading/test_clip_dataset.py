import dataclasses
import os
import re
import signal
import threading
from contextlib import nullcontext
from typing import ClassVar

import pytest
import torch
from torch.utils.data import DataLoader

from stvit_video.data.decoding import isolated_backend
from stvit_video.data.decoding.isolated_backend import stop_idle_decoders
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.loading import frame_source as frames_module
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform

PLAIN = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def clip_dataset(manifest: Manifest, **settings) -> ClipDataset:
    names = {field.name for field in dataclasses.fields(Decoding)} & set(settings)
    decoding = Decoding(**{name: settings.pop(name) for name in names})
    return ClipDataset(manifest, preprocessing=PLAIN, transform=TrainTransform(PLAIN), decoding=decoding, **settings)


def with_records(manifest: Manifest, *records: VideoRecord) -> Manifest:
    return dataclasses.replace(manifest, records=records)


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_training_items_are_clips_at_the_stride(small_manifest, cache, frame_numbers):
    dataset = clip_dataset(small_manifest, cache=cache)
    assert len(dataset) == 5
    for index, record in enumerate(small_manifest.records):
        item = dataset[index]
        assert item["clip"].shape == (3, 3, 20, 20)
        assert len(item["draws"]) == 1
        assert (item["label"], item["index"], item["num_skipped"]) == (record.label, index, 0)
        numbers = frame_numbers(item["clip"])
        assert numbers == [numbers[0], numbers[0] + 2, numbers[0] + 4]
    batch = collate_clips([dataset[1], dataset[4]])
    assert batch["clip"].shape == (2, 3, 3, 20, 20)
    assert batch["label"].tolist() == [1, 0]
    assert batch["num_skipped"].tolist() == [0, 0]
    assert batch["skipped"] == []


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
    alone = DataLoader(clip_dataset(small_manifest), batch_size=5, collate_fn=collate_clips)
    workers = DataLoader(
        clip_dataset(small_manifest),
        batch_size=2,
        shuffle=True,
        num_workers=2,
        persistent_workers=True,
        collate_fn=collate_clips,
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
    [(number, reason)] = first["skipped"]
    assert number == 0
    assert reason.startswith(f"can't decode {str(broken_record.path)!r}")
    assert [record.getMessage() for record in caplog.records].count(reason) == 1
    assert collate_clips([first, dataset[1]])["skipped"] == first["skipped"]
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

    times = FrameTimes.constant(11, 10.0)

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
    # the whole sentence, once for its family
    message = r"^4 videos in a row can't be read; check the data set: .*bad0\.mp4.*; and 1 more$"
    with pytest.raises(BrokenVideosError, match=message) as e:
        clip_dataset(manifest, max_attempts=10)[1]
    assert sum(record.path.name in str(e.value) for record in manifest.records) == 3
    with pytest.raises(BrokenVideosError, match=r"^2 videos in a row\b.*bad\d\.mp4") as e:
        clip_dataset(manifest, max_attempts=2)[1]
    assert "more" not in str(e.value)


def test_each_broken_video_stands_by_itself(small_manifest, broken_record, tmp_path):
    gone = VideoRecord(tmp_path / "gone.mp4", 0, "gone.mp4")
    dataset = clip_dataset(with_records(small_manifest, broken_record, gone, small_manifest.records[0]))
    found = []
    for epoch in range(8):
        dataset.set_epoch(epoch)
        found.append(dataset[0])
    assert {item["num_skipped"] for item in found} == {1, 2}
    for item in found:
        assert len(item["skipped"]) == item["num_skipped"]
        names = ["broken.mp4", "gone.mp4"]
        assert all(names[number] in reason for number, reason in item["skipped"])
        assert [number for number, _ in item["skipped"]] == [0, 1][: item["num_skipped"]]


def test_no_number_of_broken_videos_hides_a_readable_one(small_manifest, tmp_path):
    """30 broken ones before it; a worker that knows them gives what one gives that does not."""
    broken = [VideoRecord(tmp_path / f"gone{number}.mp4", 1, f"gone{number}") for number in range(30)]
    manifest = with_records(small_manifest, *broken, small_manifest.records[3])
    dataset = clip_dataset(manifest)
    first, known = dataset[4], dataset[4]
    assert first["index"] == known["index"] == 30
    assert first["num_skipped"] > 10
    assert first["skipped"] == known["skipped"]
    assert torch.equal(first["clip"], known["clip"])
    for index in range(31):
        assert dataset[index]["index"] == 30
    fresh = clip_dataset(manifest)[4]
    assert torch.equal(fresh["clip"], dataset[4]["clip"])
    with pytest.raises(BrokenVideosError, match=r"^31 videos in a row\b"):
        clip_dataset(with_records(small_manifest, *broken, broken[0]))[4]


def test_the_error_of_a_worker_is_one_sentence_again(small_manifest, tmp_path):
    broken = [VideoRecord(tmp_path / f"gone{number}.mp4", 0, f"gone{number}") for number in range(2)]
    dataset = clip_dataset(with_records(small_manifest, *broken))
    with pytest.raises(BrokenVideosError, match=r"^2 videos in a row\b.*gone") as e:
        list(DataLoader(dataset, num_workers=1))
    assert "\n" not in str(e.value)


def test_another_reader_serves_in_place_of_ours(small_manifest):
    def read(index, generator):
        if index == 2:
            raise DecodeError("v2 is odd")
        grey = 10 * index + int(torch.randint(5, (), generator=generator))
        return torch.full((3, 24, 30, 3), grey, dtype=torch.uint8)

    dataset = clip_dataset(small_manifest, read_frames=read, num_repeats=2)
    values = [item["clip"].unique().tolist() for item in (dataset[0], dataset[1], dataset[1])]
    assert [len(value) for value in values] == [1, 1, 1]
    assert values[0][0] < 5
    assert values[1] == values[2]
    replaced = dataset[2]
    assert replaced["skipped"] == [(2, "v2 is odd")]
    assert replaced["clip"].unique().item() // 10 == replaced["index"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, r"seed=-1 .*at least 0\b"),
        ({"max_attempts": 0}, r"max_attempts=0 .*at least 1\b"),
        ({"cache_short_side": 23}, r"cache_short_side=23 .*\bshort_side=24\b"),
        ({"cache": "memory", "cache_limit_gb": 1e-6}, r"cache='memory' .*cache_limit_gb=1e-06\b"),
    ],
)
def test_bad_settings_are_refused(small_manifest, settings, message):
    with pytest.raises(ValueError, match=message):
        clip_dataset(small_manifest, **settings)


class KillingDecoder(ClipSampling):
    """While the first video's frames are awaited, the decoding process is killed from outside, once."""

    killed: ClassVar[list[int]] = []

    def draw(self, *arguments, **settings):
        if not self.killed:
            [worker] = [
                worker
                for worker in isolated_backend._started
                if worker.is_usable and worker not in isolated_backend._idle
            ]
            self.killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGSTOP)  # so that the reading lasts
            threading.Timer(0.2, os.kill, (worker.pid, signal.SIGKILL)).start()
        return super().draw(*arguments, **settings)


def test_a_killed_decoding_process_is_no_fault_of_the_video(write_video, monkeypatch, caplog):
    """Another video takes the place this once; the epoch goes on, and the video is read again the next time."""
    monkeypatch.setattr(KillingDecoder, "killed", [])
    stop_idle_decoders()
    paths = [write_video(f"v{number}.mp4", height=98, width=130) for number in range(3)]  # decord takes these
    manifest = Manifest(tuple(VideoRecord(path, 0, path.name) for path in paths), ("a", "b"))
    dataset = clip_dataset(manifest, backend="decord", sampling=KillingDecoder())
    items = [dataset[index] for index in range(3)]
    assert len(KillingDecoder.killed) == 1
    assert items[0]["num_skipped"] == 1
    assert items[0]["skipped"] == []  # skipped.csv is read as a list of bad videos
    assert re.search("signal SIGKILL.*; another video takes its place this once", caplog.text)
    assert [item["index"] for item in items[1:]] == [1, 2]
    again = dataset[0]
    assert (again["index"], again["num_skipped"]) == (0, 0)
    assert torch.equal(again["clip"], clip_dataset(manifest, backend="pyav")[0]["clip"])
