"""Evaluate a checkpoint that finds objects, as the settings of stvit_video.evaluate say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.loading.picture_checks import check_depth
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.detections.trained_detector import TrainedDetector, load_trained_detector
from stvit_video.evaluation.distributed import process_group, rank_and_world_size
from stvit_video.factories.evaluated_data import choose_data
from stvit_video.factories.picture_lists import read_pictures
from stvit_video.inference.recognizer import make_output_dir
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.evaluate_settings import EvaluatedData
from stvit_video.tasks.detector_report import DetectorReport
from stvit_video.tasks.evaluation_settings import read_evaluation

__all__ = ["evaluate_detections"]


def evaluate_detections(values: Mapping[str, Any], *, output_dir: Path) -> dict[str, Any]:
    """Score a detector on pictures with known objects; see `Task.evaluate`.

    Args:
        values: the settings as plain values; those of other tasks at their defaults are passed over.
        output_dir: where the files go; made if it is missing.
    """
    settings = read_evaluation(DetectorEvaluation, values)
    detector = load_trained_detector(
        settings.ckpt_path,
        device=settings.device,
        short_side=settings.short_side,
        long_side=settings.long_side,
        key_every=settings.key_every,
        detections=settings.detections,
        score_threshold=settings.score_threshold,
        nms_threshold=settings.nms_threshold,
    )
    pictures = _listed(detector, settings.data)
    make_output_dir(output_dir)
    precision = str(settings.precision)
    with process_group():
        if rank_and_world_size()[0] == 0:
            for warning in check_depth(pictures, "val").warnings:
                print(f"note: {warning}", flush=True)
        return DetectorReport().evaluate(
            detector,
            pictures,
            output_dir,
            batch_size=settings.batch_size,
            num_workers=settings.num_workers,
            precision=precision,
            extra={"ckpt_path": settings.ckpt_path, "precision": precision},
        )


def _listed(detector: TrainedDetector, given: EvaluatedData) -> AnnotatedPictures:
    """The validation pictures of the training, or others that are named, with the classes of the checkpoint."""
    data = choose_data(detector.config["data"], given)
    return read_pictures(data, ("val",), classes=detector.classes)["val"]
