"""`python -m stvit_video.predict ckpt_path=run/best.ckpt file.mp4 [more.mp4 ...]`: the likeliest labels.

Only the checkpoint is needed: it holds labels, preprocessing and protocol. Hydra takes no bare file names, so
this command reads its arguments itself: key=value for the keys below, everything else is a file.

Of a checkpoint for several labels a video each probability stands by itself; they don't sum to 1.
"""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stvit_video.data.decoding.pictures import is_picture_file
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.evaluation.multiview import NonFiniteLogitsError
from stvit_video.evaluation.tables import top_classes
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.scoring import evaluate_manifest
from stvit_video.utils.command_line import positive_number, split_arguments

USAGE = """python -m stvit_video.predict ckpt_path=CKPT [key=value ...] FILE [FILE ...] [-- FILE ...]

  ckpt_path=CKPT     checkpoint written by stvit_video.train (needed)
  protocol=NAME      which frames and crops, for example videoswin (default: the checkpoint's)
  num_clips=N        clips of a video (default: the protocol's)
  num_crops=1|3      crops of a clip (default: the protocol's)
  average=prob|logit how the views' scores combine (default: the protocol's)
  top_k=N            labels to print (default: 5)
  threshold=P        several labels a video: print every label of at least this probability, not the top_k
  device=NAME        auto, cpu, cuda, cuda:1 ... (default: auto)

A file whose name holds '=' or begins with '-' goes after '--'."""

NUMBERS = ("num_clips", "num_crops", "top_k")
KEYS = ("ckpt_path", "protocol", *NUMBERS, "average", "threshold", "device")


@dataclass(frozen=True, kw_only=True)
class PredictArguments:
    """What the command line asks for; None = as the checkpoint says."""

    ckpt_path: Path
    files: tuple[Path, ...]
    protocol: str | None = None
    num_clips: int | None = None
    num_crops: int | None = None
    average: str | None = None
    top_k: int = 5
    threshold: float | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Prediction:
    """Of one file: its likeliest labels with probabilities, best first, or the reason why it could not be read."""

    file: Path
    labels: tuple[tuple[str, float], ...] = ()
    error: str = ""


def parse_arguments(arguments: Sequence[str]) -> PredictArguments:
    """Read key=value options and file names.

    Raises:
        ValueError: an unknown key, a value that is no number, no checkpoint, no file, or threshold beside top_k.
    """
    options, files = split_arguments(arguments, keys=KEYS)
    return _checked(options, files)


def _checked(options: dict[str, str], files: Sequence[str]) -> PredictArguments:
    """Options as the types they should have, with what is needed present."""
    if not options.get("ckpt_path"):
        raise ValueError("ckpt_path is missing; give the checkpoint as ckpt_path=run/best.ckpt")
    if not files:
        raise ValueError("no video file is given; name one or more after the options")
    numbers = {key: positive_number(key, options[key]) for key in NUMBERS if key in options}
    return PredictArguments(
        ckpt_path=Path(options["ckpt_path"]),
        files=tuple(Path(file) for file in files),
        protocol=options.get("protocol"),
        num_clips=numbers.get("num_clips"),
        num_crops=numbers.get("num_crops"),
        average=options.get("average"),
        top_k=numbers.get("top_k", 5),
        threshold=_probability(options),
        device=options.get("device", "auto"),
    )


def _probability(options: dict[str, str]) -> float | None:
    """The threshold, checked; None = not given."""
    if "threshold" not in options:
        return None
    if "top_k" in options:
        raise ValueError("threshold and top_k exclude each other; give one of them")
    try:
        threshold = float(options["threshold"])
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold={options['threshold']!r} must be a number between 0 and 1, such as 0.5")
    return threshold


def predict(
    recognizer: Recognizer, files: Sequence[Path], *, top_k: int = 5, threshold: float | None = None
) -> Iterator[Prediction]:
    """Predict one file after the other; a file that can't be read gives a `Prediction` with an error.

    Args:
        top_k: labels a file, fewer if there are fewer classes.
        threshold: for several labels a video: every label with at least this probability in place of the top_k.

    Raises:
        ValueError: a threshold for a checkpoint of one label a video.
    """
    if threshold is not None and not recognizer.multi_label:
        raise ValueError(
            f"threshold={threshold} is for checkpoints with several labels a video, this one has one each; use top_k"
        )
    return (_prediction(recognizer, file, top_k=top_k, threshold=threshold) for file in files)


def _prediction(recognizer: Recognizer, file: Path, *, top_k: int, threshold: float | None) -> Prediction:
    is_picture = recognizer.preprocessing.num_frames == 1 and is_picture_file(file.name)
    record = VideoRecord(path=file, label=0, video_id=str(file), is_picture=is_picture)  # the label is not looked at
    try:
        result = evaluate_manifest(recognizer, Manifest(records=(record,), classes=recognizer.classes))
    except NonFiniteLogitsError as error:
        return Prediction(file, error=str(error))
    if result.errors:
        return Prediction(file, error=result.errors[0])
    probabilities = recognizer.probabilities(recognizer.average_views(result))[0]  # (num_classes,)
    if threshold is not None:
        top_k = int((probabilities >= threshold).sum())
    return Prediction(file, tuple(top_classes(probabilities, recognizer.classes, k=top_k)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the predictions; the exit code is 0, 1 if a file failed, 2 for wrong arguments or checkpoint."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if {"-h", "--help"} & set(given[: given.index("--")] if "--" in given else given):
        print(USAGE)
        return 0
    try:
        wanted = parse_arguments(given)
        recognizer = load_recognizer(
            wanted.ckpt_path,
            device=wanted.device,
            protocol=wanted.protocol,
            num_clips=wanted.num_clips,
            num_crops=wanted.num_crops,
            average=wanted.average,
        )
        return _print(predict(recognizer, wanted.files, top_k=wanted.top_k, threshold=wanted.threshold))
    except ValueError as error:  # also of the model, on clips of a size that the protocol asks for
        print(f"error: {error}", file=sys.stderr)
        return 2


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
