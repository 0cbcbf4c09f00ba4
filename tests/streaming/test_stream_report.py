"""What is told at the end of a stream."""

import numpy as np
import pytest
from made_steps import made_steps

from stvit_video.streaming.stream_report import StreamReport
from stvit_video.streaming.stream_step import StreamSummary


def report_of(count):
    report = StreamReport()
    for step in made_steps(np.full((count, 2), 0.5)):
        report.add(step)
    return report


def test_numbers_and_words():
    report, summary = report_of(10), StreamSummary(source="yard.mp4", fps=12.5, source_seconds=90.0)
    summary.decode_seconds, summary.model_seconds = 10.0, 20.0
    summary.frames_chosen, summary.frames_dropped, summary.reconnects = 1125, 7, 2
    report.num_events = 1
    values = report.values(summary)
    assert values["real_time_factor"] == 3.0
    assert (values["num_steps"], values["num_events"], values["source"]) == (10, 1, "yard.mp4")
    assert values["milliseconds"]["encode"]["p50"] == pytest.approx(5, rel=0.01)
    assert values["milliseconds"]["latency"]["p95"] == pytest.approx(40, rel=0.01)
    lines = report.lines(summary)
    assert lines[0] == "10 steps in 1:30.0 of yard.mp4 at 12.5 frames a second, 1 event"
    assert [line.split()[0] for line in lines[2:-1]] == ["decode", "queue", "preprocess", "encode", "decide", "latency"]
    assert lines[-1] == ("real-time factor 3 (90 s in 30 s of work); 7 of 1125 frames dropped, 2 reconnects")


def test_before_any_work():
    lines = report_of(1).lines(StreamSummary(source="camera 0"))
    assert lines[0] == "1 step in 0:00.0 of camera 0, 0 events"
    assert lines[-1] == "0 of 0 frames dropped"
