"""A stream answers what the model answers to the clip that ends there: with frames that all differ, so that one in the
wrong place shows."""

import numpy as np
import pytest
import torch
from streamed_clips import LONG, distinct_frames, ends_of, logits_of_windows, long_model, stacked, streamed

from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

NAMES = sorted(LONG)
CASVIT, DEIT = NAMES
FPS = 30  # of models with frame_stride=1
EXACT = {"atol": 1e-5, "rtol": 1e-5}


def require_exact(model, recognizer, frames, answers, *, ends=None, **tolerance):
    """Hold answers against whole clips; the frames were pushed at 30 a second, from 0 on."""
    ends = ends or ends_of(answers, fps=FPS)
    wanted = logits_of_windows(model, frames, ends, num_frames=recognizer.num_frames)
    assert np.abs(np.diff(wanted, axis=0)).max(initial=1) > 1e-2  # the windows tell something
    np.testing.assert_allclose(stacked(answers), wanted, **(tolerance or EXACT))


@pytest.mark.parametrize("name", NAMES)
def test_200_windows_that_begin_anywhere(name):
    model, recognizer = streamed(name, stride_frames=2)
    window, num_starts = recognizer.num_frames, 200 if name == DEIT else 40
    frames = distinct_frames(name, 60)
    starts = np.random.default_rng(4).integers(0, 60 - window + 1, num_starts)
    answers = []
    for start in starts:
        recognizer.reset()
        answers += recognizer.push(frames[:, start : start + window])
    assert [seconds for seconds, _ in answers] == pytest.approx([(window - 1) / FPS] * num_starts)
    require_exact(model, recognizer, frames, answers, ends=[start + window for start in starts])


@pytest.mark.parametrize("name", NAMES)
def test_windows_of_one_stream_around_the_ring_many_times(name):
    model, recognizer = streamed(name, stride_frames=2 if name == DEIT else 1)
    num_answers = 200 if name == DEIT else 60
    frames = distinct_frames(name, recognizer.num_frames + recognizer.stride_frames * (num_answers - 1))
    answers = recognizer.push(frames)
    assert len(answers) == num_answers
    require_exact(model, recognizer, frames, answers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_steps", range(1, 9))
def test_every_stride_and_any_number_of_frames_at_a_time(name, num_steps):
    model, recognizer = streamed(name, stride_frames=num_steps * (2 if name == DEIT else 1))
    total = 93 if name == DEIT else 41
    frames, generator = distinct_frames(name, total, seed=num_steps), np.random.default_rng(num_steps)
    answers, start = [], 0
    while start < total:
        num_frames = int(generator.choice([0, 1, 1, 2, 3, 5, 7, 31]))
        answers += recognizer.push(frames[:, start : start + num_frames])
        start += num_frames
    window, stride = recognizer.num_frames, recognizer.stride_frames
    assert ends_of(answers, fps=FPS) == list(range(window, total + 1, stride))
    require_exact(model, recognizer, frames, answers)


def test_one_push_or_many_or_a_stride_beyond_the_window():
    for stride in (2, 40):
        model, recognizer = streamed(DEIT, stride_frames=stride)
        frames = distinct_frames(DEIT, 140)
        at_once = recognizer.push(frames)
        recognizer.reset()
        one_by_one = [answer for frame in frames.split(1, dim=1) for answer in recognizer.push(frame)]
        assert [seconds for seconds, _ in at_once] == pytest.approx([seconds for seconds, _ in one_by_one])
        np.testing.assert_allclose(stacked(at_once), stacked(one_by_one), **EXACT)
        require_exact(model, recognizer, frames, at_once)
        assert ends_of(at_once, fps=FPS) == list(range(16, 141, stride))


def test_frames_that_no_window_sees_are_not_encoded(monkeypatch):
    _, recognizer = streamed(DEIT, stride_frames=40)
    encoded, encode = [], recognizer.model.encode
    monkeypatch.setattr(recognizer.model, "encode", lambda frames: encoded.append(len(frames)) or encode(frames))
    for frame in distinct_frames(DEIT, 96).split(1, dim=1):
        recognizer.push(frame)
    assert encoded == [2] * 24  # of the windows that end at 16, 56 and 96


@pytest.mark.parametrize("name", NAMES)
def test_two_streams_take_turns_at_one_model(name):
    model, first = streamed(name, stride_frames=2)
    second = StreamingRecognizer(first.model, stride_frames=4)
    frames = [distinct_frames(name, 30, seed=seed) for seed in (5, 6)]
    answers = [[], []]
    for start in range(0, 30, 3):
        answers[0] += first.push(frames[0][:, start : start + 3])
        answers[1] += second.push(frames[1][:, start : start + 3])
    for recognizer, clip, told in zip((first, second), frames, answers, strict=True):
        require_exact(model, recognizer, clip, told)


@pytest.mark.parametrize("num_pushed", [1, 15, 16, 37])
def test_nothing_is_left_after_a_reset(num_pushed):
    model, recognizer = streamed(DEIT, stride_frames=2)
    recognizer.push(distinct_frames(DEIT, num_pushed, seed=9))
    recognizer.reset()
    assert recognizer.window_seconds is None
    frames = distinct_frames(DEIT, 30)
    require_exact(model, recognizer, frames, recognizer.push(frames))


@pytest.mark.parametrize("name", NAMES)
def test_another_number_of_tokens_in_mid_stream(name):
    model, recognizer = streamed(name, stride_frames=2)
    frames, start = distinct_frames(name, 40), 0
    before = model.token_grid
    for end, tokens in ((23, (1, 2, 2)), (32, (2, 1, 2)), (40, before.sizes)):
        recognizer.set_num_tokens(tokens)
        answers = recognizer.push(frames[:, start:end])
        require_exact(model, recognizer, frames, answers)
        assert model.token_grid.sizes == tokens
        start = end


@pytest.mark.parametrize(
    ("name", "options", "num_anew"),
    [(DEIT, {"depth": 7}, (6, 0, 16)), (CASVIT, {"depths": (1, 1, 6, 1)}, (5, 0, 5))],
)
def test_another_place_of_generation_in_mid_stream_whoever_sets_it(name, options, num_anew):
    model, sizes = long_model(name, generate_at=3, elastic_generate_at=[1, 2, 3], **options)
    recognizer, other = (StreamingRecognizer(model, preprocessing=sizes, stride_frames=2) for _ in range(2))
    frames, start = distinct_frames(name, 60), 0
    changes = ((7, 2, recognizer), (25, 3, other), (38, 1, recognizer))  # frames so far, place, who moves it there
    for (end, place, who), num_frames in zip(changes, num_anew, strict=True):
        hold_on(model, recognizer, frames, start, end)
        spent = who.spent["encode"]
        cost = who.set_generate_at(place)
        assert (model.generate_at, cost.num_frames) == (place, num_frames)
        assert who.spent["encode"] - spent <= cost.seconds
        assert (who.spent["encode"] > spent) == (num_frames > 0)
        start = end
    hold_on(model, recognizer, frames, start, 60)


def hold_on(model, recognizer, frames, start, end):
    """Push frames of a stream, and hold its answers against whole clips."""
    answers = recognizer.push(frames[:, start:end])
    assert len(answers) == len([stop for stop in range(recognizer.num_frames, end + 1, 2) if stop > start])
    if answers:
        require_exact(model, recognizer, frames, answers)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_differs_by_its_rounding_alone(name):
    model, recognizer = streamed(name, stride_frames=2)
    frames = distinct_frames(name, 40)
    exact = stacked(recognizer.push(frames))
    largest = np.abs(exact).max()
    for autocast in (False, True):
        recognizer.reset()
        model.to(torch.float32 if autocast else torch.bfloat16)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            answers = recognizer.push(frames)
            clip = frames if autocast else frames.to(torch.bfloat16)
            require_exact(model, recognizer, clip, answers, atol=largest / 2**6)  # 4 units in the last place of 8 bits
        assert 0 < np.abs(stacked(answers) - exact).max() < 0.03 * largest
