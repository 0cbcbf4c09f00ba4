"""pytorchvideo's data set, clip sampler and decoder behind our loaders."""

import dataclasses
import gc
import random
from fractions import Fraction

import pytest
import torch
from pytorchvideo.data import make_clip_sampler as their_clip_sampler
from pytorchvideo.data.encoded_video import EncodedVideo
from torch.utils.data import DataLoader

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips
from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.pytorchvideo_reader import PytorchvideoFrames, make_clip_sampler
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.seeding import seeded_generator

SIZES = Preprocessing(num_frames=3, frame_stride=2, short_side=24, crop_size=20)


def frames_of(manifest, *, kind="random", clip_seconds=0.5, **settings):
    sampler = make_clip_sampler(kind, clip_seconds=clip_seconds, clips_per_video=4)
    return PytorchvideoFrames(manifest, num_frames=3, clip_sampler=sampler, **settings)


def dataset_of(manifest, **settings):
    gc.collect()  # a decoder left over by an earlier test, freed in a forked loader, would wait for its threads
    reader = frames_of(manifest, **settings)
    return ClipDataset(manifest, preprocessing=SIZES, transform=TrainTransform(SIZES), read_frames=reader)


def their_frames(path, start_seconds, clip_seconds=0.5):
    """What pytorchvideo reads when it is asked directly, thinned out to the first, middle and last: (3, H, W, 3)."""
    clip = EncodedVideo.from_path(str(path), decode_audio=False).get_clip(start_seconds, start_seconds + clip_seconds)
    frames = clip["video"]
    return frames[:, [0, (frames.shape[1] - 1) // 2, frames.shape[1] - 1]].permute(1, 2, 3, 0).byte()


def test_frames_are_pytorchvideos_own(small_manifest):
    """The start is drawn as its random sampler draws it from the seed that the generator gives."""
    reader = frames_of(small_manifest)
    for index in (0, 3, 1):
        generator = seeded_generator(5, index)
        random.seed(int(torch.randint(2**62, (), generator=seeded_generator(5, index))))
        duration = EncodedVideo.from_path(str(small_manifest.records[index].path), decode_audio=False).duration
        start = their_clip_sampler("random", 0.5)(0.0, duration, {}).clip_start_sec
        found = reader(index, generator)
        assert found.dtype == torch.uint8
        assert torch.equal(found, their_frames(small_manifest.records[index].path, start))


def test_pythons_own_state_is_left_alone(small_manifest):
    random.seed(3)
    expected = random.random()
    random.seed(3)
    frames_of(small_manifest)(0, seeded_generator(1))
    assert random.random() == expected


@pytest.mark.parametrize(("kind", "count"), [("uniform", 2), ("constant_clips_per_video", 4)])
def test_one_of_the_listed_clips_is_drawn(small_manifest, kind, count):
    """Of 1.1 s: back to back there is room for two clips of 0.4 s."""
    reader, path = frames_of(small_manifest, kind=kind, clip_seconds=0.4), small_manifest.records[0].path
    duration = EncodedVideo.from_path(str(path), decode_audio=False).duration
    theirs, clips = their_clip_sampler(kind, 0.4, *([4] if count == 4 else [])), []
    while not clips or not clips[-1].is_last_clip:
        clips.append(theirs(clips[-1].clip_end_sec if clips else 0.0, duration, {}))
    assert [float(clip.clip_start_sec) for clip in clips] == pytest.approx(
        [0, 0.4] if count == 2 else [0, 0.175, 0.35, 0.525]
    )
    expected = {tuple(their_frames(path, clip.clip_start_sec, Fraction(0.4)).flatten().tolist()) for clip in clips}
    found = {tuple(reader(0, seeded_generator(draw)).flatten().tolist()) for draw in range(40)}
    assert found == expected


def test_decord_reads_for_it_too(small_manifest):
    """The first ten frames, of which the first, the middle and the last are kept."""
    frames = frames_of(small_manifest, kind="uniform", clip_seconds=1.0, decoder="decord")(0, seeded_generator(0))
    greys = frames.double().mean(dim=(1, 2, 3))
    assert ((greys - 16) / 8).round().tolist() == [0, 4, 9]


def test_items_depend_on_seed_epoch_and_index_only(small_manifest):
    dataset = dataset_of(small_manifest)
    expected = [[], []]
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        expected[epoch] = [dataset[index]["clip"] for index in (4, 3, 2, 1, 0)][::-1]
    gc.collect()
    assert any(not torch.equal(a, b) for a, b in zip(*expected, strict=True))
    loader = DataLoader(dataset, batch_size=2, num_workers=2, persistent_workers=True, collate_fn=collate_clips)
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        batches = list(loader)
        assert torch.cat([batch["index"] for batch in batches]).tolist() == [0, 1, 2, 3, 4]
        assert torch.equal(torch.cat([batch["clip"] for batch in batches]), torch.stack(expected[epoch]))


@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_each_video_once_an_epoch_over_ranks_and_workers(small_manifest, num_workers):
    manifest = dataclasses.replace(small_manifest, records=small_manifest.records[:4])
    orders = []
    for epoch in (0, 1):
        order = []
        for rank in (0, 1):
            dataset = dataset_of(manifest)
            sampler = UnpaddedDistributedSampler(dataset, shuffle=True, seed=2, rank=rank, world_size=2)
            sampler.set_epoch(epoch)
            loader = DataLoader(dataset, sampler=sampler, num_workers=num_workers, collate_fn=collate_clips)
            assert len(loader) == 2
            order += [int(batch["index"]) for batch in loader]
        assert sorted(order) == [0, 1, 2, 3]
        orders.append(order)
    assert orders[0] != orders[1]


def test_broken_videos_are_replaced_and_counted_and_opened_once(small_manifest, broken_record, tmp_path, caplog):
    gone = dataclasses.replace(broken_record, path=tmp_path / "gone.mp4")
    manifest = dataclasses.replace(small_manifest, records=(broken_record, gone, *small_manifest.records))
    dataset = dataset_of(manifest)
    for index, words in ((0, "Failed to open video broken.mp4"), (1, "gone.mp4")):
        first, again = dataset[index], dataset[index]
        assert first["skipped"][0][0] == index
        assert words in first["skipped"][0][1]
        assert first["skipped"] == again["skipped"]
        assert first["index"] == again["index"] > 1
        assert torch.equal(first["clip"], again["clip"])
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(set(messages)) == 2
    assert f"{str(broken_record.path)!r} with pytorchvideo: RuntimeError: Failed" in messages[0]


class Odd:
    """A video that opens and does not hand out frames."""

    name = "odd"

    def __init__(self, duration, get_clip):
        self.duration, self.get_clip = duration, get_clip

    def close(self):
        pass


@pytest.mark.parametrize(
    ("video", "words"),
    [
        (Odd(1.0, lambda start, end: {}["x"]), "KeyError: 'x'"),
        (Odd(1.0, lambda start, end: None), "no frame in the clip"),
        (Odd(None, lambda start, end: None), "ValueError: .*duration of None s"),
    ],
)
def test_what_its_data_set_swallows_or_dies_of_is_a_decode_error(small_manifest, monkeypatch, video, words):
    reader = frames_of(small_manifest)
    real = reader._files._handler
    monkeypatch.setattr(reader._files, "_handler", Handing(video))
    with pytest.raises(DecodeError, match=rf"v1\.mp4' with pytorchvideo: .*{words}$"):
        reader(1, seeded_generator(0))
    monkeypatch.setattr(reader._files, "_handler", real)
    with pytest.raises(DecodeError, match=words):  # remembered
        reader(1, seeded_generator(0))
    assert reader(2, seeded_generator(0)).shape == (3, 48, 48, 3)  # nothing of the failed one is left


class Handing:
    """Opens every path as the same video."""

    def __init__(self, video):
        self.video = video

    def video_from_path(self, path, **settings):
        return self.video


def test_bad_settings_are_refused(small_manifest):
    with pytest.raises(ValueError, match="decoder='ffmpeg' .*pyav, decord"):
        frames_of(small_manifest, decoder="ffmpeg")
    with pytest.raises(ValueError, match="clip_sampler='random_multi' .*random, uniform, const"):
        make_clip_sampler("random_multi", clip_seconds=1.0)
    for seconds, count in ((0, 3), (float("nan"), 3), (1.0, 0)):
        with pytest.raises(
            ValueError, match=rf"clip_seconds={seconds} .*above 0, clips_per_video={count} .*at least 1\b"
        ):
            make_clip_sampler("random", clip_seconds=seconds, clips_per_video=count)
    parts = dataclasses.replace(small_manifest.records[1], end_seconds=2.0, video_id="v1#t=,2")
    with pytest.raises(ValueError, match="v1#t=,2 .*part of a file"):
        frames_of(dataclasses.replace(small_manifest, records=(small_manifest.records[0], parts)))
