"""What is told of a stream at its end: time of each stage, frames that were dropped, whether the machine keeps up."""

import dataclasses
from typing import Any

from stvit_video.streaming.event_tracks import clock_words
from stvit_video.streaming.stage_times import StageTimes
from stvit_video.streaming.stream_step import STAGES, Step, StreamSummary

__all__ = ["StreamReport"]


class StreamReport:
    """Counts the steps and events of a stream, in memory that does not grow.

    Attributes:
        num_steps: so far.
        num_events: that were sure so far.
    """

    def __init__(self) -> None:
        self.num_steps, self.num_events = 0, 0
        self._times = StageTimes(STAGES)

    def add(self, step: Step) -> None:
        """Count a step."""
        self.num_steps += 1
        self._times.add(step.stages, latency_seconds=step.latency_seconds)

    def values(self, summary: StreamSummary) -> dict[str, Any]:
        """Numbers and words for stream.json, by name.

        Args:
            summary: of the run.
        """
        return {
            **dataclasses.asdict(summary),
            "real_time_factor": summary.real_time_factor,
            "num_steps": self.num_steps,
            "num_events": self.num_events,
            "milliseconds": self._times.milliseconds(),
        }

    def lines(self, summary: StreamSummary) -> list[str]:
        """The same for a person.

        Args:
            summary: of the run.
        """
        counted = f"{_counted(self.num_steps, 'step')} in {clock_words(summary.source_seconds)} of {summary.source}"
        rate = "" if summary.fps is None else f" at {summary.fps:.3g} frames a second"
        told = f"{counted}{rate}, {_counted(self.num_events, 'event')}"
        return [told, *self._times.lines(), _pace(summary)]


def _pace(summary: StreamSummary) -> str:
    """Speed, and what was left out."""
    factor, work = summary.real_time_factor, f"{summary.work_seconds:.3g} s of work"
    speed = "" if factor is None else f"real-time factor {factor:.3g} ({summary.source_seconds:.3g} s in {work}); "
    told = [f"{summary.frames_dropped} of {summary.frames_chosen} frames dropped"]
    for count, words in (
        (summary.frames_damaged, "damaged"),
        (summary.reconnects, "reconnects"),
        (summary.resets, "windows begun anew"),
    ):
        told += [f"{count} {words}"] if count else []
    return speed + ", ".join(told)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
