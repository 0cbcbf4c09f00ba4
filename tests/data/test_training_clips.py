import dataclasses

import pytest
import torch
from video_cases import both

from stvit_video.data.augment import Draw, PixelAugment
from stvit_video.data.dataset import ClipDataset
from stvit_video.data.listing import NO_SINGLE_LABEL
from stvit_video.data.manifest import Manifest, VideoRecord
from stvit_video.data.sampling import seeded_generator, training_frame_indices
from stvit_video.data.training_clips import ClipSampling, clip_item, collate_clips
from stvit_video.data.transforms import CroppedClip, Preprocessing, TrainTransform

SIZES = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def drawn(sampling: ClipSampling, num_video_frames: int, fps: float = 30.0, seed: int = 0) -> list[int]:
    generator = seeded_generator(seed)
    return sampling.draw(num_video_frames, fps, num_frames=5, frame_stride=2, generator=generator)


def test_dense_clips_are_those_of_the_plain_function():
    for seed in range(20):
        expected = training_frame_indices(31, num_frames=5, frame_stride=2, generator=seeded_generator(seed))
        assert drawn(ClipSampling(), 31, seed=seed) == expected


def test_a_target_rate_scales_the_distance():
    for fps, distance in ((30.0, 2), (60.0, 4), (15.0, 1)):
        indices = drawn(ClipSampling(target_fps=30.0), 100, fps)
        assert indices == [indices[0] + distance * number for number in range(5)]


def test_segments_give_one_frame_of_each_fifth():
    found = [drawn(ClipSampling(sampling="segments"), 35, seed=seed) for seed in range(40)]
    for place in range(5):
        assert {indices[place] // 7 for indices in found} == {place}
        assert len({indices[place] for indices in found}) > 4


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"short_video": "repeat_last"}, [0, 2, 4, 4, 4]),
        ({"short_video": "loop"}, [0, 2, 4, 1, 3]),
        ({"short_video": "loop", "target_fps": 15.0}, [0, 4, 3, 2, 1]),
    ],
)
def test_short_videos(settings, expected):
    assert drawn(ClipSampling(**settings), 5) == expected
    with pytest.raises(ValueError, match="use fewer frames, a smaller stride, or short_video='repeat_last'"):
        drawn(ClipSampling(**settings | {"short_video": "error"}), 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": "sparse"}, "sampling='sparse' is unknown; use one of dense, segments"),
        ({"short_video": "stop"}, "short_video='stop' is unknown; use one of repeat_last, loop, error"),
        ({"target_fps": 0.0}, "target_fps=0.0 must be a finite number above 0; None = no scaling"),
        ({"target_fps": 30.0, "sampling": "segments"}, "target_fps=30.0 has no effect beside sampling='segments'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ClipSampling(**settings)


def dataset(manifest: Manifest, *, transform: TrainTransform | None = None, **settings) -> ClipDataset:
    return ClipDataset(manifest, preprocessing=SIZES, transform=transform or TrainTransform(SIZES), **settings)


def test_a_video_too_short_counts_as_unreadable_where_that_is_asked_for(small_manifest):
    """A clip of 4 frames at distance 2 reaches over 7; of the five videos only the third, of 5 frames, is shorter."""
    seven = Preprocessing(num_frames=4, frame_stride=2, short_side=24, crop_size=20)
    clips = ClipDataset(
        small_manifest,
        preprocessing=seven,
        transform=TrainTransform(seven),
        sampling=ClipSampling(short_video="error"),
    )
    assert [clips[index]["num_skipped"] for index in (0, 1, 3, 4)] == [0, 0, 0, 0]
    item = clips[2]
    assert (item["num_skipped"], item["index"] == 2) == (1, False)
    assert "v2.mp4: a clip of 4 frames from frame 0 needs 7 frames, the video has 5; use" in item["skipped"][0][1]
    assert item["skipped"][0][0] == 2


def test_segments_reach_the_dataset(small_manifest, frame_numbers):
    clips = dataset(small_manifest, sampling=ClipSampling(sampling="segments"), cache="memory")
    for epoch in range(10):
        clips.set_epoch(epoch)
        numbers = frame_numbers(clips[3]["clip"])
        assert 0 <= numbers[0] < 4 <= numbers[1] < 8 <= numbers[2] < 13


def test_repeats_are_the_same_frames_transformed_anew(small_manifest, frame_numbers):
    one, three = dataset(small_manifest), dataset(small_manifest, num_repeats=3)
    item = three[3]
    assert item["clip"].shape == (3, 3, 3, 20, 20)
    assert torch.equal(item["clip"][0], one[3]["clip"])  # what there was without repeats is the first of them
    numbers = [frame_numbers(clip) for clip in item["clip"]]
    assert numbers[0] == numbers[1] == numbers[2]
    assert torch.equal(three[3]["clip"], item["clip"])


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_repeats_are_augmented_on_their_own(case):
    manifest = Manifest((VideoRecord(case.path, 0, case.name),), ("x",))
    clips = dataset(manifest, num_repeats=4)[0]["clip"]
    assert all(not torch.equal(clips[i], clips[j]) for i in range(4) for j in range(i))


def test_one_reading_serves_all_repeats(small_manifest, monkeypatch):
    clips = dataset(small_manifest, num_repeats=5)
    calls, read = [], clips.source.read
    monkeypatch.setattr(clips.source, "read", lambda *arguments: calls.append(1) or read(*arguments))
    assert clips[0]["clip"].shape[0] == 5
    assert len(calls) == 1


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


def test_less_than_one_repeat_is_refused(small_manifest):
    with pytest.raises(ValueError, match="num_repeats=0 must be at least 1; 1 = one clip of each video"):
        dataset(small_manifest, num_repeats=0)


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
