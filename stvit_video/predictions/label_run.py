"""Label the videos that a command line names: in the terminal, or into files that can be gone on with."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from stvit_video.data.loading.worker_crashes import WorkerCrashError
from stvit_video.inference.predicting import predict_records
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.predictions.inputs import VideoList, read_inputs
from stvit_video.predictions.label_table import LABEL_ENDINGS
from stvit_video.predictions.made_with import made_with
from stvit_video.predictions.progress_bar import duration, watch_progress
from stvit_video.predictions.result_files import Targets, ending_rule
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.predictions.terminal import show_predictions
from stvit_video.predictions.to_files import Outcome, predict_to_files
from stvit_video.utils.command_line import Given
from stvit_video.utils.value_kinds import count_or_grid

__all__ = ["FEW_VIDEOS", "MOST_WORKERS", "choose_num_workers", "label_videos", "summary"]

FEW_VIDEOS = 8  # that one process decodes as soon as others would have started
MOST_WORKERS = 16
# settings of predict
OF_PICTURES = ("every", "key_every", "long_side", "detections", "window", "window_stride", "legend")


def label_videos(given: Given) -> int:
    """Predict the videos; 1 if some could not be read, else 0.

    Raises:
        ValueError: CheckpointError, no videos, result files of another run, a setting that the checkpoint can't take.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    targets = _targets(given)
    recognizer = _recognizer(given)
    inputs = read_inputs(given.files, of_pictures=recognizer.preprocessing.num_frames == 1)
    for notice in inputs.notices:
        print(f"note: {notice}", file=sys.stderr)
    if targets is None:
        results = _engine(given, recognizer, len(inputs.videos))([video.record() for video in inputs.videos])
        rows = zip(inputs.videos, results, strict=True)
        return int(show_predictions(rows, videos=inputs.videos, classes=recognizer.classes) > 0)
    return _predict_to_files(given, recognizer, inputs, replace(targets, separator=recognizer.label_separator))


def _predict_to_files(given: Given, recognizer: Recognizer, inputs: VideoList, targets: Targets) -> int:
    start = time.monotonic()
    wants_features = targets.features is not None
    try:
        with sigterm_ends():
            outcome = predict_to_files(
                inputs.videos,
                _engine(given, recognizer, len(inputs.videos)),
                targets=targets,
                made_with=made_with(recognizer, top_k=given.top_k, threshold=given.threshold, features=wants_features),
                watch=watch_progress,
                extend=given.extend,
                retry_errors=given.retry_errors,
            )
    except WorkerCrashError as error:
        raise WorkerCrashError(f"{error}; what is predicted is kept, and the same command goes on") from error
    except (KeyboardInterrupt, Terminated):
        print("stopped; what is predicted is kept, and the same command goes on", file=sys.stderr)
        raise
    print(summary(outcome, targets, seconds=time.monotonic() - start))
    return int(outcome.num_failed > 0 and not outcome.was_complete)


def summary(outcome: Outcome, targets: Targets, *, seconds: float) -> str:
    """What a run has done, in a line."""
    files = " and ".join(str(path) for path in targets.paths[::-1])
    failed = f", {outcome.num_failed} of them could not be read" if outcome.num_failed else ""
    if outcome.was_complete:
        way = " (retry_errors=true tries them again)" if outcome.num_failed else ""
        return f"{files}: complete, {outcome.num_videos} videos{failed}{way}; nothing is left to do"
    speed = outcome.num_new / max(seconds, 1e-9)
    work = f"{outcome.num_new} predicted in {duration(seconds)}, {speed:.3g} videos/s" if outcome.num_new else "written"
    reason = " (the column error says why)" if outcome.num_failed and targets.out is not None else ""
    return f"{files}: {outcome.num_videos} videos{failed}{reason}; {work}"


def choose_num_workers(num_videos: int) -> int:
    """How many processes work where nobody says it: none beside this one for a few videos, else one a core."""
    affinity = getattr(os, "sched_getaffinity", None)
    num_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return 0 if num_videos <= FEW_VIDEOS else min(num_cores, MOST_WORKERS)


def _engine(given: Given, recognizer: Recognizer, num_videos: int) -> "partial[Iterator[Prediction]]":
    num_workers = choose_num_workers(num_videos) if given.num_workers is None else given.num_workers
    return partial(
        predict_records,
        recognizer,
        top_k=given.top_k,
        threshold=given.threshold,
        num_workers=num_workers,
        batch_size=given.batch_size,
        time_limit_seconds=given.time_limit_seconds,
        features=given.features is not None,
    )


def _targets(given: Given) -> Targets | None:
    if foreign := [name for name in OF_PICTURES if getattr(given, name) is not None]:
        raise ValueError(
            f"{', '.join(foreign)}: for checkpoints that find objects or label pixels, and this one labels videos"
        )
    _check_ending(given.out, LABEL_ENDINGS)
    if given.out is None and given.features is None:
        if given.extend or given.retry_errors:
            raise ValueError("extend and retry_errors are for a run that writes a file; give out= or features=")
        return None
    return Targets(given.out, given.features)


def _check_ending(path: Path | None, endings: tuple[str, ...]) -> None:
    if path is not None and (rule := ending_rule(path, endings)):
        raise ValueError(f"out={str(path)!r} {rule}")


def _recognizer(given: Given) -> Recognizer:
    return load_recognizer(
        given.ckpt_path,
        device=given.device,
        num_tokens=count_or_grid(given.num_tokens),
        generate_at=given.generate_at,
        protocol=given.protocol,
        num_clips=given.num_clips,
        num_crops=given.num_crops,
        average=given.average,
        num_frames=given.num_frames,
        frame_stride=given.frame_stride,
        short_side=given.short_side,
        crop_size=given.crop_size,
        gmacs=given.gmacs,
        clips_per_second=given.clips_per_second,
        latency_ms=given.latency_ms,
    )
