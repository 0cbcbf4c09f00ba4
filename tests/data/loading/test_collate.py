import dataclasses

import pytest
import torch
from counting_video import CountingVideo

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import clip_item, collate_clips, collate_views
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest
from stvit_video.data.transforms.pixel_augment import Draw, PixelAugment
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip, TrainTransform

SIZES = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def dataset(manifest: Manifest, *, transform: TrainTransform | None = None, **settings) -> ClipDataset:
    return ClipDataset(manifest, preprocessing=SIZES, transform=transform or TrainTransform(SIZES), **settings)


def test_batches_flatten_repeats_and_count_skipped_videos_once():
    items = [
        {
            "clip": torch.full((2, 3, 4, 5, 7), number),
            "label": number,
            "index": number + 10,
            "num_skipped": 1,
            "skipped": [(number, "x")],
            "draws": [Draw(noise_seed=2 * number), Draw(noise_seed=2 * number + 1)],
        }
        for number in range(3)
    ]
    batch = collate_clips(items)
    assert batch["clip"].shape == (6, 3, 4, 5, 7)
    assert batch["clip"][:, 0, 0, 0, 0].tolist() == batch["label"].tolist() == [0, 0, 1, 1, 2, 2]
    assert batch["index"].tolist() == [10, 10, 11, 11, 12, 12]
    assert batch["num_skipped"].tolist() == [1, 1, 1]
    assert batch["skipped"] == [(0, "x"), (1, "x"), (2, "x")]
    assert [draw.noise_seed for draw in batch["draws"]] == [0, 1, 2, 3, 4, 5]


def test_draws_travel_beside_their_clips(small_manifest):
    transform = TrainTransform(SIZES, pixels=PixelAugment(rand_augment="rand-m7-n4", erase_probability=0.5))
    on_device = TrainTransform(SIZES, pixels=transform.pixels, on_device=True)
    clips = dataset(small_manifest, transform=on_device, num_repeats=2)
    batch = collate_clips([clips[0], clips[4]])
    assert batch["clip"].dtype == torch.uint8
    assert batch["clip"].shape == (4, 3, 3, 20, 20)
    assert len(batch["draws"]) == 4
    assert batch["draws"][2:] == clips[4]["draws"]
    assert all(isinstance(draw, Draw) for draw in batch["draws"])


def test_items_of_one_and_of_several_clips():
    clips = [torch.full((3, 2, 5, 7), number, dtype=torch.uint8) for number in (4, 9)]
    draws = [Draw(noise_seed=3), Draw(ops=(("flip", 0.0),))]
    one, two = (CroppedClip(clip, draw) for clip, draw in zip(clips, draws, strict=True))
    assert clip_item([one])["clip"] is clips[0]
    assert clip_item([one])["draws"] == draws[:1]
    item = clip_item([one, two])
    assert item["clip"].shape == (2, 3, 2, 5, 7)
    assert item["clip"][:, 0, 0, 0, 0].tolist() == [4, 9]
    assert item["draws"] == draws


@pytest.mark.parametrize("num_repeats", [1, 2])
def test_several_labels_are_repeated_with_their_clips(small_manifest, num_repeats):
    labels = [(0, 2), (), (1,), (0, 1, 2), (2,)]
    records = tuple(
        dataclasses.replace(record, label=NO_SINGLE_LABEL, labels=several)
        for record, several in zip(small_manifest.records, labels, strict=True)
    )
    clips = dataset(Manifest(records, ("x", "y", "z"), multi_label=True), num_repeats=num_repeats)
    batch = collate_clips([clips[0], clips[1], clips[3]])
    assert batch["label"].dtype == torch.float32
    rows = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    assert batch["label"].tolist() == [row for row in rows for _ in range(num_repeats)]
    assert batch["index"].tolist() == [index for index in (0, 1, 3) for _ in range(num_repeats)]


def test_equal_views_are_named(views_of):
    short = views_of(CountingVideo(4, 24, 31), protocol="videoswin", num_clips=2, num_crops=3)
    assert short["same_as"] == [0, 1, 2, 0, 1, 2]
    assert torch.equal(short["views"][:3], short["views"][3:])
    square = views_of(CountingVideo(30, 20, 20), protocol="mvit", num_clips=2, num_crops=3)
    assert square["same_as"] == [0, 1, 2, 3, 4, 5]  # 24 x 24 pixels, crops of 20: these differ
    assert short["crops"] == square["crops"] == [0, 1, 2] * 2
    batch = collate_views([short, square])
    assert batch["same_as"].tolist() == [[0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5]]
