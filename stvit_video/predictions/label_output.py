"""Label the videos that a command line names: in the terminal, or into files that can be gone on with.

What labels them is a checkpoint or a bundle in use (`LabelSource`); nothing here needs torch.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.inputs import VideoList, read_inputs
from stvit_video.predictions.label_table import LABEL_ENDINGS
from stvit_video.predictions.progress_bar import duration, watch_progress
from stvit_video.predictions.result_files import Targets, ending_rule
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.predictions.terminal import show_predictions
from stvit_video.predictions.to_files import Outcome, predict_to_files
from stvit_video.utils.command_line import Given

__all__ = [
    "FEW_VIDEOS",
    "MOST_WORKERS",
    "OF_PICTURES",
    "LabelSource",
    "choose_num_workers",
    "label_listed",
    "label_targets",
    "num_cores",
    "summary",
]

FEW_VIDEOS = 8  # that one process decodes as soon as others would have started
MOST_WORKERS = 16
# settings of predict
OF_PICTURES = ("every", "key_every", "long_side", "detections", "window", "window_stride", "legend")


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """What labels videos.

    Attributes:
        classes: label names in the order of the logits.
        of_pictures: whether it labels pictures, too.
        separator: between the labels of a list in a CSV.
        made_with: gives what predictions depend on, see `made_with`; asked where files are written.
        predict: from records and a number of workers to a prediction each, in order.
    """

    classes: Sequence[str]
    of_pictures: bool
    separator: str
    made_with: Callable[[], Mapping[str, Any]]
    predict: Callable[[Sequence[VideoRecord], int], Iterator[Prediction]]


def label_targets(given: Given) -> Targets | None:
    """The files that are to be written; None = the terminal.

    Raises:
        ValueError: an ending is unknown, or a setting is of runs that write files.
    """
    _check_ending(given.out, LABEL_ENDINGS)
    if given.out is None and given.features is None:
        if given.extend or given.retry_errors:
            raise ValueError("extend and retry_errors are for a run that writes a file; give out= or features=")
        return None
    return Targets(given.out, given.features)


def label_listed(given: Given, source: LabelSource, targets: Targets | None) -> int:
    """Predict the videos; 1 if some could not be read, else 0.

    Args:
        given: the command line.
        source: what labels them.
        targets: from `label_targets`.

    Raises:
        ValueError: no videos, or result files of another run.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    inputs = read_inputs(given.files, of_pictures=source.of_pictures)
    for notice in inputs.notices:
        print(f"note: {notice}", file=sys.stderr)
    if targets is None:
        results = _engine(given, source, len(inputs.videos))([video.record() for video in inputs.videos])
        rows = zip(inputs.videos, results, strict=True)
        return int(show_predictions(rows, videos=inputs.videos, classes=source.classes) > 0)
    return _predict_to_files(given, source, inputs, replace(targets, separator=source.separator))


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
    """How many workers there are where nobody says it: none beside this process for a few videos, else one a core."""
    return 0 if num_videos <= FEW_VIDEOS else min(num_cores(), MOST_WORKERS)


def num_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _predict_to_files(given: Given, source: LabelSource, inputs: VideoList, targets: Targets) -> int:
    start = time.monotonic()
    try:
        with sigterm_ends():
            outcome = predict_to_files(
                inputs.videos,
                _engine(given, source, len(inputs.videos)),
                targets=targets,
                made_with=source.made_with(),
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


def _engine(
    given: Given, source: LabelSource, num_videos: int
) -> "Callable[[Sequence[VideoRecord]], Iterator[Prediction]]":
    num_workers = choose_num_workers(num_videos) if given.num_workers is None else given.num_workers
    return lambda records: source.predict(records, num_workers)


def _check_ending(path: Path | None, endings: tuple[str, ...]) -> None:
    if path is not None and (rule := ending_rule(path, endings)):
        raise ValueError(f"out={str(path)!r} {rule}")
