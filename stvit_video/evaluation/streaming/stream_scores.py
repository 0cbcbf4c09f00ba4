"""All scores of recognition over time, of several recordings together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from stvit_video.evaluation.streaming.alarms import detection_delay, false_alarms
from stvit_video.evaluation.streaming.labelled_time import LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import (
    IOU_THRESHOLDS,
    FoundEvent,
    Matches,
    f1_of,
    match_segments,
    sum_matches,
)
from stvit_video.evaluation.streaming.step_accuracy import (
    CountedSteps,
    accuracy_of,
    class_recalls_of,
    counted_steps,
    step_confusion,
)

__all__ = ["ClassStreamScores", "ScoredRecording", "StreamScores", "median_of", "score_recordings"]

SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class ScoredRecording:
    """What a model says of a recording, and what is labelled there.

    Attributes:
        seconds: (N,) moments that the steps are for, ascending.
        probabilities: (N, K) of the classes.
        events: in order of time.
        truth: what is labelled.
    """

    seconds: np.ndarray
    probabilities: np.ndarray
    events: Sequence[FoundEvent]
    truth: LabelledTime


@dataclass(frozen=True)
class ClassStreamScores:
    """What was counted of a class; a rate is None where there is nothing to compute it from.

    Attributes:
        name: of the class.
        num_steps: counted steps at which it is seen.
        recall: share of these at which it is the likeliest; None with several labels, too.
        num_segments: labelled ones.
        delays_seconds: detection delays of those that were found.
        num_events: events of the class that touch labelled time.
        num_false_alarms: of these, those that touch no segment of the class.
        matches: by IoU threshold.
    """

    name: str
    num_steps: int
    recall: float | None
    num_segments: int
    delays_seconds: tuple[float, ...]
    num_events: int
    num_false_alarms: int
    matches: Mapping[float, Matches]


@dataclass(frozen=True, eq=False)
class StreamScores:
    """The scores of several recordings; a rate is None where there is nothing to compute it from.

    Attributes:
        num_steps: counted.
        num_unlabelled, num_near_boundary, num_ambiguous: steps that don't count, see `CountedSteps`.
        labelled_seconds: labelled time.
        matrix: (K, K) counted steps, rows = true class, columns = likeliest class; None with several labels.
        per_class: in the order of the classes.
    """

    num_steps: int
    num_unlabelled: int
    num_near_boundary: int
    num_ambiguous: int
    labelled_seconds: float
    matrix: np.ndarray | None
    per_class: tuple[ClassStreamScores, ...]

    @property
    def frame_accuracy(self) -> float | None:
        """Share of the counted steps whose likeliest class is the labelled one; None with several labels, too."""
        return None if self.matrix is None else accuracy_of(self.matrix)

    @property
    def frame_mean_class_accuracy(self) -> float | None:
        """Mean of the recalls of the classes that occur at counted steps; likewise."""
        recalls = [one.recall for one in self.per_class if one.recall is not None]
        return sum(recalls) / len(recalls) if recalls else None

    @property
    def f1(self) -> dict[float, float | None]:
        """By IoU threshold, of the segments of all classes together."""
        return {
            threshold: f1_of(sum_matches(c.matches[threshold] for c in self.per_class)) for threshold in IOU_THRESHOLDS
        }

    @property
    def share_found(self) -> float | None:
        """Labelled segments that an event of their class touches, to all."""
        num_segments = sum(one.num_segments for one in self.per_class)
        return sum(len(one.delays_seconds) for one in self.per_class) / num_segments if num_segments else None

    @property
    def delay_seconds(self) -> float | None:
        """Median detection delay of the segments that were found."""
        return median_of([delay for one in self.per_class for delay in one.delays_seconds])

    @property
    def false_alarms_per_hour(self) -> float | None:
        """Of labelled time."""
        num_false = sum(one.num_false_alarms for one in self.per_class)
        return num_false * SECONDS_AN_HOUR / self.labelled_seconds if self.labelled_seconds else None


def score_recordings(
    recordings: Sequence[ScoredRecording],
    *,
    classes: Sequence[str],
    multi_label: bool = False,
    tolerance_seconds: float = 0.0,
) -> StreamScores:
    """Score recordings; counts of all are added before rates are made of them.

    Args:
        recordings: at least one.
        classes: K names in the order of the probabilities.
        multi_label: whether several classes may be seen at once; steps have no accuracy then.
        tolerance_seconds: steps nearer than that to where a segment starts or ends don't count, and an event touches a
            segment that it is nearer to.
    """
    counted = [
        counted_steps(
            one.seconds, one.truth, classes=classes, multi_label=multi_label, tolerance_seconds=tolerance_seconds
        )
        for one in recordings
    ]
    matrix = None if multi_label else _confusion(recordings, counted, num_classes=len(classes))
    recalls = [None] * len(classes) if matrix is None else class_recalls_of(matrix)
    num_steps = sum(steps.targets.sum(axis=0) for steps in counted)  # (K,)
    return StreamScores(
        num_steps=sum(len(steps.places) for steps in counted),
        num_unlabelled=sum(steps.num_unlabelled for steps in counted),
        num_near_boundary=sum(steps.num_near_boundary for steps in counted),
        num_ambiguous=sum(steps.num_ambiguous for steps in counted),
        labelled_seconds=sum(one.truth.seconds for one in recordings),
        matrix=matrix,
        per_class=tuple(
            _class_scores(name, recordings, int(num_steps[label]), recalls[label], tolerance_seconds)
            for label, name in enumerate(classes)
        ),
    )


def median_of(values: Sequence[float]) -> float | None:
    """The median; None = there are no values."""
    return median(values) if values else None


def _class_scores(
    name: str,
    recordings: Sequence[ScoredRecording],
    num_steps: int,
    recall: float | None,
    tolerance_seconds: float,
) -> ClassStreamScores:
    num_segments = num_events = num_false = 0
    delays: list[float | None] = []
    matches: dict[float, list[Matches]] = {threshold: [] for threshold in IOU_THRESHOLDS}
    for one in recordings:
        segments, events = one.truth.of_label(name), [event for event in one.events if event.label == name]
        delays += [detection_delay(segment, events, tolerance_seconds=tolerance_seconds) for segment in segments]
        num_segments += len(segments)
        num_events += sum(one.truth.touches(event.start_seconds, event.end_seconds) for event in events)
        num_false += len(false_alarms(events, one.truth, tolerance_seconds=tolerance_seconds))
        for threshold, counts in matches.items():
            counts.append(match_segments(events, one.truth, label=name, iou_threshold=threshold))
    return ClassStreamScores(
        name=name,
        num_steps=num_steps,
        recall=recall,
        num_segments=num_segments,
        delays_seconds=tuple(delay for delay in delays if delay is not None),
        num_events=num_events,
        num_false_alarms=num_false,
        matches={threshold: sum_matches(counts) for threshold, counts in matches.items()},
    )


def _confusion(
    recordings: Sequence[ScoredRecording], counted: Sequence[CountedSteps], *, num_classes: int
) -> np.ndarray:
    """(K, K) of all counted steps."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for one, steps in zip(recordings, counted, strict=True):
        predicted, true = one.probabilities[steps.places].argmax(axis=1), steps.targets.argmax(axis=1)
        matrix += step_confusion(predicted, true, num_classes=num_classes)
    return matrix
