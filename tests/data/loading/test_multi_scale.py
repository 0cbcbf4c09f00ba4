"""Batches of several sizes, against a slow count, a crop made by hand, and other processes."""

from collections import Counter

import pytest
import torch
from torchvision.transforms.v2 import functional as tvf

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips
from stvit_video.data.loading.multi_scale import MultiScale, MultiScaleSampler, SizedBatch, SizedBatches
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.functional import random_resized_crop_box
from stvit_video.data.transforms.pixel_augment import PixelAugment
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.seeding import seeded_generator

SIZES = (16, 24, 32)
CONSTANT = MultiScale(sizes=(32, 16, 24), crop_size=24, videos_per_batch=4, batch="constant_pixels")  # batches 9, 4, 2
PLAIN = Preprocessing(num_frames=2, frame_stride=1, short_side=28, crop_size=24)


def frames_of(index, height=37, width=45, num_frames=2):
    generator = torch.Generator().manual_seed(index)
    return torch.randint(256, (num_frames, height, width, 3), generator=generator).to(torch.uint8)


@pytest.fixture
def read_clips(small_manifest):
    """A function: -> data set of made-up frames behind the five listed videos, of which there are many more."""

    def make(num_videos=0, transform=None, preprocessing=PLAIN, num_repeats=1):
        return Many(
            small_manifest,
            num_videos=num_videos,
            preprocessing=preprocessing,
            transform=transform or TrainTransform(preprocessing),
            seed=3,
            num_repeats=num_repeats,
            read_frames=lambda index, generator: frames_of(index),
        )

    return make


class Many(ClipDataset):
    """As if each listed video stood in the list several times."""

    def __init__(self, manifest, *, num_videos, **settings):
        super().__init__(manifest, **settings)
        self.num_videos = num_videos or len(manifest.records)

    def __len__(self):
        return self.num_videos

    def item(self, index, *, crop_size=None):
        found = super().item(index % 5, crop_size=crop_size)
        return found | {"index": index}


def sampler_of(size, *, multi_scale=CONSTANT, seed=5, rank=0, world_size=1):
    return MultiScaleSampler(range(size), multi_scale=multi_scale, seed=seed, rank=rank, world_size=world_size)


def loader_of(clips, *, num_workers=0, rank=0, world_size=1, multi_scale=CONSTANT):
    return ResumableLoader(
        SizedBatches(clips),
        batch_size=None,
        sampler=MultiScaleSampler(clips, multi_scale=multi_scale, seed=5, rank=rank, world_size=world_size),
        collate_fn=collate_clips,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
    )


@pytest.mark.parametrize(
    ("batch", "videos"),
    [
        ("at_least", {160: 250, 192: 174, 224: 128, 256: 128, 288: 128, 320: 128}),
        ("constant_pixels", {160: 250, 192: 174, 224: 128, 256: 98, 288: 77, 320: 62}),
        ("fixed", dict.fromkeys((160, 192, 224, 256, 288, 320), 128)),
    ],
)
def test_a_batch_is_as_large_as_its_pictures_allow(batch, videos):
    multi_scale = MultiScale(sizes=tuple(videos), crop_size=224, videos_per_batch=128, batch=batch)
    assert {size: multi_scale.videos(size) for size in multi_scale.sizes} == videos
    assert multi_scale.videos_per_cycle == sum(videos.values())
    pixels = [count * size**2 for size, count in videos.items()]
    if batch == "constant_pixels":
        assert 0.98 * 128 * 224**2 < min(pixels) <= max(pixels) <= 128 * 224**2


@pytest.mark.parametrize(("videos_per_batch", "largest"), [(1, 1), (2, 2), (3, 2)])
def test_large_pictures_keep_two_a_batch(videos_per_batch, largest):
    multi_scale = MultiScale(sizes=(8, 96), crop_size=16, videos_per_batch=videos_per_batch, batch="constant_pixels")
    assert (multi_scale.videos(8), multi_scale.videos(96)) == (4 * videos_per_batch, largest)


def test_sizes_come_equally_often_and_the_rest_is_less_than_a_batch():
    """For every number of videos from the least on; counted by taking batches one after the other."""
    assert CONSTANT.sizes == SIZES
    for num_videos in range(15, 15 + 3 * 15):
        counts = CONSTANT.count_batches(num_videos)
        left, cycles = num_videos, 0
        while left >= 9 + 4 + 2:
            left, cycles = left - 9 - 4 - 2, cycles + 1
        assert min(counts.values()) == cycles
        used = 9 * counts[16] + 4 * counts[24] + 2 * counts[32]
        assert num_videos - used in (0, 1)  # less than the smallest batch
        assert counts[16] <= cycles + 1
        assert counts[24] <= cycles + 2
    # the whole sentence, once for its family
    message = (
        r"^multi_scale=\[16, 24, 32\] needs 15 training videos a process for one batch of each size \(9 of 16 pixels, "
        r"4 of 24 pixels, 2 of 32 pixels\), there are 14; lower batch_size, or leave sizes out$"
    )
    with pytest.raises(ValueError, match=message):
        CONSTANT.count_batches(14)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_all_processes_get_the_same_sizes_and_each_video_goes_to_one(world_size):
    samplers = [sampler_of(101, rank=rank, world_size=world_size) for rank in range(world_size)]
    share = 101 // world_size
    [length] = {len(sampler) for sampler in samplers}
    orders = set()
    for epoch in range(4):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        epochs = [list(sampler) for sampler in samplers]
        sizes = [[(batch.crop_size, len(batch.indices)) for batch in batches] for batches in epochs]
        assert all(one == sizes[0] for one in sizes)
        assert len(sizes[0]) == length
        assert set(sizes[0]) == {(16, 9), (24, 4), (32, 2)}
        seen = Counter(index for batches in epochs for batch in batches for index in batch.indices)
        assert max(seen.values()) == 1
        assert set(seen) <= set(range(101))
        assert world_size * (share - 1) <= len(seen) <= world_size * share  # 1 = less than the smallest batch
        orders.add(tuple(sizes[0]))
    assert len(orders) == 4


def test_the_order_follows_from_seed_and_epoch_alone():
    first, again, other = sampler_of(70), sampler_of(70), sampler_of(70, seed=6)
    for sampler in (first, again, other):
        sampler.set_epoch(2)
    assert list(first) == list(again) != list(other)
    again.skip(3)
    assert list(again) == list(first)[3:]
    assert list(again) == list(first)
    assert first.plan == "16: 9 x 5, 24: 4 x 4, 32: 2 x 4"  # 69 of 70


def test_a_clip_is_cut_and_brought_to_its_size_in_one_step(read_clips):
    clips = read_clips()
    clips.set_epoch(4)
    for size in (16, 24, 32):
        generator = seeded_generator(3, 4, 2, 0)
        top, left, height, width = random_resized_crop_box(
            37, 45, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), generator=generator
        )
        box = frames_of(2).permute(0, 3, 1, 2)[..., top : top + height, left : left + width]
        wanted = tvf.resize(box, [size, size], antialias=True)
        if torch.rand((), generator=generator) < 0.5:
            wanted = wanted.flip(-1)
        assert torch.equal(clips.item(2, crop_size=size)["clip"], wanted.transpose(0, 1))
    assert torch.equal(clips[2]["clip"], clips.item(2, crop_size=24)["clip"])


@pytest.mark.parametrize("crop", ["centre", "random"])
def test_other_crops_show_as_much_of_the_frame_at_every_size(read_clips, crop):
    transform = TrainTransform(PLAIN, crop=crop, flip_probability=0.0)  # 28 pixels of the short side, of these 24
    clips = read_clips(transform=transform)
    for size, short_side in ((18, 21), (24, 28), (36, 42)):
        clip = clips.item(1, crop_size=size)["clip"]
        assert clip.shape == (3, 2, size, size)
        resized = tvf.resize(frames_of(1).permute(0, 3, 1, 2), [short_side, round(45 * short_side / 37)])
        windows = resized.transpose(0, 1).unfold(2, size, 1).unfold(3, size, 1)  # (3, T, rows, columns, size, size)
        same = (windows == clip[:, :, None, None]).all(dim=(0, 1, 4, 5))  # one of them
        assert same.any()
        if crop == "centre":
            rows, columns = same.shape
            assert same[(rows - 1) // 2 : rows // 2 + 1, (columns - 1) // 2 : columns // 2 + 1].any()


@pytest.mark.parametrize("num_repeats", [1, 2])
def test_the_loader_and_the_device_make_the_same_clips_at_all_sizes(read_clips, num_repeats):
    pixels = PixelAugment(rand_augment="rand-m7-n4", erase_probability=0.7)
    found = []
    for on_device in (False, True):
        transform = TrainTransform(PLAIN, pixels=pixels, on_device=on_device)
        loader = loader_of(read_clips(31, transform, num_repeats=num_repeats))
        found.append([(batch, DeviceTransform(PLAIN)(batch["clip"], batch["draws"])) for batch in loader])
    sizes = set()
    for (one, made), (_, other) in zip(*found, strict=True):
        assert one["clip"].dtype == torch.uint8
        size = one["clip"].shape[-1]
        sizes.add((size, len(one["label"])))
        assert made.shape == (num_repeats * CONSTANT.videos(size), 3, 2, size, size)
        assert torch.equal(made, other)
        assert all(
            top + height <= size and left + width <= size
            for draw in one["draws"]
            for top, left, height, width in draw.erased
        )
    assert sizes == {(size, num_repeats * videos) for size, videos in ((16, 9), (24, 4), (32, 2))}


@pytest.mark.parametrize(("num_workers", "rank", "world_size"), [(0, 0, 1), (0, 1, 2), (2, 0, 1)])
def test_an_interrupted_epoch_goes_on_with_the_next_batch(read_clips, num_workers, rank, world_size):
    place = {"rank": rank, "world_size": world_size}

    def epoch_of(loader, epoch):
        loader.sampler.set_epoch(epoch)
        return [(batch["index"].tolist(), batch["clip"]) for batch in loader]

    whole = loader_of(read_clips(64), **place)
    first, second = epoch_of(whole, 1), epoch_of(whole, 2)
    stopped = loader_of(read_clips(64), num_workers=num_workers, **place)
    stopped.sampler.set_epoch(1)
    batches = iter(stopped)
    for _ in range(3):
        next(batches)
    state = stopped.state_dict()
    assert state["num_handed_over"] == 3
    assert state["videos_per_batch"] == 4
    assert state["multi_scale"].startswith("16: 9 x ")
    resumed = loader_of(read_clips(64), num_workers=num_workers, **place)
    resumed.load_state_dict(state)
    assert len(resumed) == len(first)
    for (indices, clip), (wanted_indices, wanted) in zip(epoch_of(resumed, 1), first[3:], strict=True):
        assert indices == wanted_indices
        assert torch.equal(clip, wanted)
    assert [indices for indices, _ in epoch_of(resumed, 2)] == [indices for indices, _ in second]


def test_an_epoch_of_other_sizes_is_refused(read_clips):
    stopped = loader_of(read_clips(64))
    next(iter(stopped))
    other = MultiScale(sizes=(16, 24, 40), crop_size=24, videos_per_batch=4, batch="constant_pixels")  # as many each
    then, now = "16: 9 x 4, 24: 4 x 5, 32: 2 x 4", "16: 9 x 4, 24: 4 x 5, 40: 2 x 4"
    with pytest.raises(ValueError, match=rf"middle of an epoch, .*\(multi_scale={then} then, {now} now\);"):
        loader_of(read_clips(64), multi_scale=other).load_state_dict(stopped.state_dict())


def test_a_batch_is_what_its_name_says(read_clips):
    batches = SizedBatches(read_clips(7))
    assert len(batches) == 7
    items = batches[SizedBatch(32, (6, 1, 3))]
    assert [item["index"] for item in items] == [6, 1, 3]
    assert {item["clip"].shape for item in items} == {(3, 2, 32, 32)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": (16,)}, r"multi_scale=\[16\] .*two or more different"),
        ({"sizes": (16, 24, 16)}, r"multi_scale=\[16, 16, 24\] .*two or more different"),
    ],
)
def test_bad_values_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MultiScale(**{"sizes": SIZES, "crop_size": 24, "videos_per_batch": 4} | settings)


def test_the_sizes_in_words():
    rest = ", the effective batch is that of 24 pixels"
    assert CONSTANT.describe(num_repeats=2, unit="GPU") == f"multi-scale 16 to 32 pixels: batch 18 to 4/GPU{rest}"
    fixed = MultiScale(sizes=SIZES, crop_size=24, videos_per_batch=4, batch="fixed")
    assert fixed.describe() == f"multi-scale 16 to 32 pixels: batch 4/process{rest}"
