"""`python -m stvit_video.predict ckpt_path=run/best.ckpt video.mp4 [more ...]`: the likeliest labels of videos.

Only the checkpoint is needed: it holds labels, preprocessing and protocol. Videos are files, folders, patterns, lists,
or names from standard input. Without out= the labels are shown in the terminal. With it they go into a table, and the
same command goes on where an earlier one stopped.

Of a checkpoint for several labels a video each probability stands by itself; they don't sum to 1.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from stvit_video.data.loading.worker_crashes import WorkerCrashError
from stvit_video.inference.predicting import predict_records
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import (
    BUDGET,
    CKPT_PATH,
    DEVICE,
    PROTOCOL,
    SIZES,
    TIME_LIMIT,
    TOKENS,
    VIEWS,
)
from stvit_video.predictions.feature_table import FEATURE_ENDINGS
from stvit_video.predictions.inputs import VideoList, read_inputs
from stvit_video.predictions.label_table import LABEL_ENDINGS
from stvit_video.predictions.made_with import made_with
from stvit_video.predictions.progress_bar import duration, watch_progress
from stvit_video.predictions.result_files import Targets, ending_rule
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.predictions.terminal import show_predictions
from stvit_video.predictions.to_files import Outcome, predict_to_files
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, Kind, count_or_grid, number, whole

FEW_VIDEOS = 8  # that one process decodes as soon as others would have started
MOST_WORKERS = 16


def _file_kind(example: str, endings: tuple[str, ...]) -> Kind:
    def read(text: str) -> Path:
        path = Path(PATH.read(text))
        if rule := ending_rule(path, endings):
            raise ValueError(rule)
        return path

    return Kind("FILE", read, example)


COMMAND = Command(
    prog="python -m stvit_video.predict",
    summary="The likeliest labels of videos, by a checkpoint.",
    positional=Positional(
        name="files",
        sign="FILE",
        help="a video, a folder, a pattern, a list (.csv, .txt), or - for names from standard input",
        is_many=True,
        kind=TEXT,  # a path would lose the ./ of ./-
    ),
    settings=(
        CKPT_PATH,
        Setting(
            name="out",
            kind=_file_kind("labels.csv", LABEL_ENDINGS),
            help="table of labels to write, .csv, .jsonl or .parquet",
            default_words="shown in the terminal",
        ),
        Setting(
            name="features",
            kind=_file_kind("features.npz", FEATURE_ENDINGS),
            help="features to write, .npz, .parquet, .jsonl or .csv",
        ),
        Setting(name="extend", kind=YES_NO, help="predict videos that were added to the list of out=", default=False),
        Setting(name="retry_errors", kind=YES_NO, help="try the videos again that could not be read", default=False),
        Setting(name="top_k", kind=whole(low=1), help="labels of a video", default=5),
        Setting(
            name="threshold",
            kind=number(low=0, high=1),
            help="several labels a video: every label of at least this probability, not the top_k",
            excludes=("top_k",),
        ),
        *TOKENS,
        PROTOCOL,
        *VIEWS,
        *SIZES,
        *BUDGET,
        Setting(
            name="num_workers",
            kind=whole(low=0),
            help="processes that decode and, on a CPU, run the model; 0 = none beside this one",
            default_words=f"0 for up to {FEW_VIDEOS} videos, else one a core, at most {MOST_WORKERS}",
        ),
        Setting(
            name="batch_size",
            kind=whole(low=1),
            help="videos that are loaded and run together",
            default_words="as many as make 16 clips and crops",
        ),
        TIME_LIMIT,
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.predict ckpt_path=run/best.ckpt video.mp4",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt videos/ out=labels.csv num_workers=4",
        'python -m stvit_video.predict ckpt_path=run/best.ckpt "clips/*.mp4" list.csv out=labels.jsonl features=x.npz',
        "python -m stvit_video.predict ckpt_path=run/best.ckpt - out=labels.parquet extend=true < names.txt",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt protocol=videoswin top_k=3 a.mp4 b.mp4 -- c=d.mp4",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt gmacs=5 video.mp4",
    ),
    notes="Exit status: 0 every video was predicted, 1 some could not be read, 2 a setting is wrong.",
)


def predict(given: Given) -> int:
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
    if given.out is None and given.features is None:
        if given.extend or given.retry_errors:
            raise ValueError("extend and retry_errors are for a run that writes a file; give out= or features=")
        return None
    return Targets(given.out, given.features)


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict videos; gives the exit status, 1 if some could not be read."""
    return COMMAND.run(predict, arguments, failures=(WorkerCrashError,))


if __name__ == "__main__":
    sys.exit(main())
