import re

import pytest
import torch
from video_cases import both

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.training_indices import training_frame_indices
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.seeding import seeded_generator

SIZES = Preprocessing(
    num_frames=3, frame_stride=2, short_side=24, crop_size=20, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def drawn(sampling: ClipSampling, num_video_frames: int, fps: float = 30.0, seed: int = 0) -> list[int]:
    generator = seeded_generator(seed)
    return sampling.draw(FrameTimes.constant(num_video_frames, fps), num_frames=5, frame_stride=2, generator=generator)


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
    ("settings", "expected", "needed"),
    [
        ({"short_video": "repeat_last"}, [0, 2, 4, 4, 4], 9),
        ({"short_video": "loop"}, [0, 2, 4, 1, 3], 9),
        ({"short_video": "loop", "target_fps": 15.0}, [0, 4, 3, 2, 1], 17),
    ],
)
def test_short_videos(settings, expected, needed):
    assert drawn(ClipSampling(**settings), 5) == expected
    with pytest.raises(ValueError, match=rf"clip of 5 frames .*\b{needed} frames, .*\b5;"):
        drawn(ClipSampling(**settings | {"short_video": "error"}), 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_fps": 30.0, "sampling": "segments"}, r"target_fps=30\.0 .*no effect .*sampling='segments'"),
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
    assert re.search(r"v2\.mp4: .*clip of 4 frames .*\b7 frames, .*\b5;", item["skipped"][0][1])
    assert item["skipped"][0][0] == 2


def test_segments_reach_the_dataset(small_manifest, frame_numbers):
    clips = dataset(small_manifest, sampling=ClipSampling(sampling="segments"), decoding=Decoding(cache="memory"))
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
