"""What an evaluation of a segmenter leaves behind: result.json, the table of classes, matrix, examples."""

from pathlib import Path
from typing import Any

import torch

from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.evaluation.picture_results import describe_key_frames
from stvit_video.evaluation.segmentation.map_tables import describe_map_protocol, map_result_line, map_scores_for_json
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.inference.dense_cost import commonest_size
from stvit_video.pages.confusion_part import Confusion
from stvit_video.segmentations.map_scoring import evaluate_maps
from stvit_video.segmentations.segmenter_cost import segmenter_cost
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter, load_trained_segmenter
from stvit_video.tasks.dense_report import DenseReport, Scored
from stvit_video.tasks.picture_report import picture_pixels_of
from stvit_video.visualization.segmentation_report import write_segmentation_report

__all__ = ["SegmenterReport"]


class SegmenterReport(DenseReport[TrainedSegmenter, MappedPictures, SegmentationResults]):
    """The report of label maps."""

    model_kind = "segmenter"
    files = ("per_class.csv", "confusion_matrix.png", "examples.png")

    def load(self, path: Path) -> TrainedSegmenter:
        """See `DenseReport`."""
        return load_trained_segmenter(path)

    def no_results(self, model: TrainedSegmenter, pictures: MappedPictures) -> SegmentationResults:
        """See `DenseReport`."""
        return SegmentationResults([record.picture_id for record in pictures.pictures], classes=model.classes)

    def score(
        self, model: TrainedSegmenter, pictures: MappedPictures, results: SegmentationResults, **how: Any
    ) -> None:
        """See `DenseReport`."""
        evaluate_maps(model, pictures, results, **how)

    def write(
        self, model: TrainedSegmenter, pictures: MappedPictures, results: SegmentationResults, folder: Path
    ) -> Scored:
        """See `DenseReport`."""
        places = {record.picture_id: place for place, record in enumerate(pictures.pictures)}
        scores = write_segmentation_report(
            folder,
            results,
            read=lambda name: picture_pixels_of(pictures.records[places[str(name)]]),
            read_map=lambda name: pictures.read_map(places[str(name)]),
            title_of=lambda name: pictures.records[places[str(name)]].video_id,
        )
        options, sizes = model.model.options, model.sizes
        cost = segmenter_cost(model, picture_size=commonest_size(results.sizes.values(), sizes))
        protocol = describe_map_protocol(
            short_side=sizes.short_side,
            long_side=sizes.long_side,
            window=options.window,
            window_stride=options.pixels_between_windows,
            num_used=results.num_used,
            num_listed=results.num_listed,
            key_frames=describe_key_frames(model.key_every, gmacs_backbone=cost["gmacs_backbone"]),
        )
        return Scored(
            scores={"task": "semantic", **map_scores_for_json(scores)},
            cost=cost,
            line=map_result_line(scores, protocol=protocol),
            notes=[scores.note],
            confusion=Confusion(matrix=torch.from_numpy(scores.matrix), classes=model.classes, unit="pixels"),
        )
