"""Read the files of a list as streams: their steps and events, and what that took."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stvit_video.data.decoding.request import DecodeError
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording
from stvit_video.streaming.events import EventRules, decide
from stvit_video.streaming.run_stream import run_stream
from stvit_video.streaming.stage_times import StageTimes
from stvit_video.streaming.step_table import StepTable
from stvit_video.streaming.stream_step import STAGES, Step, StreamSummary
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
from stvit_video.tasks.listed_streams import ListedStream
from stvit_video.utils.choices import LabelAt

__all__ = ["ReadStreams", "read_streams"]


@dataclass(eq=False)
class ReadStreams:
    """What was read.

    Attributes:
        recordings: of the files that could be read, by their names in the list.
        errors: why others could not, by their names.
        beyond: a sentence for each segment that reaches beyond the end of its file.
        num_whole: files that are listed without times.
        lines: of steps.csv, the header first.
        times: of the stages of all steps.
        source_seconds: of video that was read.
        work_seconds: that it took on the clock.
        cpu_seconds: that it took of all processors.
    """

    lines: list[str]
    recordings: dict[str, ScoredRecording] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    beyond: list[str] = field(default_factory=list)
    num_whole: int = 0
    times: StageTimes = field(default_factory=lambda: StageTimes(STAGES))
    source_seconds: float = 0.0
    work_seconds: float = 0.0
    cpu_seconds: float = 0.0


def read_streams(
    recognizer: StreamingRecognizer, streams: Sequence[ListedStream], *, rules: EventRules, label_at: LabelAt
) -> ReadStreams:
    """Read each file once, from its begin to its end, and print a line of it.

    Args:
        recognizer: answers every `stride_frames`.
        streams: the files.
        rules: of events.
        label_at: what a step is for: the "end" of its window, or its "centre".

    Raises:
        NonFiniteLogitsError: the model gives NaN.
    """
    table = StepTable(recognizer.classes, has_paths=True)
    read = ReadStreams([table.header()])
    for number, stream in enumerate(streams, start=1):
        before, before_cpu = time.perf_counter(), time.process_time()
        try:
            with run_stream(recognizer, stream.path) as run:
                steps = list(run)
        except DecodeError as error:
            read.errors[stream.name] = str(error)
            continue
        seconds = time.perf_counter() - before
        read.work_seconds += seconds
        read.cpu_seconds += time.process_time() - before_cpu
        read.source_seconds += run.summary.source_seconds
        read.lines += [table.line(step, path=stream.name) for step in steps]
        for step in steps:
            read.times.add(step.stages, latency_seconds=step.latency_seconds)
        length_seconds, frame_seconds = _length_of(run.summary)
        truth = stream.truth(length_seconds=length_seconds)
        read.beyond += stream.beyond(length_seconds=length_seconds, slack_seconds=frame_seconds)
        read.num_whole += stream.is_whole
        events = _events(steps, recognizer, rules=rules, label_at=label_at)
        moments, probabilities = _moments(steps, label_at), np.stack([step.probabilities for step in steps])
        read.recordings[stream.name] = ScoredRecording(moments, probabilities, events, truth)
        told = f"{len(steps)} steps, {len(events)} events, {run.summary.source_seconds / seconds:.1f} times real time"
        print(f"{number} of {len(streams)}: {stream.name}, {told}", flush=True)
    return read


def _length_of(summary: StreamSummary) -> tuple[float, float]:
    """How long a file is, in seconds, its last frame standing as long as the others; and how long that is."""
    if summary.frames_read > 1 and summary.source_seconds > 0:
        frame_seconds = summary.source_seconds / (summary.frames_read - 1)
    else:
        assert summary.fps is not None, "a frame was chosen"
        frame_seconds = 1 / summary.fps
    return summary.source_seconds + frame_seconds, frame_seconds


def _events(
    steps: Sequence[Step], recognizer: StreamingRecognizer, *, rules: EventRules, label_at: LabelAt
) -> list[FoundEvent]:
    """The finished events; they start and end at what their steps are for, and are told when they are."""
    moment_of = {step.seconds: moment for step, moment in zip(steps, _moments(steps, label_at).tolist(), strict=True)}
    events = decide(steps, classes=recognizer.classes, multi_label=recognizer.multi_label, rules=rules)
    return [
        FoundEvent(
            event.label,
            moment_of[event.start_seconds],
            moment_of[event.end_seconds],
            event.decided_seconds,
            event.probability,
        )
        for event in events
        if event.end_seconds is not None
    ]


def _moments(steps: Sequence[Step], label_at: LabelAt) -> np.ndarray:
    """The moments (N,) that steps are for."""
    if label_at == "end":
        return np.array([step.seconds for step in steps])
    return np.array([sum(step.window) / 2 for step in steps])
