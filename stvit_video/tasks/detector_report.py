"""What an evaluation of a detector leaves behind: result.json, tables, curves, examples."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.data.loading.picture_reader import open_image
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
from stvit_video.evaluation.distributed import gather_shares
from stvit_video.evaluation.picture_results import PictureId, describe_missing
from stvit_video.evaluation.plots import save_curves
from stvit_video.inference.dense_cost import commonest_size
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.provenance import provenance
from stvit_video.visualization.detection_report import write_detection_report

__all__ = ["evaluate_detector", "report_detection"]

NUM_REASONS = 3  # in an error


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
        curves = run_dir / "curves.png"
        draw_or_warn(curves, lambda: save_curves(run_dir / "metrics.csv", curves))
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

    def share() -> dict[str, Any]:
        own = DetectionResults(truth, classes=detector.classes)
        work = partial(evaluate_pictures, batch_size=batch_size, num_workers=num_workers, precision=precision)
        work(detector, pictures, own, prefix=prefix)
        return own.share()

    shares = gather_shares(share, folder=output_dir)
    if shares is None:
        return {}  # another process has the whole
    results = DetectionResults(truth, classes=detector.classes)
    for one in shares:
        results.take_share(one)
    return _write_report(detector, pictures, results, output_dir, extra=extra)


def _write_report(
    detector: TrainedDetector,
    pictures: AnnotatedPictures,
    results: DetectionResults,
    output_dir: Path,
    *,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    missing = describe_missing(results.errors, num_listed=results.num_listed)
    if not results.num_used:
        reasons = "; ".join(list(results.errors.values())[:NUM_REASONS])
        raise NothingEvaluatedError(f"not one of {results.num_listed} pictures could be read, for example {reasons}")
    output_dir.mkdir(parents=True, exist_ok=True)
    records = {record.picture_id: record for record in pictures.pictures}

    def read(name: PictureId) -> np.ndarray:
        with open_image(records[name]) as picture:
            return picture.read([0])[0]

    options = detector.model.options
    scores = write_detection_report(
        output_dir,
        results,
        iou_types=("bbox", "segm") if detector.task == "instance" else ("bbox",),
        category_ids=pictures.category_ids,
        read=read,
        title_of=lambda name: records[name].video_id,
        max_detections=options.detections,
    )
    protocol = describe_protocol(
        long_side=detector.sizes.long_side,
        short_side=detector.sizes.short_side,
        max_detections=options.detections,
        score_threshold=options.score_threshold,
        nms_threshold=options.nms_threshold,
        num_used=results.num_used,
        num_listed=results.num_listed,
    )
    line = result_line(scores, protocol=protocol)
    evaluated = [records[name].stated_size for name in results.detections]
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
        **detector_cost(detector, picture_size=commonest_size(evaluated, detector.sizes)),
        **provenance(detector.device),
        **extra,
        "result": line,
    }
    write_text(output_dir / "result.json", json.dumps(summary, indent=2) + "\n")
    print(line, flush=True)
    for note in dict.fromkeys(found.note for found in scores.values() if found.note):
        print(f"note: {note}", flush=True)
    if missing:
        print(missing, flush=True)
    drawn = [name for name in ("pr_curves.png", "examples.png") if (output_dir / name).is_file()]
    names = ["result.json", "per_class.csv", "detections.json", *drawn]
    print(f"{', '.join(names[:-1])} and {names[-1]} are in {output_dir}")
    return summary
