"""What a stream yields: a step for each stride, and at the end a summary of how the source was read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

__all__ = ["STAGES", "Step", "StreamSummary"]

MAX_NOTES = 100  # that are kept of a source
STAGES = ("decode", "queue", "preprocess", "encode", "decide")


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """The answer for one window of a stream.

    Attributes:
        number: of the step, from 0.
        seconds: time of the newest frame of the window, counted from the first frame of the source; of an iterator
            the time that it gave.
        window: times of the first and the newest frame of the window, in seconds.
        probabilities: (K,) float32 of the classes.
        logits: (K,) float32.
        latency_seconds: from the arrival of the newest frame to the answer. A frame of a file arrives when its data
            is read.
        stages: seconds of `STAGES` that were spent since the step before; "queue" is how long the newest frame waited.
        dropped: chosen frames that were dropped since the step before, because the machine was late.
        damaged: packets of the source since the step before that could not be decoded and were left out.
        note: why the window was begun anew before this step; "" = it was not.
    """

    number: int
    seconds: float
    window: tuple[float, float]
    probabilities: np.ndarray
    logits: np.ndarray
    latency_seconds: float
    stages: Mapping[str, float]
    dropped: int = 0
    damaged: int = 0
    note: str = ""


@dataclass(kw_only=True)
class StreamSummary:
    """How a stream has gone so far.

    Attributes:
        source: what it is called, without user names, passwords and queries.
        is_live: True = it doesn't wait for us; None = it is not open yet.
        fps: frames a second that are chosen for the model; None = not known yet.
        frames_read: decoded frames of the source.
        frames_chosen: frames that the model was to see, by their times; a frame that stands longer counts repeatedly.
        frames_dropped: of these, those that the machine was too late for.
        frames_damaged: packets that could not be decoded and were left out.
        reconnects: times that the source was opened anew.
        resets: times that the window was begun anew.
        num_steps: steps.
        source_seconds: time of the source that has passed, from its first frame to the newest.
        decode_seconds: spent on decoding and on making pictures, and on reading what is a file.
        model_seconds: spent on pushing frames.
        notes: what is worth knowing of the source, the first MAX_NOTES of it.
        error: why it ended before its end; "" = it did not.
    """

    source: str
    is_live: bool | None = None
    fps: float | None = None
    frames_read: int = 0
    frames_chosen: int = 0
    frames_dropped: int = 0
    frames_damaged: int = 0
    reconnects: int = 0
    resets: int = 0
    num_steps: int = 0
    source_seconds: float = 0.0
    decode_seconds: float = 0.0
    model_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: str = ""

    def __post_init__(self) -> None:
        self._listener: Callable[[float, str], None] | None = None

    @property
    def work_seconds(self) -> float:
        """Spent on decoding and on the model; waiting for a live source is none."""
        return self.decode_seconds + self.model_seconds

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of the source for a second of work, above 1 = faster than it is shown; None = no work yet."""
        return self.source_seconds / self.work_seconds if self.work_seconds > 0 else None

    def count_damage(self) -> None:
        """Count a packet that could not be decoded, and tell the first one."""
        self.frames_damaged += 1
        if self.frames_damaged == 1:
            self.add_note(f"{self.source} has a damaged packet, which is left out; further ones are only counted")

    def listen(self, listener: Callable[[float, str], None]) -> None:
        """Call `listener` with the time of the source, in seconds, and each note, also from the reading thread."""
        self._listener = listener

    def add_note(self, words: str) -> None:
        """Keep and tell what is worth knowing of the source, once."""
        if words in self.notes or len(self.notes) == MAX_NOTES:
            return
        self.notes.append(words)
        self.tell(words)

    def tell(self, words: str) -> None:
        """Tell what happens to whoever listens."""
        if self._listener is not None:
            self._listener(self.source_seconds, words)
