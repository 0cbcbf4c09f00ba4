"""F1 of segments: found ones are matched with labelled ones by their overlap in time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime

__all__ = ["IOU_THRESHOLDS", "FoundEvent", "Matches", "f1_of", "match_segments", "overlap", "sum_matches"]

IOU_THRESHOLDS = (0.1, 0.25, 0.5)


@dataclass(frozen=True)
class FoundEvent:
    """What a model says: a class, for some time.

    Attributes:
        label: name of the class.
        start_seconds: begin.
        end_seconds: end.
        decided_seconds: when it was told.
        probability: how likely it is.
    """

    label: str
    start_seconds: float
    end_seconds: float
    decided_seconds: float
    probability: float


class Matches(NamedTuple):
    """Counts of segments; `sum_matches` adds those of several recordings."""

    num_right: int = 0
    num_wrong: int = 0
    num_missed: int = 0


def match_segments(found: Sequence[FoundEvent], truth: LabelledTime, *, label: str, iou_threshold: float) -> Matches:
    """Match the found segments of a class in one recording with the labelled ones.

    In order of time each found segment takes the labelled one that it overlaps most. It is right if their IoU reaches
    the threshold and nobody has taken that one before, else wrong. Labelled ones that are left are missed.

    Args:
        found: all of the recording.
        truth: what is labelled.
        label: the class.
        iou_threshold: above 0.

    Source: Lea et al., "Temporal Convolutional Networks for Action Segmentation and Detection" (CVPR 2017), section
        4.1, the F1@k of its published code.
    Differs: a found segment is as long as the labelled time in it, and one outside of labelled time counts for nothing;
        in the data sets of the source all time is labelled.
    """
    labelled = truth.of_label(label)
    taken: set[int] = set()
    num_wrong = 0
    for one in sorted((one for one in found if one.label == label), key=lambda one: one.start_seconds):
        if not truth.touches(one.start_seconds, one.end_seconds):
            continue
        overlaps = [overlap(one, other, truth) for other in labelled]
        best = max(range(len(labelled)), key=overlaps.__getitem__, default=None)
        if best is None or best in taken or overlaps[best] < iou_threshold:
            num_wrong += 1
        else:
            taken.add(best)
    return Matches(len(taken), num_wrong, len(labelled) - len(taken))


def overlap(found: FoundEvent, labelled: LabelledSegment, truth: LabelledTime) -> float:
    """IoU in labelled time: seconds of both, to seconds of either."""
    start, end = max(found.start_seconds, labelled.start_seconds), min(found.end_seconds, labelled.end_seconds)
    both = max(end - start, 0.0)
    either = truth.within(found.start_seconds, found.end_seconds) + labelled.end_seconds - labelled.start_seconds - both
    return both / either


def sum_matches(counts: Iterable[Matches]) -> Matches:
    """The counts of several recordings or classes together."""
    return Matches(*(sum(column) for column in zip(Matches(), *counts, strict=True)))


def f1_of(matches: Matches) -> float | None:
    """F1 = 2 right / (2 right + wrong + missed); None = there are neither found nor labelled segments."""
    right, wrong, missed = matches
    whole = 2 * right + wrong + missed
    return 2 * right / whole if whole else None
