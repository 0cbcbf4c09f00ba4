"""Every picture of a list through a segmenter."""

from stvit_video.data.loading.map_dataset import EvaluationMaps
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.inference.picture_evaluation import evaluate_batches
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter
from stvit_video.training.segmentation_module import add_maps

__all__ = ["evaluate_maps"]


def evaluate_maps(
    segmenter: TrainedSegmenter,
    pictures: MappedPictures,
    results: SegmentationResults,
    *,
    batch_size: int = 1,
    num_workers: int = 0,
    precision: str = "32",
    prefix: str = "",
) -> None:
    """Every listed picture once through the segmenter; in one of several processes its share of them.

    With `key_every` the frames of a video share semantic tokens.

    Args:
        segmenter: the checkpoint.
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
        EvaluationMaps(pictures, sizes=segmenter.sizes),
        lambda batch, key_frames: add_maps(results, segmenter.model, batch, key_frames),
        device=segmenter.device,
        batch_size=batch_size,
        num_workers=num_workers,
        precision=precision,
        key_every=segmenter.key_every,
        prefix=prefix,
    )
