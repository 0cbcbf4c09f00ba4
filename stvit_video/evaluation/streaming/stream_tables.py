"""What people read of the scores over time: a table of models, the values of result.json, the tables of segments."""

from collections.abc import Mapping
from pathlib import Path

from stvit_video.evaluation.streaming.alarms import detection_delay, false_alarms
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent, f1_of, overlap
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording, StreamScores, median_of
from stvit_video.utils.atomic_files import write_table

__all__ = [
    "describe_steps",
    "score_table",
    "stream_result_line",
    "stream_scores_for_json",
    "write_events",
    "write_segments",
]

TIME_DIGITS, RATE_DIGITS = 3, 6
FEW_STEPS = 10


def score_table(scores: Mapping[str, StreamScores]) -> list[str]:
    """A line of heads, and one for each of several models.

    Args:
        scores: by what the model is called.
    """
    pairs = [_cells(name, found) for name, found in scores.items()]
    rows = [pairs[0][0], *(values for _, values in pairs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def stream_result_line(scores: StreamScores, *, protocol: str) -> str:
    """The line that states the scores together with what they were measured on.

    Args:
        scores: of the model.
        protocol: how many videos there are, and how they were looked at.
    """
    heads, values = _cells("", scores)
    shown = "  ".join(f"{head} {value}" for head, value in zip(heads[1:], values[1:], strict=True))
    return f"{shown}  ({protocol})"


def describe_steps(scores: StreamScores, *, tolerance_seconds: float) -> str:
    """Which steps count: "5123 steps in 39.5 minutes of labelled time; left out: 312 in time without a label, ...".

    Where fewer than FEW_STEPS count, it says how little that is.
    """
    left_out = [f"{scores.num_unlabelled} in time without a label"]
    if tolerance_seconds:
        left_out.append(f"{scores.num_near_boundary} within {tolerance_seconds:g} s of a boundary")
    if scores.num_ambiguous:
        left_out.append(f"{scores.num_ambiguous} in segments of several labels")
    minutes = f"{scores.labelled_seconds / 60:.1f} minutes of labelled time"
    few = f"; scores of fewer than {FEW_STEPS} steps say little" if scores.num_steps < FEW_STEPS else ""
    return f"{scores.num_steps} steps count, in {minutes}; left out: {', '.join(left_out)}{few}"


def stream_scores_for_json(scores: StreamScores) -> dict[str, object]:
    """The values of result.json; `per_class` has those of each class by its name."""
    return {
        "frame_accuracy": scores.frame_accuracy,
        "frame_mean_class_accuracy": scores.frame_mean_class_accuracy,
        **_f1_names(scores.f1),
        "segments_found": scores.share_found,
        "median_delay_seconds": scores.delay_seconds,
        "false_alarms_per_hour": scores.false_alarms_per_hour,
        "labelled_seconds": scores.labelled_seconds,
        "num_steps": scores.num_steps,
        "num_steps_unlabelled": scores.num_unlabelled,
        "num_steps_near_boundary": scores.num_near_boundary,
        "num_steps_of_several_labels": scores.num_ambiguous,
        "per_class": {
            one.name: {
                "steps": one.num_steps,
                "recall": one.recall,
                "segments": one.num_segments,
                "segments_found": len(one.delays_seconds),
                "median_delay_seconds": median_of(one.delays_seconds),
                "events": one.num_events,
                "false_alarms": one.num_false_alarms,
                **_f1_names({threshold: f1_of(counts) for threshold, counts in one.matches.items()}),
            }
            for one in scores.per_class
        },
    }


def write_segments(path: Path, recordings: Mapping[str, ScoredRecording], *, tolerance_seconds: float = 0.0) -> None:
    """Write a row for each labelled segment: whether and when it was found.

    Args:
        path: the CSV. Columns are path, label, start_seconds, end_seconds, found, delay_seconds and best_iou, the
            highest overlap with an event of its class.
        recordings: by their paths.
        tolerance_seconds: see `detection_delay`.

    Raises:
        OSError: the file can't be written.
    """
    rows = []
    for name, one in recordings.items():
        for segment in sorted(one.truth.segments, key=lambda segment: segment.start_seconds):
            if segment.label is None:
                continue
            events = [event for event in one.events if event.label == segment.label]
            delay = detection_delay(segment, events, tolerance_seconds=tolerance_seconds)
            best = max((overlap(event, segment, one.truth) for event in events), default=0.0)
            told = "" if delay is None else round(delay, TIME_DIGITS)
            row = [name, segment.label, *_times(segment.start_seconds, segment.end_seconds)]
            rows.append([*row, int(delay is not None), told, round(best, RATE_DIGITS)])
    header = ["path", "label", "start_seconds", "end_seconds", "found", "delay_seconds", "best_iou"]
    write_table(path, header=header, rows=rows)


def write_events(path: Path, recordings: Mapping[str, ScoredRecording], *, tolerance_seconds: float = 0.0) -> None:
    """Write a row for each event.

    Args:
        path: the CSV. Columns are path, label, start_seconds, end_seconds, decided_seconds, probability, verdict
            (right, false alarm, or unlabelled = outside of labelled time) and best_iou, the highest overlap with a
            labelled segment of its class.
        recordings: by their paths.
        tolerance_seconds: see `false_alarms`.

    Raises:
        OSError: the file can't be written.
    """
    rows = []
    for name, one in recordings.items():
        wrong = false_alarms(one.events, one.truth, tolerance_seconds=tolerance_seconds)
        for event in one.events:
            best = max((overlap(event, other, one.truth) for other in one.truth.of_label(event.label)), default=0.0)
            row = [name, event.label, *_times(event.start_seconds, event.end_seconds, event.decided_seconds)]
            verdict = "false alarm" if event in wrong else "right" if _is_judged(event, one) else "unlabelled"
            rows.append([*row, round(event.probability, RATE_DIGITS), verdict, round(best, RATE_DIGITS)])
    times = ["start_seconds", "end_seconds", "decided_seconds"]
    write_table(path, header=["path", "label", *times, "probability", "verdict", "best_iou"], rows=rows)


def _cells(name: str, scores: StreamScores) -> tuple[list[str], list[str]]:
    """The heads of the table, and the row of a model."""
    heads = ["", "frame acc", "mean-class", *(f"F1@{threshold:g}".replace("0.", ".") for threshold in scores.f1)]
    rates = [scores.frame_accuracy, scores.frame_mean_class_accuracy, *scores.f1.values(), scores.share_found]
    values = [name, *("-" if rate is None else f"{rate:.3f}" for rate in rates)]
    rest = (scores.delay_seconds, scores.false_alarms_per_hour)
    return [*heads, "found", "delay s", "false alarms/h"], [*values, *("-" if v is None else f"{v:.2f}" for v in rest)]


def _is_judged(event: FoundEvent, recording: ScoredRecording) -> bool:
    """Whether an event that is no false alarm touches labelled time."""
    return recording.truth.touches(event.start_seconds, event.end_seconds)


def _f1_names(f1: Mapping[float, float | None]) -> dict[str, float | None]:
    """Such as f1_25 for the IoU threshold .25."""
    return {f"f1_{round(100 * threshold)}": value for threshold, value in f1.items()}


def _times(*seconds: float) -> list[float]:
    return [round(one, TIME_DIGITS) for one in seconds]
