"""How a stream counts and tells; what its logits are is in test_exact_streams.py."""

import gc
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from streamed_clips import distinct_frames, streamed

import stvit_video
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.streaming import StreamingRecognizer
from stvit_video.streaming.source_frames import SourceError

DEIT = "stvit_video_deit_tiny"


class CountingSteps:
    """A `StepModel` of whole numbers: a frame (1,) is a number, a token their sum, a logit how the window ends."""

    classes, multi_label, generate_at = ("newest", "oldest", "sum"), False, None
    frames_per_step, num_frames = 3, 6

    def __init__(self, preprocessing):
        self.preprocessing = preprocessing

    def checked(self, frames):
        return np.asarray(frames, dtype=np.float64)[:, None]

    def preprocess(self, frames):
        return frames

    def encode(self, frames):
        return np.concatenate([frames.reshape(-1, 3), frames.reshape(-1, 3).sum(1, keepdims=True)], axis=1)

    def decide(self, tokens):
        return np.array([tokens[-1, 2], tokens[0, 0], tokens[:, 3].sum()], dtype=np.float32)

    def set_num_tokens(self, num_tokens):
        raise ValueError(num_tokens)

    def set_generate_at(self, place):
        raise ValueError(place)


@pytest.fixture
def recognizer(tiny_run):
    return StreamingRecognizer(
        CountingSteps(load_recognizer(tiny_run.checkpoint, device="cpu").preprocessing), stride_frames=3
    )


def test_it_is_a_public_name_and_tells_what_it_is(tiny_run):
    assert stvit_video.StreamingRecognizer is StreamingRecognizer
    recognizer = StreamingRecognizer(tiny_run.checkpoint)
    assert (recognizer.classes, recognizer.multi_label) == (("a, comma", "jump", "run"), False)
    assert (recognizer.num_frames, recognizer.frames_per_step, recognizer.stride_frames) == (4, 2, 4)
    assert (recognizer.target_fps, recognizer.fps) == (None, 15)  # frame_stride=2
    assert StreamingRecognizer(recognizer.model, target_fps=7).fps == 7
    assert repr(recognizer) == "StreamingRecognizer(TorchSteps, 3 classes, 4 frames at 15 a second, stride_frames=4)"


def test_times_are_counted_by_the_rate_or_given(recognizer):
    assert (recognizer.push([]), recognizer.window_seconds) == ([], None)
    assert recognizer.push(range(4)) == []
    ((seconds, logits),) = recognizer.push(range(4, 7))
    assert seconds == pytest.approx(5 / 15)
    np.testing.assert_array_equal(logits, [5, 0, 15])
    assert recognizer.window_seconds == pytest.approx((0, 5 / 15))
    ((seconds, logits),) = recognizer.push(range(7, 11), seconds=[1, 1, 2.5, 4])
    assert (seconds, recognizer.window_seconds) == (1, pytest.approx((3 / 15, 1)))
    np.testing.assert_array_equal(logits, [8, 3, 33])
    ((seconds, _),) = recognizer.push(range(11, 13))
    assert (seconds, recognizer.window_seconds) == (pytest.approx(4 + 1 / 15), pytest.approx((6 / 15, 4 + 1 / 15)))
    recognizer.reset()
    assert (recognizer.window_seconds, recognizer.push(range(5), seconds=range(5))) == (None, [])


def test_all_strides_of_one_push(recognizer):
    answers = recognizer.push(range(20), seconds=np.arange(20) / 2)
    assert [seconds for seconds, _ in answers] == [2.5, 4, 5.5, 7, 8.5]
    assert [logits.tolist() for _, logits in answers] == [
        [end, end - 5, sum(range(end - 5, end + 1))] for end in (5, 8, 11, 14, 17)
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ([1.0], r"shape \(1,\) for 2 frames"),
        ([[1.0, 2.0]], r"shape \(1, 2\) for 2 frames"),
        (2.0, r"shape \(\) for 2 frames"),
        ([1.0, float("nan")], "NaN"),
        ([2.0, 1.0], r"go back, .* call reset\(\)"),
        ([0.4, 1.0], r"go back, from 0\.467 to 0\.400; call reset\(\)"),
    ],
)
def test_times_that_are_none_change_nothing(recognizer, seconds, said):
    recognizer.push(range(8))
    with pytest.raises(ValueError, match=said):
        recognizer.push([8, 9], seconds=seconds)
    ((_, logits),) = recognizer.push([8])
    np.testing.assert_array_equal(logits, [8, 3, 33])


def test_frames_that_are_none_change_nothing():
    _, recognizer = streamed(DEIT, stride_frames=2)
    frames = distinct_frames(DEIT, 18)
    wanted = recognizer.push(frames)[-1][1]
    recognizer.reset()
    recognizer.push(frames[:, :17])
    bad = frames[:, 16:].clone()
    bad[0, 1, 2, 3] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        recognizer.push(bad)
    ((_, logits),) = recognizer.push(frames[:, 17:])
    np.testing.assert_array_equal(logits, wanted)


def test_bytes_and_floats_may_follow_each_other():
    _, recognizer = streamed(DEIT, stride_frames=2)
    frames = torch.from_numpy(np.random.default_rng(2).integers(0, 256, (16, 16, 16, 3), dtype=np.uint8))
    wanted = recognizer.push(frames)[0][1]
    recognizer.reset()
    floats = recognizer.model.preprocess(frames).movedim(0, 1)  # (3, 16, 16, 16)
    recognizer.push(frames[:7])
    recognizer.push(floats[:, 7:11])
    np.testing.assert_array_equal(recognizer.push(frames[11:])[0][1], wanted)


def test_frames_of_another_size_need_a_reset():
    _, recognizer = streamed(DEIT, stride_frames=2)
    frames = np.random.default_rng(3).integers(0, 256, (16, 20, 30, 3), dtype=np.uint8)
    wanted = recognizer.push(frames)[0][1]
    recognizer.reset()
    recognizer.push(frames[:5])
    with pytest.raises(ValueError, match=r"size \(24, 30, 3\) came after .* \(20, 30, 3\); call reset\(\)"):
        recognizer.push(np.zeros((1, 24, 30, 3), dtype=np.uint8))
    assert recognizer.push(np.zeros((0, 24, 30, 3), dtype=np.uint8)) == []
    np.testing.assert_array_equal(recognizer.push(frames[5:])[0][1], wanted)
    recognizer.reset()
    assert recognizer.push(np.zeros((1, 24, 30, 3), dtype=np.uint8)) == []


def pairs_of(count):
    return [(number / 10, np.full((16, 16, 3), number, dtype=np.uint8)) for number in range(count)]


def test_nobody_else_pushes_while_a_run_is_open():
    _, recognizer = streamed(DEIT, stride_frames=2, target_fps=10)
    with recognizer.run(pairs_of(22)) as run:
        for use in (lambda: recognizer.push(distinct_frames(DEIT, 2)), lambda: recognizer.run(pairs_of(22))):
            with pytest.raises(ValueError, match=r"run of this recognizer on .* is not over; .*close\(\) it"):
                use()  # before the first step
        first = next(run)
        with pytest.raises(ValueError, match="is not over"):
            recognizer.push(distinct_frames(DEIT, 2))
        told = [first, *run]
    assert [step.seconds for step in told] == pytest.approx([1.5, 1.7, 1.9, 2.1])
    assert run.is_over
    assert [step.seconds for step in recognizer.run(pairs_of(16))] == pytest.approx([1.5])  # read to its end
    recognizer.reset()
    recognizer.push(distinct_frames(DEIT, 2))


def test_a_run_that_is_closed_broken_or_forgotten_frees_the_recognizer():
    _, recognizer = streamed(DEIT, stride_frames=2, target_fps=10)
    recognizer.run(pairs_of(22)).close()
    with recognizer.run(pairs_of(22)) as run:
        next(run)
    with pytest.raises(SourceError, match="before a window of 16 frames"):
        next(recognizer.run(pairs_of(5)))
    recognizer.run(pairs_of(22))  # which nobody keeps
    gc.collect()
    with pytest.raises(ValueError, match="max_reconnects=-1"):
        recognizer.run(pairs_of(22), max_reconnects=-1)
    recognizer.reset()
    recognizer.push(distinct_frames(DEIT, 2))


def test_settings_that_are_out_of_range(recognizer):
    for stride, said in ((4, "multiple of the 3 frames"), (0, "at least 1"), (2.5, "whole number")):
        with pytest.raises(ValueError, match=f"stride_frames={stride} .*{said}"):
            StreamingRecognizer(recognizer.model, stride_frames=stride)
    for fps in (0, -1, float("nan"), float("inf"), "6", [6]):
        with pytest.raises(ValueError, match=re.escape(f"target_fps={fps!r} must be")):
            StreamingRecognizer(recognizer.model, stride_frames=3, target_fps=fps)


def test_logits_that_are_no_numbers(recognizer, monkeypatch):
    monkeypatch.setattr(recognizer.model, "decide", lambda tokens: np.array([1, np.nan, 2], dtype=np.float32))
    with pytest.raises(NonFiniteLogitsError, match=r"at 0\.333 s of the stream"):
        recognizer.push(range(6))


def test_probabilities_are_of_classes_or_of_each_label(recognizer):
    logits = np.array([1.0, -2.0, 0.5], dtype=np.float32)
    powers = np.exp(logits)
    np.testing.assert_allclose(recognizer.probabilities(logits), powers / powers.sum(), rtol=1e-6)
    recognizer.multi_label = True
    np.testing.assert_allclose(recognizer.probabilities(logits), powers / (1 + powers), rtol=1e-6)


def test_the_time_is_spent_on_three_stages():
    _, recognizer = streamed(DEIT, stride_frames=2)
    assert recognizer.spent == {"preprocess": 0, "encode": 0, "decide": 0}
    recognizer.push(distinct_frames(DEIT, 15))
    assert recognizer.spent["encode"] > recognizer.spent["decide"] == 0
    recognizer.push(distinct_frames(DEIT, 1))
    assert min(recognizer.spent.values()) > 0


def test_steps_of_a_file_are_the_logits_of_its_clips(tiny_run):
    recognizer = StreamingRecognizer(tiny_run.checkpoint, stride_frames=2)
    trained = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1, frame_stride=1)
    with stvit_video.open_video(tiny_run.videos[0]) as video:
        frames = np.asarray(video.read(range(0, 25, 2)))  # (13, H, W, 3), every frame_stride-th
    with recognizer.run(tiny_run.videos[0]) as steps:
        told = list(steps)
    assert [step.seconds for step in told] == pytest.approx([0.6, 1.0, 1.4, 1.8, 2.2])
    for end, step in zip(range(4, 14, 2), told, strict=True):
        np.testing.assert_allclose(step.logits, trained.logits(frames[end - 4 : end])[0], atol=1e-5, rtol=1e-5)


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="it says how much memory is resident, on Linux alone")
def test_an_hour_costs_what_a_minute_costs():
    """4 frames a second, made on the fly, and a step for every other one."""
    _, recognizer = streamed(DEIT, stride_frames=2, target_fps=4)
    generator = np.random.default_rng(8)
    seconds, kept, resident = [], [], []
    for _ in range(60):  # minutes of 120 steps
        frames = generator.integers(0, 256, (240, 16, 16, 3), dtype=np.uint8)
        for step in np.split(frames, 120):
            before = time.process_time()
            recognizer.push(step)
            seconds.append(time.process_time() - before)
        kept.append(recognizer.num_bytes)
        resident.append(resident_bytes())
    assert recognizer.window_seconds == pytest.approx((3600 - 4, 3600 - 0.25))
    assert len(set(kept)) == 1
    assert resident[-1] - resident[0] < 4 * 2**20
    assert np.median(seconds[-100:]) < 1.5 * np.median(seconds[20:120])
