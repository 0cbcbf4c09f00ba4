"""Every picture of a list through a detector."""

import torch

from stvit_video.data.loading.evaluation_loader import evaluation_loader
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.picture_dataset import EvaluationPictures
from stvit_video.data.loading.worker_crashes import naming_worker_crashes
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.distributed import rank_and_world_size
from stvit_video.inference.scoring import PRECISIONS
from stvit_video.layers.numbers import whole_number
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

    Args:
        detector: the checkpoint.
        pictures: the list.
        results: of the evaluation, to be added to.
        batch_size: pictures of a batch.
        num_workers: processes that read; 0 = this one.
        precision: "32", "bf16" or "16".
        prefix: of the settings that the advice of an error names.

    Raises:
        ValueError: a setting is out of range.
        WorkerCrashError: the system ended a loader process, or the shared memory is full.
        OpenFilesError: too many files are open.
    """
    whole_number("batch_size", batch_size)
    whole_number("num_workers", num_workers, minimum=0)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} is not known; use one of {', '.join(PRECISIONS)}")
    dataset = EvaluationPictures(pictures, sizes=detector.sizes)
    rank, world_size = rank_and_world_size()
    loader = evaluation_loader(
        dataset,
        batch_size=batch_size,
        num_workers=num_workers,
        collate=collate_pictures,
        rank=rank,
        world_size=world_size,
        prefix=prefix,
    )
    dtype = PRECISIONS[precision]
    with (
        naming_worker_crashes(lambda: [dataset], prefix=prefix),
        torch.inference_mode(),
        torch.autocast(detector.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None),
    ):
        for batch in loader:
            moved = {**batch, "pictures": batch["pictures"].to(detector.device)}
            add_detections(results, detector.model, moved)
