"""Every picture of a list through a detector."""

from stvit_video.data.loading.picture_dataset import EvaluationPictures
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.inference.picture_evaluation import evaluate_batches
from stvit_video.training.detection_module import add_detections

__all__ = ["evaluate_pictures"]


def evaluate_pictures(
    detector: TrainedDetector,
    pictures: AnnotatedPictures,
    results: DetectionResults,
    *,
    batch_size: int = 1,
    num_workers: int = 0,
    precision: str = "32",
    prefix: str = "",
) -> None:
    """Every listed picture once through the detector; in one of several processes its share of them.

    With `key_every` the frames of a video share semantic tokens.

    Args:
        detector: the checkpoint.
        pictures: the list.
        results: of the evaluation, to be added to.
        batch_size: pictures of a batch.
        num_workers: processes that read; 0 = this one.
        precision: "32", "bf16" or "16".
        prefix: of the settings that the advice of an error names.

    Raises:
        ValueError: a setting is out of range, or no picture is a frame of a video that others share tokens with.
        WorkerCrashError: the system ended a loader process, or the shared memory is full.
        OpenFilesError: too many files are open.
    """
    evaluate_batches(
        EvaluationPictures(pictures, sizes=detector.sizes),
        lambda batch, key_frames: add_detections(results, detector.model, batch, key_frames),
        device=detector.device,
        batch_size=batch_size,
        num_workers=num_workers,
        precision=precision,
        key_every=detector.key_every,
        prefix=prefix,
    )
