"""Events as alarms: how late labelled segments are noticed, and how many events are of nothing."""

from collections.abc import Sequence

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent

__all__ = ["detection_delay", "false_alarms"]


def detection_delay(
    segment: LabelledSegment, alarms: Sequence[FoundEvent], *, tolerance_seconds: float = 0.0
) -> float | None:
    """Seconds from a segment's start until an alarm of its class is told that touches it; None = there is none.

    An alarm that was told before, and goes on into the segment, has no delay: 0.

    Args:
        segment: a labelled one.
        alarms: of the recording.
        tolerance_seconds: so far beyond the ends of the segment an alarm touches it, too.
    """
    touching = [one.decided_seconds for one in alarms if _touches(one, segment, tolerance_seconds)]
    return max(min(touching) - segment.start_seconds, 0.0) if touching else None


def false_alarms(
    alarms: Sequence[FoundEvent], truth: LabelledTime, *, tolerance_seconds: float = 0.0
) -> list[FoundEvent]:
    """The alarms in labelled time that touch no segment of their class.

    Args:
        alarms: of the recording.
        truth: what is labelled. An alarm outside of it may be right or wrong, which nobody knows, and is not told here.
        tolerance_seconds: see `detection_delay`.
    """
    found = []
    for one in alarms:
        is_right = any(_touches(one, segment, tolerance_seconds) for segment in truth.segments)
        if not is_right and truth.touches(one.start_seconds, one.end_seconds):
            found.append(one)
    return found


def _touches(alarm: FoundEvent, segment: LabelledSegment, tolerance_seconds: float) -> bool:
    is_near = (
        alarm.start_seconds < segment.end_seconds + tolerance_seconds
        and alarm.end_seconds > segment.start_seconds - tolerance_seconds
    )
    return alarm.label == segment.label and is_near
