"""The time of a recording that somebody has labelled, and what its moments are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LabelledSegment", "LabelledTime"]


@dataclass(frozen=True)
class LabelledSegment:
    """A part of a recording with a label.

    Attributes:
        label: name of the class; None = none of the classes is seen, in a recording with several labels.
        start_seconds: of the first moment.
        end_seconds: behind the last moment.
    """

    label: str | None
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, eq=False)
class LabelledTime:
    """Where a recording is labelled; of all other time nothing is known, so nothing there counts.

    Attributes:
        segments: in any order; they may overlap.
        spans: (S, 2) float64, start and end of the labelled stretches in seconds, ascending, apart from one another.
    """

    segments: tuple[LabelledSegment, ...]
    spans: np.ndarray

    @classmethod
    def of(cls, segments: Iterable[LabelledSegment]) -> "LabelledTime":
        """The labelled time of the segments of a recording.

        Raises:
            ValueError: a segment ends before it starts, or has no end.
        """
        kept = tuple(segments)
        for one in kept:
            if not (np.isfinite(one.start_seconds) and one.start_seconds < one.end_seconds < np.inf):
                raise ValueError(
                    f"the segment of {one.label!r} goes from {one.start_seconds} to {one.end_seconds} s; it must end "
                    "after its start"
                )
        spans: list[list[float]] = []
        for one in sorted(kept, key=lambda one: one.start_seconds):
            if spans and one.start_seconds <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], one.end_seconds)
            else:
                spans.append([one.start_seconds, one.end_seconds])
        return cls(kept, np.array(spans, dtype=np.float64).reshape(-1, 2))

    @property
    def seconds(self) -> float:
        """How long all labelled time is."""
        return float((self.spans[:, 1] - self.spans[:, 0]).sum())

    def within(self, start_seconds: float, end_seconds: float) -> float:
        """The labelled seconds between two moments."""
        starts, ends = np.maximum(self.spans[:, 0], start_seconds), np.minimum(self.spans[:, 1], end_seconds)
        return float(np.maximum(ends - starts, 0.0).sum())

    def touches(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether some of the time between two moments is labelled; of one moment, whether it is."""
        if end_seconds > start_seconds:
            return self.within(start_seconds, end_seconds) > 0
        return bool(self.is_labelled(np.array([start_seconds]))[0])

    def of_label(self, label: str) -> list[LabelledSegment]:
        """The segments of a class in order of time."""
        return sorted((s for s in self.segments if s.label == label), key=lambda s: s.start_seconds)

    def labels_at(self, seconds: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Which classes are seen at moments (N,) -> (N, K) bool, a segment being without its last moment."""
        found = np.zeros((len(seconds), len(classes)), dtype=bool)
        numbers = {name: number for number, name in enumerate(classes)}
        for one in self.segments:
            if one.label is not None:
                found[(one.start_seconds <= seconds) & (seconds < one.end_seconds), numbers[one.label]] = True
        return found

    def is_labelled(self, seconds: np.ndarray) -> np.ndarray:
        """Whether moments (N,) are in labelled time -> (N,) bool."""
        starts, ends = self.spans[:, 0], self.spans[:, 1]
        within = (starts <= seconds[:, None]) & (seconds[:, None] < ends)  # (N, S)
        return np.asarray(within.any(axis=1))

    def near_boundary(self, seconds: np.ndarray, *, tolerance_seconds: float) -> np.ndarray:
        """Whether moments (N,) are nearer than a tolerance to where a segment starts or ends -> (N,) bool."""
        ends = [edge for one in self.segments for edge in (one.start_seconds, one.end_seconds)]
        near = np.abs(seconds[:, None] - np.array(ends)) < tolerance_seconds  # (N, 2 x segments)
        return np.asarray(near.any(axis=1))
