"""Steps of chosen frames: what stands in them, when the window begins anew, and why there is none."""

import numpy as np
import pytest
from pushed_frames import NotingRecognizer
from stamped_video import numbered_picture

from stvit_video.streaming.frame_choice import ChosenFrame
from stvit_video.streaming.source_frames import SourceError
from stvit_video.streaming.step_maker import StepMaker
from stvit_video.streaming.stream_notes import Note
from stvit_video.streaming.stream_step import StreamSummary


def frame(number, *seconds, notes=()):
    picture = numbered_picture(number)
    return ChosenFrame(picture=picture, seconds=seconds, arrived=0.0, decode_seconds=0.5, notes=notes)


def made(frames, *, drops=None, damages=None, **settings):
    """(steps, recognizer, summary) of frames at 10 a second; drops and damages = of the summary when each comes."""
    recognizer, summary = NotingRecognizer(**settings), StreamSummary(source="x", fps=10.0)
    maker, steps = StepMaker(recognizer, summary), []
    for place, one in enumerate(frames):
        summary.frames_dropped = drops[place] if drops else 0
        summary.frames_damaged = damages[place] if damages else 0
        steps += maker.steps(one, waited_seconds=place / 100)
    return steps, recognizer, summary


def test_what_stands_in_a_step():
    steps, recognizer, summary = made([frame(number, number / 10) for number in range(9)])
    assert [step.number for step in steps] == [0, 1, 2]
    assert [step.seconds for step in steps] == pytest.approx([0.3, 0.5, 0.7])
    assert np.array([step.window for step in steps]) == pytest.approx(np.array([[0, 0.3], [0.2, 0.5], [0.4, 0.7]]))
    assert [step.logits.tolist() for step in steps] == [[3, 0], [5, 2], [7, 4]]
    assert all(np.isclose(step.probabilities.sum(), 1) for step in steps)
    first = {"decode": 2.0, "queue": 0.03, "preprocess": 4.0, "encode": 8.0, "decide": 4.0}
    assert steps[0].stages == pytest.approx(first)
    later = {"decode": 1.0, "queue": 0.07, "preprocess": 2.0, "encode": 4.0, "decide": 4.0}
    assert steps[2].stages == pytest.approx(later)
    assert recognizer.resets == [0]
    assert (summary.num_steps, summary.resets) == (3, 0)
    assert summary.model_seconds > 0


def test_a_frame_seen_at_several_times():
    steps, recognizer, _ = made([frame(1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5)])
    assert [seconds for seconds, _ in recognizer.pushed] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert [step.seconds for step in steps] == pytest.approx([0.3, 0.5])


def test_notes_gather_until_a_step_tells_them():
    gap, size = Note(kind="gap", words="a gap", seconds=2.0), Note(kind="size", words="a size")
    frames = [frame(0, 0.0), frame(1, 0.1, notes=(gap,)), frame(2, 0.2), frame(3, 0.3, notes=(gap, size))]
    frames += [frame(number, number / 10) for number in range(4, 9)]
    steps, recognizer, summary = made(frames)
    assert [step.note for step in steps] == ["2 gaps, the longest 2.0 s; a size", ""]
    assert recognizer.windows == [[3, 4, 5, 6], [5, 6, 7, 8]]
    assert recognizer.resets == [0, 1, 3]
    assert summary.resets == 2


def test_a_window_over_dropped_frames_spans_more_time():
    steps, recognizer, _ = made([frame(number, 5.0 * number) for number in range(4)], drops=[0, 49, 98, 147])
    assert recognizer.resets == [0]
    assert [(step.window, step.note, step.dropped) for step in steps] == [((0.0, 15.0), "", 147)]


def test_drops_since_the_step_before():
    frames = [frame(number, number / 10) for number in range(8)]
    steps, _, _ = made(frames, drops=[0, 1, 1, 4, 4, 4, 4, 9], damages=[2, 2, 2, 2, 2, 3, 3, 3])
    assert [step.damaged for step in steps] == [2, 1, 0]
    assert [step.dropped for step in steps] == [4, 0, 5]


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        (StreamSummary(source="x"), "x gave no picture"),
        (StreamSummary(source="x", frames_damaged=3), "no picture in 3 damaged packets"),
        (
            StreamSummary(source="x", fps=10.0, frames_read=7, frames_chosen=3, source_seconds=0.6),
            r"ended after 0\.6 s and 3 chosen frames, before a window of 4 frames \(0\.4 s\) was full",
        ),
        (StreamSummary(source="x", fps=10.0, frames_read=7, resets=2), "begun anew 2 times"),
    ],
)
def test_why_there_was_no_step(summary, told):
    maker = StepMaker(NotingRecognizer(), summary)
    with pytest.raises(SourceError, match=told):
        maker.require_steps()
    summary.num_steps = 1
    maker.require_steps()


def test_why_there_was_no_step_within_max_seconds():
    summary = StreamSummary(source="x")
    maker = StepMaker(NotingRecognizer(), summary, max_seconds=2.0)
    with pytest.raises(SourceError, match="no picture within max_seconds=2"):
        maker.require_steps()
    summary.fps, summary.frames_read = 10.0, 3
    with pytest.raises(SourceError, match=r"max_seconds=2 .* 4 frames \(0\.4 s\) was full; raise max_seconds or"):
        maker.require_steps()
