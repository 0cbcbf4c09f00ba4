"""From a chosen frame to the step that it completes: pushed, timed, and begun anew behind a gap."""

import time
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.streaming.frame_choice import ChosenFrame
from stvit_video.streaming.source_frames import SourceError
from stvit_video.streaming.stream_notes import Note, gathered, note_words, seconds_words
from stvit_video.streaming.stream_step import Step, StreamSummary

__all__ = ["PushedRecognizer", "StepMaker"]


class PushedRecognizer(Protocol):
    """What a stream is given to, see `StreamingRecognizer`."""

    @property
    def num_frames(self) -> int:
        """Frames of a window."""

    @property
    def target_fps(self) -> float | None:
        """Frames a second that it wants; None = every frame_stride-th frame of the source."""

    @property
    def preprocessing(self) -> Preprocessing:
        """Whose `frame_stride` that is."""

    @property
    def spent(self) -> Mapping[str, float]:
        """Cumulated seconds of "preprocess", "encode" and "decide"."""

    @property
    def window_seconds(self) -> tuple[float, float] | None:
        """Times of the first and the newest frame of the window that was answered last."""

    def push(self, frames: np.ndarray, *, seconds: np.ndarray | None = None) -> list[tuple[float, np.ndarray]]:
        """Take frames (n, H, W, 3) uint8 of these times (n,); gives time and logits of each stride completed."""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of logits (K,)."""

    def reset(self) -> None:
        """Begin the window anew."""


class StepMaker:
    """Pushes frames, and makes a step of each answer.

    Args:
        recognizer: it is reset at once.
        summary: where steps, resets and the time are counted.
        max_seconds: why the stream may have ended; None = its source has.
    """

    def __init__(
        self, recognizer: PushedRecognizer, summary: StreamSummary, *, max_seconds: float | None = None
    ) -> None:
        recognizer.reset()
        self._recognizer, self._summary, self._max_seconds = recognizer, summary, max_seconds
        self._notes: tuple[Note, ...] = ()
        self._begin_step()

    def steps(self, frame: ChosenFrame, *, waited_seconds: float) -> Iterator[Step]:
        """The steps that a frame completes: none or one, more where it stands long.

        Args:
            frame: the next one.
            waited_seconds: for the model.
        """
        if frame.notes:
            self._recognizer.reset()
            self._summary.resets += 1
            self._notes = gathered(self._notes, frame.notes)
        self._decode_seconds += frame.decode_seconds
        for seconds in frame.seconds:
            started = time.monotonic()
            answers = self._recognizer.push(frame.picture[None], seconds=np.array([seconds]))
            answered = time.monotonic()
            self._summary.model_seconds += answered - started
            for newest_seconds, logits in answers:
                latency_seconds = answered - frame.arrived
                yield self._step(newest_seconds, logits, latency_seconds=latency_seconds, queue_seconds=waited_seconds)

    def require_steps(self) -> None:
        """Raise unless there was a step.

        Raises:
            SourceError: there was none, and why.
        """
        summary, num_frames = self._summary, self._recognizer.num_frames
        if summary.num_steps:
            return
        if not summary.frames_read:
            damaged = f" in {summary.frames_damaged} damaged packets" if summary.frames_damaged else ""
            within = f" within max_seconds={self._max_seconds:g}" if self._max_seconds is not None else ""
            raise SourceError(f"{summary.source} gave no picture{damaged}{within}")
        anew = f", begun anew {summary.resets} times" if summary.resets else ""
        came = f"after {summary.source_seconds:.1f} s and {summary.frames_chosen} chosen frames{anew}"
        ended, advice = f"ended {came}", "use a longer source or a higher target_fps"
        if self._max_seconds is not None:
            ended = f"was read with max_seconds={self._max_seconds:g} and ended {came}"
            advice = "raise max_seconds or target_fps"
        assert summary.fps is not None, "a frame was chosen"
        window = f"a window of {num_frames} frames ({seconds_words(num_frames / summary.fps)})"
        raise SourceError(f"{summary.source} {ended}, before {window} was full; {advice}")

    def _step(self, seconds: float, logits: np.ndarray, *, latency_seconds: float, queue_seconds: float) -> Step:
        recognizer, summary = self._recognizer, self._summary
        spent = {name: now - self._spent.get(name, 0.0) for name, now in recognizer.spent.items()}
        step = Step(
            number=summary.num_steps,
            seconds=seconds,
            window=recognizer.window_seconds or (seconds, seconds),
            probabilities=recognizer.probabilities(logits),
            logits=logits,
            latency_seconds=latency_seconds,
            stages={"decode": self._decode_seconds, "queue": queue_seconds} | spent,
            dropped=summary.frames_dropped - self._num_dropped,
            damaged=summary.frames_damaged - self._num_damaged,
            note=note_words(self._notes),
        )
        summary.num_steps += 1
        self._begin_step()
        return step

    def _begin_step(self) -> None:
        self._decode_seconds, self._notes = 0.0, ()
        self._spent, self._num_dropped = dict(self._recognizer.spent), self._summary.frames_dropped
        self._num_damaged = self._summary.frames_damaged
