"""Clips and crops of the named rules, against the start indices that the projects' own functions give."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.sampling import protocol_rules as rules

# ANCHORS.md section 4: made by running the projects' own functions on videos of 300, 120 and 40 frames at 30 fps
GOLDEN = [
    (rules.videoswin_clips, 32, 2, 4, {300: [29, 88, 148, 207], 120: [7, 21, 35, 49], 40: [0] * 4}),
    (rules.mmaction_clips, 32, 2, 4, {300: [0, 79, 158, 237], 120: [0, 19, 38, 57], 40: [0] * 4}),
    (rules.videomae_clips, 16, 4, 5, {300: [0, 56, 116, 176, 236], 120: [0, 12, 28, 40, 56], 40: [0] * 5}),
    (rules.mvit_clips, 16, 4, 5, {300: [0, 59, 118, 177, 236], 120: [0, 14, 28, 42, 56], 40: [0] * 5}),
    (rules.uniformer_clips, 16, 4, 4, {300: [0, 78, 156, 234], 120: [0, 18, 36, 54], 40: [0] * 4}),
    # 0, 23.6, 47.2 ... and 0, 5.6, 11.2 ..., from which frames are rounded down
    (
        rules.slowfast_clips,
        8,
        8,
        10,
        {300: [int(23.6 * k) for k in range(10)], 120: [int(5.6 * k) for k in range(10)], 40: [0] * 10},
    ),
    (rules.slowfast_clips, 8, 32, 1, {300: [0], 120: [0], 40: [0]}),  # TimeSformer
]
ALL = [rule for rule, *_ in GOLDEN[:6]] + [rules.uniform_clips, rules.videomae_ssv2_clips]


@pytest.mark.parametrize(("rule", "num_frames", "stride", "num_clips", "starts"), GOLDEN)
def test_golden_starts(rule, num_frames, stride, num_clips, starts):
    for length, expected in starts.items():
        clips = rule(length, 30.0, num_frames=num_frames, frame_stride=stride, num_clips=num_clips)
        assert [clip[0] for clip in clips] == expected


@pytest.mark.parametrize("rule", ALL)
@given(
    length=st.integers(1, 90),
    fps=st.sampled_from([7.5, 25.0, 30000 / 1001, 60.0]),
    num_frames=st.integers(1, 9),
    stride=st.integers(1, 7),
    num_clips=st.integers(1, 7),
)
def test_every_clip_is_in_the_video_and_in_order_of_time(rule, length, fps, num_frames, stride, num_clips):
    clips = rule(length, fps, num_frames=num_frames, frame_stride=stride, num_clips=num_clips)
    assert len(clips) == num_clips
    assert all(len(clip) == num_frames for clip in clips)
    assert all(0 <= index < length for clip in clips for index in clip)
    assert [clip[0] for clip in clips] == sorted(clip[0] for clip in clips)


def test_the_same_words_mean_other_frames_in_video_swin_and_mmaction():
    settings = {"num_frames": 32, "frame_stride": 2, "num_clips": 4}
    swin, mmaction = (rule(300, 30.0, **settings) for rule in (rules.videoswin_clips, rules.mmaction_clips))
    assert swin[1] == list(range(88, 152, 2))
    assert mmaction[1] == list(range(79, 143, 2))
    assert all(one != other for one, other in zip(swin, mmaction, strict=True))


def test_only_slowfast_and_mvit_count_in_seconds():
    settings = {"num_frames": 16, "frame_stride": 4, "num_clips": 5}
    # 600 frames at 60 fps are 300 at 30 fps: a clip reaches over 128 frames, the room is 472 = 4 * 118
    assert [clip[0] for clip in rules.mvit_clips(600, 60.0, **settings)] == [0, 118, 236, 354, 472]
    assert [clip[-1] for clip in rules.mvit_clips(600, 60.0, **settings)] == [127, 245, 363, 481, 599]
    assert [clip[0] for clip in rules.slowfast_clips(600, 60.0, **settings)] == [0, 94, 188, 283, 377]  # steps of 94.4
    assert rules.mvit_clips(150, 15.0, **settings)[0] == [2 * k + k // 15 for k in range(16)]  # 32 frames: 0 .. 31
    for rule in (rules.videoswin_clips, rules.mmaction_clips, rules.videomae_clips, rules.uniformer_clips):
        assert rule(600, 60.0, **settings) == rule(600, 30.0, **settings)


def test_timesformer_sees_the_beginning_and_one_mvit_clip_the_middle():
    assert rules.slowfast_clips(300, 30.0, num_frames=8, frame_stride=32, num_clips=1) == [
        [0, 36, 72, 109, 145, 182, 218, 255]  # 255 / 7 = 36.43
    ]
    assert rules.mvit_clips(20, 30.0, num_frames=3, frame_stride=2, num_clips=1) == [[7, 9, 12]]  # room 14, span 5
    assert rules.uniform_clips(20, 30.0, num_frames=3, frame_stride=2, num_clips=1) == [[7, 9, 11]]


def test_what_short_videos_give():
    settings = {"num_frames": 5, "frame_stride": 2, "num_clips": 2}
    assert rules.videoswin_clips(7, 30.0, **settings) == [[0, 2, 4, 6, 1]] * 2
    assert rules.mmaction_clips(7, 30.0, **settings) == [[0, 2, 4, 6, 1]] * 2
    assert rules.uniform_clips(7, 30.0, **settings) == [[0, 2, 4, 6, 6]] * 2
    assert rules.videomae_clips(7, 30.0, **settings) == [[0, 2, 4, 6, 6]] * 2
    assert rules.mvit_clips(7, 30.0, **settings) == [[0, 2, 4, 6, 6]] * 2  # 0, 2.25, 4.5, 6.75, 9


def test_interleaved_segments_by_hand():
    settings = {"num_frames": 4, "frame_stride": 1}
    assert rules.videomae_ssv2_clips(16, 30.0, **settings, num_clips=2) == [[0, 4, 8, 12], [2, 6, 10, 14]]
    assert rules.videomae_ssv2_clips(15, 30.0, **settings, num_clips=2) == [[0, 3, 7, 11], [1, 5, 9, 13]]
    assert rules.videomae_ssv2_clips(16, 30.0, **settings, num_clips=1) == [[2, 6, 10, 14]]
    assert rules.videomae_ssv2_clips(3, 30.0, **settings, num_clips=1) == [[0, 1, 1, 2]]


def test_crops_along_the_long_side_portrait_too():
    for rule in (rules.even_corners, rules.ceil_corners):
        assert rule(224, 298, crop_size=224, num_crops=3) == [(0, 0), (0, 37), (0, 74)]
        assert rule(298, 224, crop_size=224, num_crops=3) == [(0, 0), (37, 0), (74, 0)]
        assert rule(256, 340, crop_size=224, num_crops=1) == [(16, 58)]
    # an odd room: the centre lies between two pixels
    assert rules.even_corners(224, 299, crop_size=224, num_crops=3) == [(0, 0), (0, 37), (0, 74)]
    assert rules.ceil_corners(224, 299, crop_size=224, num_crops=3) == [(0, 0), (0, 38), (0, 75)]
    assert rules.ceil_corners(299, 224, crop_size=224, num_crops=3) == [(0, 0), (38, 0), (75, 0)]
    assert rules.ceil_corners(8, 11, crop_size=5, num_crops=1) == [(2, 3)]
    assert rules.ceil_corners(11, 8, crop_size=5, num_crops=3) == [(0, 2), (3, 2), (6, 2)]


@pytest.mark.parametrize("rule", ALL)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_video_frames": 0}, "num_video_frames=0 .*at least 1"),
        ({"num_clips": 0}, "num_clips=0 .*at least 1"),
        ({"num_frames": 0}, "num_frames=0 .*at least 1"),
        ({"frame_stride": 0}, "frame_stride=0 .*at least 1"),
    ],
)
def test_counts_below_one_are_refused(rule, change, message):
    counts = {"num_video_frames": 9, "fps": 30.0, "num_frames": 3, "frame_stride": 2, "num_clips": 2} | change
    with pytest.raises(ValueError, match=message):
        rule(**counts)


def test_a_rate_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"\bfps=0\.0 .*above 0\b"):
        rules.mvit_clips(9, 0.0, num_frames=3, frame_stride=2, num_clips=2)


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5, 8, 13, 32, 64])
def test_spread_frames_are_those_of_torch_linspace(num_frames):
    """Bit for bit: one rounding of another kind would move a frame."""
    generator = torch.Generator().manual_seed(num_frames)
    starts = (5000 * torch.rand(500, generator=generator, dtype=torch.float64)).tolist()
    reaches = (1 + 300 * torch.rand(500, generator=generator, dtype=torch.float64)).tolist()
    for start, reach in zip([*starts, *map(float, range(500))], [*reaches, *reaches], strict=True):
        expected = torch.linspace(start, start + reach - 1, num_frames, dtype=torch.float32)
        assert rules._linspace(start, start + reach - 1, num_frames).tolist() == expected.tolist()
