"""`python -m stvit_video.predict ckpt_path=run/best.ckpt file.mp4 [more.mp4 ...]`: the likeliest labels.

Only the checkpoint is needed: it holds labels, preprocessing and protocol.

Of a checkpoint for several labels a video each probability stands by itself; they don't sum to 1.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stvit_video.data.decoding.pictures import is_picture_file
from stvit_video.data.loading.worker_crashes import WorkerCrashError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.evaluation.multiview import AVERAGES, NonFiniteLogitsError
from stvit_video.evaluation.tables import top_classes
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.scoring import evaluate_manifest
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.value_kinds import PATH, TEXT, number, one_of, positive_number, whole
from stvit_video.utils.written_paths import on_disk

COMMAND = Command(
    prog="python -m stvit_video.predict",
    summary="The likeliest labels of videos, by a checkpoint.",
    positional=Positional(name="files", sign="FILE", help="a video, or a picture for an image model", is_many=True),
    settings=(
        Setting(
            name="ckpt_path",
            kind=replace(PATH, example="outputs/<run>/best.ckpt"),
            help="checkpoint written by stvit_video.train, or a folder of stvit_video.export_run",
            is_needed=True,
        ),
        Setting(
            name="protocol",
            kind=one_of(PROTOCOLS, sign="NAME"),
            help="which frames and crops, such as videoswin",
            default_words="the checkpoint's",
        ),
        Setting(name="num_clips", kind=whole(low=1), help="clips of a video", default_words="the protocol's"),
        Setting(name="num_crops", kind=whole(low=1), help="crops of a clip, 1 or 3", default_words="the protocol's"),
        Setting(
            name="average",
            kind=one_of(AVERAGES),
            help="how the views' scores combine",
            default_words="the protocol's",
        ),
        Setting(name="top_k", kind=whole(low=1), help="labels to print", default=5),
        Setting(
            name="threshold",
            kind=number(low=0, high=1),
            help="several labels a video: print every label of at least this probability, not the top_k",
            excludes=("top_k",),
        ),
        Setting(
            name="time_limit_seconds",
            kind=positive_number(),
            help="for opening a video and for each reading of it",
            default_words="10, and more for a long video",
        ),
        Setting(name="device", kind=TEXT, help="auto, cpu, cuda, cuda:1 ...", default="auto"),
    ),
    examples=(
        "python -m stvit_video.predict ckpt_path=run/best.ckpt video.mp4",
        "python -m stvit_video.predict ckpt_path=run/best.ckpt protocol=videoswin top_k=3 a.mp4 b.mp4 -- c=d.mp4",
    ),
)


@dataclass(frozen=True)
class Prediction:
    """Of one file: its likeliest labels with probabilities, best first, or the reason why it could not be read."""

    file: Path
    labels: tuple[tuple[str, float], ...] = ()
    error: str = ""


def predict(
    recognizer: Recognizer,
    files: Sequence[Path],
    *,
    top_k: int = 5,
    threshold: float | None = None,
    time_limit_seconds: float | None = None,
) -> Iterator[Prediction]:
    """Predict one file after the other; a file that can't be read gives a `Prediction` with an error.

    Args:
        top_k: labels a file, fewer if there are fewer classes.
        threshold: for several labels a video: every label with at least this probability in place of the top_k.
        time_limit_seconds: for opening a video and for each reading of it, see `open_video`.

    Raises:
        ValueError: a threshold for a checkpoint of one label a video.
    """
    if threshold is not None and not recognizer.multi_label:
        raise ValueError(
            f"threshold={threshold} is for checkpoints with several labels a video, this one has one each; use top_k"
        )
    limit = time_limit_seconds
    return (_prediction(recognizer, file, top_k=top_k, threshold=threshold, limit_seconds=limit) for file in files)


def _prediction(
    recognizer: Recognizer, file: Path, *, top_k: int, threshold: float | None, limit_seconds: float | None
) -> Prediction:
    is_picture = recognizer.preprocessing.num_frames == 1 and is_picture_file(file.name)
    record = VideoRecord(path=file, label=0, video_id=str(file), is_picture=is_picture)  # the label is not looked at
    try:
        listed = Manifest(records=(record,), classes=recognizer.classes)
        result = evaluate_manifest(recognizer, listed, time_limit_seconds=limit_seconds)
    except NonFiniteLogitsError as error:
        return Prediction(file, error=str(error))
    if result.errors:
        return Prediction(file, error=result.errors[0])
    probabilities = recognizer.probabilities(recognizer.average_views(result))[0]  # (num_classes,)
    if threshold is not None:
        top_k = int((probabilities >= threshold).sum())
    return Prediction(file, tuple(top_classes(probabilities, recognizer.classes, k=top_k)))


def print_predictions(given: Given) -> int:
    """Print the likeliest labels of each file; 1 if a file failed, else 0.

    Raises:
        ValueError: CheckpointError, or a setting that the checkpoint can't take.
    """
    recognizer = load_recognizer(
        given.ckpt_path,
        device=given.device,
        protocol=given.protocol,
        num_clips=given.num_clips,
        num_crops=given.num_crops,
        average=given.average,
    )
    files = [on_disk(file) for file in given.files]
    limits = {"threshold": given.threshold, "time_limit_seconds": given.time_limit_seconds}
    return _print(predict(recognizer, files, top_k=given.top_k, **limits))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the predictions; gives the exit status, 1 if a file failed."""
    return COMMAND.run(print_predictions, arguments, failures=(WorkerCrashError,))


def _print(predictions: Iterable[Prediction]) -> int:
    """Print each; 1 if a file failed, else 0."""
    failed = 0
    for prediction in predictions:
        if prediction.error:
            failed += 1
            print(f"error: {prediction.error}", file=sys.stderr, flush=True)
            continue
        print(prediction.file)
        for label, probability in prediction.labels:
            print(f"  {probability:.4f}  {label}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
