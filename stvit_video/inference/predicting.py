"""Predict many videos: decoded by several processes, run through the model in batches, told in order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.evaluation.multiview import NonFiniteLogitsError
from stvit_video.evaluation.tables import top_classes
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.recognizer import Recognizer
from stvit_video.inference.scoring import evaluate_manifest


def predict_records(
    recognizer: Recognizer,
    records: Sequence[VideoRecord],
    *,
    top_k: int = 5,
    threshold: float | None = None,
    num_workers: int = 0,
    batch_size: int = 8,
    time_limit_seconds: float | None = None,
    features: bool = False,
) -> Iterator[Prediction]:
    """Predict videos; exactly one prediction for each, in order, one that can't be read included.

    Args:
        records: the videos; their labels are not looked at.
        top_k: labels of a video, fewer if there are fewer classes.
        threshold: for several labels a video: every label with at least this probability in place of the top_k.
        num_workers: processes that decode; 0 = this one.
        batch_size: videos (each of clips x crops views) that are loaded together.
        time_limit_seconds: for opening a video and for each reading of it, see `open_video`.
        features: True = predictions have features.

    Raises:
        ValueError: a threshold for a checkpoint of one label a video, or a setting out of range.
        WorkerCrashError: there is no room for what the processes read.
        OpenFilesError: too many files are open.
    """
    if threshold is not None and not recognizer.multi_label:
        raise ValueError(
            f"threshold={threshold} is for checkpoints with several labels a video, this one has one each; use top_k"
        )
    for record in records:  # one after the other for now
        yield _prediction(recognizer, replace(record, label=0), top_k, threshold, time_limit_seconds)


def _prediction(
    recognizer: Recognizer, record: VideoRecord, top_k: int, threshold: float | None, limit: float | None
) -> Prediction:
    try:
        listed = Manifest(records=(record,), classes=recognizer.classes)
        result = evaluate_manifest(recognizer, listed, time_limit_seconds=limit)
    except NonFiniteLogitsError as error:
        return Prediction(file=record.path, error=str(error))
    if result.errors:
        return Prediction(file=record.path, error=result.errors[0])
    probabilities = recognizer.probabilities(recognizer.average_views(result))[0]  # (num_classes,)
    if threshold is not None:
        top_k = int((probabilities >= threshold).sum())
    best = top_classes(probabilities, recognizer.classes, k=top_k)
    return Prediction(
        file=record.path,
        labels=tuple(label for label, _ in best),
        probabilities=tuple(probability for _, probability in best),
    )
