"""The windows of a video are where they should be, and the model gets of them what it gets in prediction."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from stamped_video import timed_video
from untrained_run import write_drifting

from stvit_video.data.decoding.video import open_video
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.file_record import file_record
from stvit_video.inference.model_input import model_input
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.token_maps.video_windows import plan_windows, read_windows, shown_frames, shown_size


@pytest.fixture(scope="module")
def trained(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1, num_frames=4, frame_stride=3)


def windows_of(trained, path, *, max_clips=8):
    return read_windows(trained, file_record(path, num_frames=4), FrameSource(warn=False), max_clips=max_clips)


@pytest.mark.parametrize(
    ("protocol", "num_frames", "fps", "windows", "left"),
    [
        ("uniform", 25, 10, [[1, 4, 7, 10], [13, 16, 19, 22]], 1),  # the middle frame of each stride
        ("uniform", 22, 10, [[1, 4, 7, 10], [12, 15, 18, 21]], 0),  # as many as the last one reaches over
        ("uniform", 21, 10, [[1, 4, 7, 10]], 9),
        ("uniform", 12, 10, [[1, 4, 7, 10]], 0),
        ("uniform", 10, 10, [[0, 3, 6, 9]], 0),
        ("uniform", 7, 10, [[0, 3, 6, 6]], 0),
        ("uniform", 1, 10, [[0, 0, 0, 0]], 0),
        ("videoswin", 7, 10, [[0, 3, 6, 2]], 0),  # short videos loop there
        ("slowfast", 50, 60, [[0, 7, 15, 23], [24, 31, 39, 47]], 2),  # a stride of 3 at 30 frames a second
        ("slowfast", 50, 30, [[0, 3, 7, 11], [12, 15, 19, 23], [24, 27, 31, 35], [36, 39, 43, 47]], 2),
        ("videomae_ssv2", 40, 10, [[5, 15, 25, 35]], 0),  # its clip is the whole video
    ],
)
def test_windows_follow_one_another_from_the_start(protocol, num_frames, fps, windows, left):
    sizes = Preprocessing(num_frames=4, frame_stride=3, short_side=20, crop_size=16)
    times = FrameTimes.constant(num_frames, fps)
    assert plan_windows(times, find_protocol(protocol), sizes) == (windows, left)


def test_a_window_is_bit_for_bit_what_prediction_makes_of_its_frames(tiny_run, trained):
    found = windows_of(trained, tiny_run.videos[0])
    with open_video(tiny_run.videos[0]) as video:
        frames = video.read(range(25))
    assert len(found.clips) == 2
    for number, window in enumerate(found.clips):
        part = frames[12 * number : 12 * (number + 1)]
        assert torch.equal(window.view, model_input(trained, part, fps=10).views)
        np.testing.assert_array_equal(window.frames, part[1::3])
        np.testing.assert_allclose(window.seconds, np.arange(4) * 0.3 + 0.1 + 1.2 * number)
    assert (found.num_windows, found.seconds_left, found.is_filled_up) == (2, pytest.approx(0.1), False)
    assert (found.seconds, found.fps) == (pytest.approx(2.5), pytest.approx(10 / 3))


def test_a_short_video_is_filled_up_as_in_prediction(tmp_path, trained):
    write_drifting(tmp_path / "short.mp4", seed=0, num_frames=3)
    found = windows_of(trained, tmp_path / "short.mp4")
    assert torch.equal(found.clips[0].view, model_input(trained, tmp_path / "short.mp4").views)
    assert (len(found.clips), found.is_filled_up, found.seconds_left) == (1, True, 0)
    assert found.fps == pytest.approx(10 / 2)  # of frames 0 and 2


@pytest.mark.parametrize(
    ("protocol", "num_frames", "frames", "is_filled_up"),
    [
        ("uniform", 10, [0, 3, 6, 9], False),
        ("uniform", 7, [0, 3, 6, 6], True),
        ("uniform", 1, [0, 0, 0, 0], True),
        ("videoswin", 7, [0, 3, 6, 2], True),
    ],
)
def test_a_clip_that_repeats_frames_or_begins_again_is_told(
    tmp_path, trained, protocol, num_frames, frames, is_filled_up
):
    write_drifting(tmp_path / "short.mp4", seed=0, num_frames=num_frames)
    found = windows_of(replace(trained, protocol=replace(trained.protocol, name=protocol)), tmp_path / "short.mp4")
    assert found.is_filled_up == is_filled_up
    assert found.clips[0].seconds == pytest.approx(np.array(frames) / 10)


def test_the_time_that_is_left_is_that_of_the_frames_that_are_left(tmp_path, trained):
    path = timed_video(tmp_path / "slow.mp4", [*range(0, 1200, 100), 5000, 9000])
    found = windows_of(trained, path)
    with open_video(path) as video:
        assert not video.times.is_constant
        assert found.seconds_left == pytest.approx(video.times.end_seconds - 5)
    assert found.num_windows == 1


@pytest.mark.parametrize(("max_clips", "firsts"), [(1, [0.1]), (2, [0.1, 9.7]), (3, [0.1, 4.9, 9.7]), (99, None)])
def test_of_many_windows_some_are_taken_evenly(tmp_path, trained, max_clips, firsts):
    write_drifting(tmp_path / "long.mp4", seed=0, num_frames=110)
    found = windows_of(trained, tmp_path / "long.mp4", max_clips=max_clips)
    assert found.num_windows == 9
    starts = [float(window.seconds[0]) for window in found.clips]
    assert starts == pytest.approx(firsts or [0.1 + 1.2 * number for number in range(9)])


@pytest.mark.parametrize(("short_side", "crop_size"), [(20, 20), (20, 12), (10, 8)])
def test_the_part_that_is_seen_is_marked(tiny_run, trained, short_side, crop_size):
    sizes = replace(trained.preprocessing, short_side=short_side, crop_size=crop_size)
    window = windows_of(replace(trained, preprocessing=sizes), tiny_run.videos[0]).clips[0]
    top, left, bottom, right = window.seen
    cut = torch.from_numpy(window.frames[:, top:bottom, left:right]).permute(3, 0, 1, 2).float() / 255
    mean, std = (torch.tensor(values)[:, None, None, None] for values in (sizes.mean, sizes.std))
    seen = window.view[0] * std + mean
    scaled = torch.nn.functional.interpolate(cut.transpose(0, 1), seen.shape[-2:], mode="bilinear", antialias=True)
    assert float((scaled.transpose(0, 1) - seen).abs().mean()) < (0.03 if short_side == 10 else 1e-3)


def test_clips_of_one_frame_are_shown_at_the_rate_at_which_they_follow(tiny_run, trained):
    sizes = replace(trained.preprocessing, num_frames=1, frame_stride=1)
    found = read_windows(
        replace(trained, preprocessing=sizes), file_record(tiny_run.videos[0], num_frames=1), FrameSource(), max_clips=5
    )
    assert [float(window.seconds[0]) for window in found.clips] == pytest.approx([0, 0.6, 1.2, 1.8, 2.4])
    assert found.fps == pytest.approx(1 / 0.6)
    assert found.clips[0].view.shape == (1, 3, 1, 16, 16)


@pytest.mark.parametrize(
    ("height", "width", "aspect", "expected"),
    [
        (64, 48, (1, 1), (64, 48)),
        (480, 480, (1, 1), (480, 480)),
        (1080, 1920, (1, 1), (270, 480)),
        (576, 720, (16, 11), (264, 480)),
        (100, 50, (2, 1), (100, 100)),
        (4, 2000, (1, 1), (1, 480)),
    ],
)
def test_sizes_of_shown_frames(height, width, aspect, expected):
    assert shown_size(height, width, aspect) == expected


def test_shown_frames_have_square_pixels():
    columns = torch.arange(0, 250, 10, dtype=torch.uint8)
    frames = columns[None, None, :, None].expand(2, 30, 25, 3).contiguous()
    shown = shown_frames(frames, (2, 1))
    assert (shown.shape, shown.dtype) == ((2, 30, 50, 3), np.uint8)
    np.testing.assert_allclose(shown[0, 3, 2:-2, 1].astype(float), np.arange(50)[2:-2] * 5 - 2.5, atol=1)
    kept = shown_frames(frames)
    np.testing.assert_array_equal(kept, frames)
    kept[:] = 0
    assert int(frames.max()) == 240  # a copy
