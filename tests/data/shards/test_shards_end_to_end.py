"""Videos in shards against the same videos as files: the same clips to the last bit, each exactly once."""

import multiprocessing
from collections import Counter

import pytest
import torch
from torch.utils.data import DataLoader

from stvit_video.data.curation.pack_shards import pack_clips
from stvit_video.data.curation.prepare_videos import Clip, write_lists
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips
from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.frame_source import Decoding, FrameSource
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.shards.locations import file_system
from stvit_video.data.shards.tar_reader import FetchError
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform

PREPROCESSING = Preprocessing(num_frames=3, frame_stride=2, short_side=32, crop_size=32)
CONTEXT = "fork" if "fork" in multiprocessing.get_all_start_methods() else None


@pytest.fixture
def manifests(write_video, tmp_path):
    """Seven videos as files and in shards of two, in the same order and with the same ids."""
    clips = []
    for number in range(7):
        path = write_video(f"v{number}.mp4", num_frames=7 + number, height=48, width=64 + 2 * number)
        clips.append(Clip(path, ("rise", "fall")[number % 2], "train"))
    csv = tmp_path / "all.csv"
    write_lists(clips, manifest_path=csv, left_out_path=tmp_path / "left.csv")
    pack_clips(clips, folder=tmp_path / "shards", manifest_path=csv, videos_per_shard=2, seed=5)
    shards = read_shard_manifest(str(tmp_path / "shards" / "train"))
    files = read_csv_manifest(csv)
    by_id = {record.video_id: record for record in files.records}
    assert set(by_id) == {record.video_id for record in shards.records}
    assert [record.video_id for record in shards.records] != list(by_id)  # shuffled
    return type(files)(tuple(by_id[record.video_id] for record in shards.records), files.classes), shards


def clip_dataset(manifest, **options):
    transform = TrainTransform(PREPROCESSING)
    return ClipDataset(manifest, preprocessing=PREPROCESSING, transform=transform, seed=3, **options)


@pytest.mark.parametrize("cache", ["none", "memory"])
def test_training_clips_and_views_are_those_of_the_files(manifests, cache):
    files, shards = manifests
    one, other = (clip_dataset(manifest, decoding=Decoding(cache=cache)) for manifest in manifests)
    for index in range(len(one)):
        assert torch.equal(one[index]["clip"], other[index]["clip"])
        assert one[index]["label"] == other[index]["label"]
        assert other[index]["num_skipped"] == 0
    views = {"num_clips": 2, "num_crops": 3, "decoding": Decoding(cache=cache)}
    one, other = (ViewDataset(m, preprocessing=PREPROCESSING, **views) for m in manifests)
    for index in range(len(one)):
        assert torch.equal(one[index]["views"], other[index]["views"])
        assert one[index]["clip_starts_seconds"] == other[index]["clip_starts_seconds"]
    assert files.classes == shards.classes


@pytest.mark.parametrize(("shuffle", "num_seen"), [(False, 7), (True, 6)])
def test_two_ranks_with_two_workers_see_each_video_once(manifests, shuffle, num_seen):
    dataset = clip_dataset(manifests[1])
    seen = Counter()
    for rank in range(2):
        sampler = UnpaddedDistributedSampler(dataset, shuffle=shuffle, seed=0, rank=rank, world_size=2)
        loader = DataLoader(
            dataset,
            batch_size=2,
            sampler=sampler,
            num_workers=2,
            collate_fn=collate_clips,
            multiprocessing_context=CONTEXT,
        )
        for batch in loader:
            assert not batch["num_skipped"].any()
            seen.update(batch["index"].tolist())
    assert len(seen) == num_seen  # in training the odd one out is left for another epoch
    assert set(seen.values()) == {1}


def test_object_stores_give_the_clips_of_the_files_and_a_failure_is_no_fault_of_the_video(
    manifests, tmp_path, monkeypatch
):
    files, _ = manifests
    system, root = file_system("memory://end_to_end")
    for path in (tmp_path / "shards" / "train").iterdir():
        system.pipe_file(f"{root}/{path.name}", path.read_bytes())
    remote = read_shard_manifest("memory://end_to_end/{000000..000003}.tar", allow_addresses=True)
    one, other = clip_dataset(files), clip_dataset(remote)
    assert all(torch.equal(one[index]["clip"], other[index]["clip"]) for index in range(len(one)))
    source = FrameSource()
    with monkeypatch.context() as patched:
        patched.setattr(type(system), "cat_file", lambda *_, **__: 1 / 0)
        patched.setattr("stvit_video.data.shards.tar_reader.PAUSE_SECONDS", 0)
        with pytest.raises(FetchError, match=r"memory://end_to_end/000000\.tar: v\d\.mp4: division by zero"):
            source.read(remote.records[0], lambda *_: [0])
    assert len(source.read(remote.records[0], lambda *_: [0]).frames) == 1
