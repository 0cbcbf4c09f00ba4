"""What an evaluation of recordings leaves behind: result.json, steps.csv, events.csv, segments.csv, picture, page."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.evaluation.metrics import multi_label_metrics
from stvit_video.evaluation.plots import save_confusion_matrix
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent
from stvit_video.evaluation.streaming.step_accuracy import counted_steps
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording, StreamScores, score_recordings
from stvit_video.evaluation.streaming.stream_tables import (
    describe_steps,
    score_table,
    stream_result_line,
    stream_scores_for_json,
    write_events,
    write_segments,
)
from stvit_video.evaluation.tables import fault_words, unread_words
from stvit_video.inference.cost import measure_cost
from stvit_video.inference.recognizer import Recognizer
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.pages.confusion_part import Confusion
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
from stvit_video.tasks.run_report_page import draw_run_page
from stvit_video.tasks.stream_reading import ReadStreams
from stvit_video.tasks.video_report import describe_tokens
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.provenance import provenance

__all__ = ["report_streams"]

NUM_REASONS = 3  # in an error


def report_streams(
    recognizer: Recognizer,
    window: StreamingRecognizer,
    read: ReadStreams,
    settings: EvaluateSettings,
    output_dir: Path,
) -> dict[str, Any]:
    """Score what was read, beside the class that is labelled most; print the table and write all files.

    Args:
        recognizer: the checkpoint.
        window: what answered.
        read: the recordings.
        settings: of the evaluation.
        output_dir: where the files go; it is there.

    Returns:
        What result.json holds.

    Raises:
        NothingEvaluatedError: not one file could be read.
        OSError: a file can't be written.
    """
    num_listed = len(read.recordings) + len(read.errors)
    if not read.recordings:
        reasons = "; ".join(list(read.errors.values())[:NUM_REASONS])
        raise NothingEvaluatedError(f"not one of {num_listed} videos could be read: {reasons}")
    classes, tolerance = recognizer.classes, settings.tolerance_seconds
    score = partial(score_recordings, classes=classes, multi_label=recognizer.multi_label, tolerance_seconds=tolerance)
    scores = score(list(read.recordings.values()))
    majority = max(range(len(classes)), key=lambda label: scores.per_class[label].num_steps)
    baseline = score([_constant(one, majority, classes) for one in read.recordings.values()])
    line = stream_result_line(
        scores, protocol=f"{len(read.recordings)} of {num_listed} videos, {_protocol(window, settings)}"
    )
    summary = {
        **stream_scores_for_json(scores),
        **({"frame_mean_average_precision": _precision(read, classes, tolerance)} if recognizer.multi_label else {}),
        "majority_class": {"label": classes[majority], **stream_scores_for_json(baseline)},
        **_described(recognizer, window, read, settings),
        "num_videos_used": len(read.recordings),
        "num_videos_listed": num_listed,
        "num_videos_without_times": read.num_whole,
        "errors": read.errors,
        "segments_beyond_the_end": read.beyond,
        "result": line,
    }
    names = _write(output_dir, read, scores, summary, classes=classes, tolerance_seconds=tolerance)
    _print(read, scores, {"model": scores, f"always {classes[majority]!r}": baseline}, tolerance)
    print(f"{line}\n{', '.join(names[:-1])} and {names[-1]} are in {output_dir}", flush=True)
    where = f"{output_dir / 'result.json'} names each, in errors"
    if unread := unread_words(list(read.errors.values()), num_listed=num_listed, where=where):
        print(unread, file=sys.stderr)
    where = f"{output_dir / 'result.json'} names each, in segments_beyond_the_end"
    if beyond := fault_words("segments reach beyond the end of their videos:", read.beyond, where=where):
        print(beyond, file=sys.stderr)
    return summary


def _write(
    folder: Path,
    read: ReadStreams,
    scores: StreamScores,
    summary: dict[str, Any],
    *,
    classes: tuple[str, ...],
    tolerance_seconds: float,
) -> list[str]:
    """Write all files, picture and page last; their names, without what can't be drawn."""
    names = ["result.json", "steps.csv", "events.csv", "segments.csv"]
    result, steps, events, segments = (folder / name for name in names)
    write_text(steps, "".join(read.lines))
    write_events(events, read.recordings, tolerance_seconds=tolerance_seconds)
    write_segments(segments, read.recordings, tolerance_seconds=tolerance_seconds)
    write_text(result, json.dumps(summary, indent=2) + "\n")
    if scores.matrix is None:
        return draw_run_page(folder, written=names)
    picture, matrix = folder / "confusion_matrix.png", torch.from_numpy(scores.matrix)
    if draw_or_warn(picture, lambda: save_confusion_matrix(matrix, classes, picture)):
        names.append(picture.name)
    confusion = Confusion(matrix=matrix, classes=classes, unit="steps")
    return draw_run_page(folder, written=names, confusion=confusion)


def _constant(recording: ScoredRecording, label: int, classes: tuple[str, ...]) -> ScoredRecording:
    """What a model would say that gives one class all the time: one event, told at the first step."""
    first, last = float(recording.seconds[0]), float(recording.seconds[-1])
    probabilities = np.zeros_like(recording.probabilities)
    probabilities[:, label] = 1.0
    return ScoredRecording(
        recording.seconds, probabilities, [FoundEvent(classes[label], first, last, first, 1.0)], recording.truth
    )


def _precision(read: ReadStreams, classes: tuple[str, ...], tolerance_seconds: float) -> float | None:
    """mAP over the counted steps, with several labels; None = no class is seen at any."""
    scores, targets = [], []
    for one in read.recordings.values():
        steps = counted_steps(
            one.seconds, one.truth, classes=classes, multi_label=True, tolerance_seconds=tolerance_seconds
        )
        scores.append(one.probabilities[steps.places])
        targets.append(steps.targets)
    seen = np.concatenate(targets)
    if not seen.any():
        return None
    metrics = multi_label_metrics(torch.from_numpy(np.concatenate(scores)), torch.from_numpy(seen))
    return metrics["mean_average_precision"]


def _protocol(window: StreamingRecognizer, settings: EvaluateSettings) -> str:
    """How the recordings were looked at: "windows of 16 frames, an answer every 4, labelled at the end, ..."."""
    rate = "" if window.target_fps is None else f" at {window.target_fps:g} frames a second"
    every = f"windows of {window.num_frames} frames{rate}, an answer every {window.stride_frames}"
    words = [every, f"label at the {settings.label_at}", f"tolerance {settings.tolerance_seconds:g} s"]
    return ", ".join([*words, *(["windows computed anew"] if settings.recompute else [])])


def _described(
    recognizer: Recognizer, window: StreamingRecognizer, read: ReadStreams, settings: EvaluateSettings
) -> dict[str, Any]:
    """What was measured with what, as plain values for JSON."""
    names = ("stride_frames", "target_fps", "tolerance_seconds", "label_at", "recompute", "ckpt_path")
    return {
        **{name: getattr(settings, name) for name in names},
        "precision": str(settings.precision),
        "events": settings.events.plain(),
        "video_seconds": read.source_seconds,
        "work_seconds": read.work_seconds,
        "cpu_seconds": read.cpu_seconds,
        "real_time_factor": read.source_seconds / read.work_seconds,
        "milliseconds": read.times.milliseconds(),
        "num_classes": len(recognizer.classes),
        "multi_label": recognizer.multi_label,
        "preprocessing": recognizer.preprocessing.to_dict(),
        "model": recognizer.model_name,
        **describe_tokens(recognizer),
        **measure_cost(recognizer, of_videos=False),
        **provenance(recognizer.device),
    }


def _print(read: ReadStreams, scores: StreamScores, rows: dict[str, StreamScores], tolerance_seconds: float) -> None:
    means = {name: times["mean"] for name, times in read.times.milliseconds().items()}
    spent = ", ".join(f"{name} {means[name]:.3g}" for name in ("decode", "preprocess", "encode", "decide"))
    print("\n".join([*score_table(rows), describe_steps(scores, tolerance_seconds=tolerance_seconds)]))
    if read.num_whole:
        files = f"{read.num_whole} of {len(read.recordings)} videos"
        print(f"no times in the list: {files}; there the label is that of the whole video")
    factor = read.source_seconds / read.work_seconds
    print(f"ms a step: {spent}; {factor:.1f} times real time, {read.cpu_seconds:.1f} CPU seconds")
