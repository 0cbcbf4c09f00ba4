"""A step can't be changed, and the summary tells how much faster than the source the machine is."""

import dataclasses

import numpy as np
import pytest

from stvit_video.streaming.stream_step import STAGES, Step, StreamSummary, joined_notes


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
    assert (step.dropped, step.note) == (0, "")
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


def test_joined_notes():
    assert joined_notes("", "a", "", "b") == "a; b"
    assert joined_notes("", "") == ""
