"""Follow a stream to its end: a line an event in the terminal, and the files of its folder."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from stvit_video.predictions.stopping import Terminated
from stvit_video.streaming.event_tracks import clock_words, event_words
from stvit_video.streaming.events import Event, EventDecider, EventRules
from stvit_video.streaming.run_stream import StreamRun
from stvit_video.streaming.smoothing import make_smoother
from stvit_video.streaming.stream_files import StreamFiles, require_free
from stvit_video.streaming.stream_report import StreamReport
from stvit_video.streaming.stream_step import Step, StreamSummary

__all__ = ["follow_stream"]


def follow_stream(
    run: StreamRun,
    *,
    classes: Sequence[str],
    multi_label: bool = False,
    rules: EventRules,
    out: Path | None = None,
    made_with: Mapping[str, Any] | None = None,
) -> None:
    """Print events as they come and a report at the end; Ctrl-C, SIGTERM and errors end the files whole, too.

    Args:
        run: the steps; closed at the end.
        classes: label names in the order of the probabilities.
        multi_label: True = several events at a time.
        rules: when events begin and end.
        out: folder for the files of `StreamFiles`, which are begun with the first step; None = none.
        made_with: what the steps depend on, for stream.json.

    Raises:
        DecodeError: the source can't be read, or on.
        ValueError: the folder holds something, such as files of another stream.
        DiskFullError, OSError: a file can't be written; of a full disk DiskFullError.
    """
    with run:
        if out is not None:
            require_free(out)
        run.summary.listen(_tell_note)
        with ExitStack() as stack:
            following = _Following(classes, multi_label, rules, out, stack)
            try:
                for step in run:
                    following.take(step)
            except (KeyboardInterrupt, Terminated):
                writes = "" if out is None else f"; the files in {out} are completed"
                print(f"stopped{writes}", file=sys.stderr, flush=True)
                raise
            finally:
                try:
                    run.close()  # a thread would read on while the files are written
                finally:
                    following.finish(run.summary, made_with or {})


class _Following:
    """What is done with each step."""

    def __init__(
        self, classes: Sequence[str], multi_label: bool, rules: EventRules, out: Path | None, stack: ExitStack
    ) -> None:
        self._classes, self._rules, self._out, self._stack = classes, rules, out, stack
        self._decider = EventDecider(classes=classes, multi_label=multi_label, rules=rules)
        self._report = StreamReport()
        self._files: StreamFiles | None = None
        self._smoother = make_smoother(rules.smoothing, rules.smoothing_seconds)
        self._highest = (-1.0, "", 0.0)  # smoothed probability, its class, and when

    def take(self, step: Step) -> None:
        if self._out is not None and self._files is None:
            files = StreamFiles(self._out, classes=self._classes, rules=self._rules)
            self._files = self._stack.enter_context(files)
        if self._files is not None:
            self._files.add_step(step)
        self._report.add(step)
        if step.note:
            _tell_note(step.window[0], f"begun anew: {step.note}")
        self._note_highest(step)
        for event in self._decider.take(step):
            self._tell(event)

    def finish(self, summary: StreamSummary, made_with: Mapping[str, Any]) -> None:
        """End the events that go on, and tell and write what stands at the end; nothing without a step."""
        if self._report.num_steps == 0:
            return
        for event in self._decider.finish():
            self._tell(event)
        print("\n".join(self._report.lines(summary)), flush=True)
        if self._report.num_events == 0:
            print(self._why_no_event(), flush=True)
        if self._files is not None:
            names = self._files.finish({**self._report.values(summary), "made_with": made_with})
            print(f"{', '.join(names[:-1])} and {names[-1]} are in {self._files.folder}", flush=True)

    def _note_highest(self, step: Step) -> None:
        if step.note:
            self._smoother = make_smoother(self._rules.smoothing, self._rules.smoothing_seconds)
        smoothed = self._smoother.take(step.seconds, step.probabilities)
        number = int(smoothed.argmax())
        self._highest = max(self._highest, (float(smoothed[number]), self._classes[number], step.seconds))

    def _why_no_event(self) -> str:
        probability, label, seconds = self._highest
        told = f"no event: the highest smoothed probability is {probability:.3g} ({label} at {clock_words(seconds)})"
        if probability < self._rules.enter:
            return f"{told}, below enter={self._rules.enter:g}"
        return f"{told}, which lasted shorter than min_seconds={self._rules.min_seconds:g}"

    def _tell(self, event: Event) -> None:
        self._report.num_events += event.end_seconds is None
        if self._files is not None:
            self._files.add_event(event)
        print(event_words(event), flush=True)


def _tell_note(seconds: float, words: str) -> None:
    print(f"{clock_words(seconds)}  note: {words}", file=sys.stderr, flush=True)
