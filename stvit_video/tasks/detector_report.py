"""What an evaluation of a detector leaves behind: result.json, tables, curves, examples."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stvit_video.data.loading.true_objects import true_objects
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.detections.detector_cost import detector_cost
from stvit_video.detections.picture_scoring import evaluate_pictures
from stvit_video.detections.trained_detector import TrainedDetector, load_trained_detector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.detection_tables import (
    describe_protocol,
    result_line,
    scores_for_json,
)
from stvit_video.evaluation.picture_results import describe_key_frames
from stvit_video.inference.dense_cost import commonest_size
from stvit_video.tasks.picture_report import (
    draw_curves,
    finish_report,
    gather_results,
    picture_pixels_of,
    require_some,
)
from stvit_video.utils.provenance import provenance
from stvit_video.visualization.detection_report import write_detection_report

__all__ = ["evaluate_detector", "report_detection"]

FILES = ("per_class.csv", "detections.json", "pr_curves.png", "examples.png")


def report_detection(
    run_dir: Path,
    *,
    checkpoint: str,
    pictures: AnnotatedPictures,
    batch_size: int,
    num_workers: int,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Evaluate a checkpoint of the run and write every file of the report; every process of the training calls this.

    Args:
        run_dir: the run's folder.
        checkpoint: which one, "best" or "last".
        pictures: the validation pictures.
        batch_size: pictures of a batch.
        num_workers: processes that read; 0 = this one.
        training: further values for result.json.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        NothingEvaluatedError: not one picture could be read.
        ProcessFailedError: one of several processes failed or did not come.
    """
    detector = load_trained_detector(run_dir / f"{checkpoint}.ckpt")
    extra = {"checkpoint": checkpoint, "training": dict(training)}
    summary = evaluate_detector(
        detector, pictures, run_dir, batch_size=batch_size, num_workers=num_workers, prefix="data.", extra=extra
    )
    if summary:
        draw_curves(run_dir)
    return summary


def evaluate_detector(
    detector: TrainedDetector,
    pictures: AnnotatedPictures,
    output_dir: Path,
    *,
    batch_size: int,
    num_workers: int,
    precision: str = "32",
    prefix: str = "",
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Score a detector on listed pictures; print the result line; write result.json and the files of the report.

    Args:
        detector: the checkpoint.
        pictures: the list.
        output_dir: where the files go; made if it is missing.
        batch_size: pictures of a batch.
        num_workers: processes that read; 0 = this one.
        precision: "32", "bf16" or "16".
        prefix: of the settings that the advice of an error names.
        extra: further values for result.json.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        NothingEvaluatedError: not one picture could be read.
        ProcessFailedError: one of several processes failed or did not come.
    """
    masks = detector.task == "instance"
    truth = true_objects(pictures, masks=masks)

    def evaluate(own: DetectionResults) -> None:
        work = partial(evaluate_pictures, batch_size=batch_size, num_workers=num_workers, precision=precision)
        work(detector, pictures, own, prefix=prefix)

    results = gather_results(lambda: DetectionResults(truth, classes=detector.classes), evaluate, folder=output_dir)
    return {} if results is None else _write_report(detector, pictures, results, output_dir, extra=extra)


def _write_report(
    detector: TrainedDetector,
    pictures: AnnotatedPictures,
    results: DetectionResults,
    output_dir: Path,
    *,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    require_some(results)
    output_dir.mkdir(parents=True, exist_ok=True)
    records = {record.picture_id: record for record in pictures.pictures}
    options = detector.model.options
    scores = write_detection_report(
        output_dir,
        results,
        iou_types=("bbox", "segm") if detector.task == "instance" else ("bbox",),
        category_ids=pictures.category_ids,
        read=lambda name: picture_pixels_of(records[name]),
        title_of=lambda name: records[name].video_id,
        max_detections=options.detections,
    )
    evaluated = [records[name].stated_size for name in results.detections]
    cost = detector_cost(detector, picture_size=commonest_size(evaluated, detector.sizes))
    protocol = describe_protocol(
        long_side=detector.sizes.long_side,
        short_side=detector.sizes.short_side,
        max_detections=options.detections,
        score_threshold=options.score_threshold,
        nms_threshold=options.nms_threshold,
        num_used=results.num_used,
        num_listed=results.num_listed,
        key_frames=describe_key_frames(detector.key_every, gmacs_backbone=cost["gmacs_backbone"]),
    )
    line = result_line(scores, protocol=protocol)
    summary = {
        "task": detector.task,
        **scores_for_json(scores),
        "num_pictures_used": results.num_used,
        "num_pictures_listed": results.num_listed,
        "num_classes": len(detector.classes),
        "preprocessing": detector.sizes.to_dict(),
        "model": detector.model_name,
        "head": detector.model.describe()["head"],
        "detector": detector.model.describe(),
        **cost,
        **provenance(detector.device),
        **extra,
        "result": line,
    }
    notes = [found.note for found in scores.values()]
    finish_report(output_dir, summary, results, notes=notes, files=FILES)
    return summary
