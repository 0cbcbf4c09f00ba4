from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.sampling import (
    clip_frame_indices,
    clip_span,
    crop_offsets,
    fps_scaled_offsets,
    seeded_generator,
    segment_frame_range,
    training_frame_indices,
    training_scaled_indices,
    training_segment_indices,
    uniform_clip_starts,
)

COUNT = st.integers(1, 60)


def slow_indices(start: int, total: int, num_frames: int, stride: int) -> list[int]:
    """Walk frame by frame and stop at the last one."""
    indices, at = [], start
    for _ in range(num_frames):
        indices.append(at)
        for _ in range(stride):
            if at < total - 1:
                at += 1
    return indices


@given(COUNT, COUNT, st.integers(1, 9), st.integers(0, 99))
def test_training_clip_equals_a_slow_walk_from_a_legal_start(total, num_frames, stride, seed):
    indices = training_frame_indices(
        total, num_frames=num_frames, frame_stride=stride, generator=seeded_generator(seed)
    )
    assert indices == slow_indices(indices[0], total, num_frames, stride)
    fits = [s for s in range(total) if s + (num_frames - 1) * stride < total]
    assert indices[0] in (fits or [0])


def test_every_legal_training_start_is_equally_likely():
    generator = seeded_generator(3)
    starts = Counter(
        training_frame_indices(11, num_frames=3, frame_stride=2, generator=generator)[0] for _ in range(2800)
    )
    assert sorted(starts) == [0, 1, 2, 3, 4, 5, 6]
    assert min(starts.values()) > 320  # 400 expected, standard deviation 18.5
    assert max(starts.values()) < 480


@given(COUNT, COUNT, st.integers(1, 9), st.integers(0, 99))
def test_a_video_of_the_target_rate_is_sampled_as_without_it(total, num_frames, stride, seed):
    settings = {"num_frames": num_frames, "frame_stride": stride}
    plain = training_frame_indices(total, **settings, generator=seeded_generator(seed))
    rates = {"fps": 29.97, "target_fps": 29.97}
    assert training_scaled_indices(total, **settings, **rates, generator=seeded_generator(seed)) == plain


@given(st.integers(1, 200), st.integers(2, 20), st.integers(1, 9), st.sampled_from([7.5, 25.0, 50.0, 60.0]))
def test_a_scaled_clip_lasts_as_long_at_every_rate(total, num_frames, stride, fps):
    settings = {"num_frames": num_frames, "frame_stride": stride, "fps": fps, "target_fps": 30.0}
    offsets = fps_scaled_offsets(**settings)
    seconds = [offset / fps for offset in offsets]
    assert seconds == pytest.approx([k * stride / 30 for k in range(num_frames)], abs=0.5001 / fps)
    starts = {training_scaled_indices(total, **settings, generator=seeded_generator(seed))[0] for seed in range(30)}
    assert starts <= set(range(max(1, total - offsets[-1])))


def test_scaled_clips_by_hand():
    assert fps_scaled_offsets(num_frames=4, frame_stride=3, fps=60.0, target_fps=30.0) == [0, 6, 12, 18]
    assert fps_scaled_offsets(num_frames=5, frame_stride=3, fps=25.0, target_fps=30.0) == [0, 3, 5, 8, 10]  # 2.5 each
    settings = {"num_frames": 4, "frame_stride": 3, "fps": 60.0, "target_fps": 30.0, "generator": seeded_generator(0)}
    assert training_scaled_indices(10, **settings) == [0, 6, 9, 9]
    assert training_scaled_indices(10, **settings, short_video="loop") == [0, 6, 2, 8]
    with pytest.raises(ValueError, match="a clip of 4 frames from frame 0 needs 19 frames, the video has 10; use"):
        training_scaled_indices(10, **settings, short_video="error")


@given(st.integers(1, 90), st.integers(1, 30), st.integers(0, 99))
def test_each_segment_gives_one_frame(total, num_frames, seed):
    indices = training_segment_indices(total, num_frames=num_frames, generator=seeded_generator(seed))
    if total < num_frames:
        assert indices == [*range(total)] + [total - 1] * (num_frames - total)
        return
    segment_of = [max(k for k in range(num_frames) if k * total // num_frames <= index) for index in indices]
    assert segment_of == list(range(num_frames))


def test_every_frame_of_a_segment_is_equally_likely():
    generator = seeded_generator(1)
    draws = [training_segment_indices(11, num_frames=3, generator=generator) for _ in range(1200)]
    for place, frames in enumerate([(0, 1, 2), (3, 4, 5, 6), (7, 8, 9, 10)]):
        counts = Counter(draw[place] for draw in draws)
        assert sorted(counts) == list(frames)
        expected = 1200 / len(frames)
        assert all(abs(count - expected) < 5 * expected**0.5 for count in counts.values())


def test_segments_of_short_videos():
    generator = seeded_generator(0)
    assert training_segment_indices(3, num_frames=5, generator=generator, short_video="loop") == [0, 1, 2, 0, 1]
    with pytest.raises(ValueError, match="a clip of 5 frames from frame 0 needs 5 frames, the video has 3"):
        training_segment_indices(3, num_frames=5, generator=generator, short_video="error")


@given(COUNT, COUNT, COUNT)
def test_uniform_starts_touch_both_ends_and_are_evenly_spaced(total, span, num_clips):
    starts = uniform_clip_starts(total, span=span, num_clips=num_clips)
    room = max(0, total - span)
    assert len(starts) == num_clips
    if num_clips == 1:
        assert 0 <= room - 2 * starts[0] <= 1
    else:
        assert (starts[0], starts[-1]) == (0, room)
        assert max(abs(start - k * room / (num_clips - 1)) for k, start in enumerate(starts)) <= 0.5


def test_uniform_starts_by_hand():
    assert uniform_clip_starts(20, span=7, num_clips=4) == [0, 4, 9, 13]  # 0, 4.33, 8.67, 13
    assert uniform_clip_starts(20, span=7, num_clips=1) == [6]
    assert uniform_clip_starts(5, span=7, num_clips=3) == [0, 0, 0]


def test_what_a_short_video_gives():
    settings = {"num_frames": 5, "frame_stride": 2}
    assert clip_frame_indices(1, 6, **settings) == [1, 3, 5, 5, 5]
    assert clip_frame_indices(1, 6, **settings, short_video="loop") == [1, 3, 5, 1, 3]
    assert clip_frame_indices(0, 9, **settings, short_video="error") == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match=r"a clip of 5 frames from frame 1 needs 10 frames, the video has 9; use"):
        clip_frame_indices(1, 9, **settings, short_video="error")


@given(st.integers(1, 90), st.sampled_from([10.0, 25.0, 30000 / 1001]), st.integers(0, 80), st.integers(1, 40))
def test_segment_is_the_frames_whose_time_lies_in_it(total, fps, start_tenths, length_tenths):
    start, end = start_tenths / 10, (start_tenths + length_tenths) / 10
    if start * fps > total - 0.01:
        with pytest.raises(ValueError, match=r"the segment begins at .* s, the video ends at"):
            segment_frame_range(total, fps, start, end)
        return
    first, stop = segment_frame_range(total, fps, start, end)
    inside = [i for i in range(total) if start - 1e-6 <= i / fps < end - 1e-6]
    on_screen = max(i for i in range(total) if i / fps <= start + 1e-6)
    assert list(range(first, stop)) == (inside or [on_screen])


def test_segment_by_hand():
    assert segment_frame_range(7, 10.0, None, None) == (0, 7)
    assert segment_frame_range(7, 10.0, 0.3, None) == (3, 7)
    assert segment_frame_range(7, 10.0, None, 99.0) == (0, 7)
    assert segment_frame_range(7, 10.0, 0.21, 0.28) == (2, 3)
    assert segment_frame_range(7, 10.0, 0.65, 9.0) == (6, 7)
    assert segment_frame_range(7, 10.0, 0.0, 0.00001) == (0, 1)


def test_crops_lie_along_the_long_side():
    assert crop_offsets(7, 13, crop_size=5, num_crops=1) == [(1, 4)]
    assert crop_offsets(7, 13, crop_size=5, num_crops=3) == [(1, 0), (1, 4), (1, 8)]
    assert crop_offsets(13, 8, crop_size=5, num_crops=3) == [(0, 1), (4, 1), (8, 1)]
    assert crop_offsets(5, 5, crop_size=5, num_crops=3) == [(0, 0)] * 3


def test_seeded_generator_depends_on_every_number():
    draws = {
        numbers: torch.rand(1, generator=seeded_generator(*numbers)).item()
        for numbers in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 3, 5), (5, 3, 2)]
    }
    assert len(set(draws.values())) == len(draws)
    assert torch.rand(1, generator=seeded_generator(2, 3, 5)).item() == draws[2, 3, 5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clip_span(0, 2), "num_frames=0 must be at least 1"),
        (lambda: clip_span(3, 0), "frame_stride=0 must be at least 1"),
        (lambda: uniform_clip_starts(0, span=3, num_clips=2), "num_video_frames=0 must be at least 1"),
        (lambda: uniform_clip_starts(5, span=0, num_clips=2), "span=0 must be at least 1"),
        (lambda: uniform_clip_starts(5, span=3, num_clips=0), "num_clips=0 must be at least 1"),
        (
            lambda: clip_frame_indices(5, 5, num_frames=2, frame_stride=1),
            "start=5 lies outside a video of 5 frames; use 0 to 4",
        ),
        (
            lambda: clip_frame_indices(0, 5, num_frames=2, frame_stride=1, short_video="wrap"),  # type: ignore
            "short_video='wrap' is unknown; use one of repeat_last, loop, error",
        ),
        (
            lambda: training_frame_indices(0, num_frames=2, frame_stride=1, generator=seeded_generator(0)),
            "num_video_frames=0 must be at least 1",
        ),
        (
            lambda: fps_scaled_offsets(num_frames=2, frame_stride=1, fps=30.0, target_fps=-1.0),
            r"target_fps=-1\.0 must be a finite number above 0",
        ),
        (
            lambda: training_segment_indices(5, num_frames=0, generator=seeded_generator(0)),
            "num_frames=0 must be at least 1",
        ),
        (lambda: segment_frame_range(5, 0.0, None, None), "fps=0.0 must be a finite number above 0"),
        (lambda: segment_frame_range(5, 10.0, 0.3, 0.3), "segment 0.3 to 0.3 s is none"),
        (lambda: crop_offsets(9, 9, crop_size=3, num_crops=2), "num_crops=2 is not supported; use 1"),
        (
            lambda: crop_offsets(7, 9, crop_size=8, num_crops=1),
            "a crop of 8 pixels does not fit a frame of 7x9",
        ),
        (lambda: seeded_generator(1, -2), r"a seed is made of \(1, -2\); use numbers from 0 on"),
    ],
)
def test_errors_say_what_came_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()
