"""A step can't be changed, and the summary tells how much faster than the source the machine is."""

import dataclasses

import numpy as np
import pytest

from stvit_video.streaming.stream_step import STAGES, Step, StreamSummary


def test_a_step_is_frozen():
    step = Step(
        number=0,
        seconds=1.5,
        window=(0.0, 1.5),
        probabilities=np.array([0.25, 0.75], np.float32),
        logits=np.array([0.0, 1.1], np.float32),
        latency_seconds=0.02,
        stages=dict.fromkeys(STAGES, 0.0),
    )
    assert (step.dropped, step.damaged, step.note) == (0, 0, "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.seconds = 2.0


def test_real_time_factor():
    summary = StreamSummary(source="a.mp4")
    assert summary.real_time_factor is None
    summary.source_seconds, summary.decode_seconds, summary.model_seconds = 12.0, 3.0, 5.0
    assert summary.real_time_factor == 1.5
    assert summary.work_seconds == 8.0


def test_damages_are_counted():
    summary = StreamSummary(source="a.mp4")
    summary.count_damage()
    summary.count_damage()
    assert summary.frames_damaged == 2
    assert len(summary.notes) == 1


def test_notes_are_kept_once_and_told_with_the_time():
    summary, told = StreamSummary(source="a.mp4"), []
    summary.add_note("before")
    summary.listen(lambda *note: told.append(note))
    summary.source_seconds = 3.5
    for words in ("one", "two", "one"):
        summary.add_note(words)
    summary.tell("lost")
    assert summary.notes == ["before", "one", "two"]
    assert told == [(3.5, "one"), (3.5, "two"), (3.5, "lost")]
    assert "listener" not in repr(dataclasses.asdict(summary))


def test_notes_do_not_grow_without_bound():
    summary = StreamSummary(source="a.mp4")
    for number in range(1000):
        summary.add_note(f"note {number}")
    assert len(summary.notes) == 100
