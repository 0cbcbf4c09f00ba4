from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.sampling.training_indices import (
    fps_scaled_offsets,
    training_frame_indices,
    training_scaled_indices,
    training_segment_indices,
)
from stvit_video.utils.seeding import seeded_generator

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
    with pytest.raises(ValueError, match=r"clip of 4 frames .*\b19 frames, .*\b10;"):
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
    with pytest.raises(ValueError, match=r"clip of 5 frames .*\b5 frames, .*\b3;"):
        training_segment_indices(3, num_frames=5, generator=generator, short_video="error")
