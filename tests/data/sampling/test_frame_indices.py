import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.sampling.frame_indices import (
    clip_frame_indices,
    clip_span,
    segment_frame_range,
    uniform_clip_starts,
)
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.training_indices import (
    fps_scaled_offsets,
    training_frame_indices,
    training_segment_indices,
)
from stvit_video.data.transforms.crops import crop_offsets
from stvit_video.utils.seeding import seeded_generator

COUNT = st.integers(1, 60)


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
    # the whole sentence, once for its family
    whole = (
        "^a clip of 5 frames from frame 1 needs 10 frames, the video has 9; "
        "use fewer frames, a smaller stride, or short_video='repeat_last'$"
    )
    with pytest.raises(ValueError, match=whole):
        clip_frame_indices(1, 9, **settings, short_video="error")


@given(st.integers(1, 90), st.sampled_from([10.0, 25.0, 30000 / 1001]), st.integers(0, 80), st.integers(1, 40))
def test_segment_is_the_frames_whose_time_lies_in_it(total, fps, start_tenths, length_tenths):
    start, end = start_tenths / 10, (start_tenths + length_tenths) / 10
    if start * fps > total - 0.01:
        with pytest.raises(
            ValueError, match=rf"segment begins at {re.escape(str(start))} s, the video ends at [0-9.]+ s"
        ):
            segment_frame_range(FrameTimes.constant(total, fps), start, end)
        return
    first, stop = segment_frame_range(FrameTimes.constant(total, fps), start, end)
    inside = [i for i in range(total) if start - 1e-6 <= i / fps < end - 1e-6]
    on_screen = max(i for i in range(total) if i / fps <= start + 1e-6)
    assert list(range(first, stop)) == (inside or [on_screen])


def test_segment_by_hand():
    seven = FrameTimes.constant(7, 10.0)
    assert segment_frame_range(seven, None, None) == (0, 7)
    assert segment_frame_range(seven, 0.3, None) == (3, 7)
    assert segment_frame_range(seven, None, 99.0) == (0, 7)
    assert segment_frame_range(seven, 0.21, 0.28) == (2, 3)
    assert segment_frame_range(seven, 0.65, 9.0) == (6, 7)
    assert segment_frame_range(seven, 0.0, 0.00001) == (0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        # the whole sentence, once for its family
        (lambda: clip_span(0, 2), "^num_frames=0 must be at least 1$"),
        (lambda: clip_span(3, 0), "frame_stride=0 .*at least 1"),
        (lambda: uniform_clip_starts(0, span=3, num_clips=2), "num_video_frames=0 .*at least 1"),
        (lambda: uniform_clip_starts(5, span=0, num_clips=2), "span=0 .*at least 1"),
        (lambda: uniform_clip_starts(5, span=3, num_clips=0), "num_clips=0 .*at least 1"),
        (
            lambda: clip_frame_indices(5, 5, num_frames=2, frame_stride=1),
            r"start=5 .*\b5 frames; .*\b0 to 4\b",
        ),
        (
            lambda: clip_frame_indices(0, 5, num_frames=2, frame_stride=1, short_video="wrap"),  # type: ignore
            "short_video='wrap' .*repeat_last, loop, error",
        ),
        (
            lambda: training_frame_indices(0, num_frames=2, frame_stride=1, generator=seeded_generator(0)),
            "num_video_frames=0 .*at least 1",
        ),
        (
            lambda: fps_scaled_offsets(num_frames=2, frame_stride=1, fps=30.0, target_fps=-1.0),
            r"target_fps=-1\.0 .*above 0\b",
        ),
        (
            lambda: training_segment_indices(5, num_frames=0, generator=seeded_generator(0)),
            "num_frames=0 .*at least 1",
        ),
        # the whole sentence, once for its family
        (
            lambda: segment_frame_range(FrameTimes.constant(5, 10.0), 0.3, 0.3),
            "^segment 0.3 to 0.3 s is none; it must hold that 0 <= start_seconds < end_seconds$",
        ),
        (lambda: crop_offsets(9, 9, crop_size=3, num_crops=2), r"num_crops=2 .*\b1 .*\b3 "),
        (
            lambda: crop_offsets(7, 9, crop_size=8, num_crops=1),
            r"crop of 8 pixels .*\b7x9\b",
        ),
        (lambda: seeded_generator(1, -2), r"seed .*\(1, -2\);.*from 0\b"),
    ],
)
def test_errors_say_what_came_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()
