"""What an evaluation of a detector leaves behind: result.json, tables, curves, examples."""

from pathlib import Path
from typing import Any

from stvit_video.data.loading.true_objects import true_objects
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.detections.detector_cost import detector_cost
from stvit_video.detections.picture_scoring import evaluate_pictures
from stvit_video.detections.trained_detector import TrainedDetector, load_trained_detector
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.detection_tables import describe_protocol, result_line, scores_for_json
from stvit_video.evaluation.picture_results import describe_key_frames
from stvit_video.inference.dense_cost import commonest_size
from stvit_video.tasks.dense_report import DenseReport, Scored
from stvit_video.tasks.picture_report import picture_pixels_of
from stvit_video.visualization.detection_report import write_detection_report

__all__ = ["DetectorReport"]


class DetectorReport(DenseReport[TrainedDetector, AnnotatedPictures, DetectionResults]):
    """The report of boxes and, for task=instance, masks."""

    model_kind = "detector"
    files = ("per_class.csv", "detections.json", "pr_curves.png", "examples.png")

    def load(self, path: Path) -> TrainedDetector:
        """See `DenseReport`."""
        return load_trained_detector(path)

    def no_results(self, model: TrainedDetector, pictures: AnnotatedPictures) -> DetectionResults:
        """See `DenseReport`."""
        return DetectionResults(true_objects(pictures, masks=model.task == "instance"), classes=model.classes)

    def score(self, model: TrainedDetector, pictures: AnnotatedPictures, results: DetectionResults, **how: Any) -> None:
        """See `DenseReport`."""
        evaluate_pictures(model, pictures, results, **how)

    def write(
        self, model: TrainedDetector, pictures: AnnotatedPictures, results: DetectionResults, folder: Path
    ) -> Scored:
        """See `DenseReport`."""
        records = {record.picture_id: record for record in pictures.pictures}
        options, sizes = model.model.options, model.sizes
        scores = write_detection_report(
            folder,
            results,
            iou_types=("bbox", "segm") if model.task == "instance" else ("bbox",),
            category_ids=pictures.category_ids,
            read=lambda name: picture_pixels_of(records[name]),
            title_of=lambda name: records[name].video_id,
            max_detections=options.detections,
        )
        evaluated = [records[name].stated_size for name in results.detections]
        cost = detector_cost(model, picture_size=commonest_size(evaluated, sizes))
        protocol = describe_protocol(
            long_side=sizes.long_side,
            short_side=sizes.short_side,
            max_detections=options.detections,
            score_threshold=options.score_threshold,
            nms_threshold=options.nms_threshold,
            num_used=results.num_used,
            num_listed=results.num_listed,
            key_frames=describe_key_frames(model.key_every, gmacs_backbone=cost["gmacs_backbone"]),
        )
        return Scored(
            scores={"task": model.task, **scores_for_json(scores)},
            cost=cost,
            line=result_line(scores, protocol=protocol),
            notes=[found.note for found in scores.values()],
        )
