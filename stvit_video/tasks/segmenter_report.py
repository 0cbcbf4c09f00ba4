"""What an evaluation of a segmenter leaves behind: result.json, the table of classes, matrix, examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.evaluation.picture_results import describe_key_frames
from stvit_video.evaluation.segmentation.map_tables import describe_map_protocol, map_result_line, map_scores_for_json
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.inference.dense_cost import commonest_size
from stvit_video.segmentations.map_scoring import evaluate_maps
from stvit_video.segmentations.segmenter_cost import segmenter_cost
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter, load_trained_segmenter
from stvit_video.tasks.picture_report import (
    draw_curves,
    finish_report,
    gather_results,
    picture_pixels_of,
    require_some,
)
from stvit_video.utils.provenance import provenance
from stvit_video.visualization.segmentation_report import write_segmentation_report

__all__ = ["evaluate_segmenter", "report_segmentation"]

FILES = ("per_class.csv", "confusion_matrix.png", "examples.png")


def report_segmentation(
    run_dir: Path,
    *,
    checkpoint: str,
    pictures: MappedPictures,
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
    segmenter = load_trained_segmenter(run_dir / f"{checkpoint}.ckpt")
    extra = {"checkpoint": checkpoint, "training": dict(training)}
    summary = evaluate_segmenter(
        segmenter, pictures, run_dir, batch_size=batch_size, num_workers=num_workers, prefix="data.", extra=extra
    )
    if summary:
        draw_curves(run_dir)
    return summary


def evaluate_segmenter(
    segmenter: TrainedSegmenter,
    pictures: MappedPictures,
    output_dir: Path,
    *,
    batch_size: int,
    num_workers: int,
    precision: str = "32",
    prefix: str = "",
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Score a segmenter on listed pictures; print the result line; write result.json and the files of the report.

    Args:
        segmenter: the checkpoint.
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
    ids = [record.picture_id for record in pictures.pictures]

    def evaluate(own: SegmentationResults) -> None:
        evaluate_maps(
            segmenter,
            pictures,
            own,
            batch_size=batch_size,
            num_workers=num_workers,
            precision=precision,
            prefix=prefix,
        )

    results = gather_results(lambda: SegmentationResults(ids, classes=segmenter.classes), evaluate, folder=output_dir)
    return {} if results is None else _write_report(segmenter, pictures, results, output_dir, extra=extra)


def _write_report(
    segmenter: TrainedSegmenter,
    pictures: MappedPictures,
    results: SegmentationResults,
    output_dir: Path,
    *,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    require_some(results)
    output_dir.mkdir(parents=True, exist_ok=True)
    places = {record.picture_id: place for place, record in enumerate(pictures.pictures)}
    scores = write_segmentation_report(
        output_dir,
        results,
        read=lambda name: picture_pixels_of(pictures.records[places[str(name)]]),
        read_map=lambda name: pictures.read_map(places[str(name)]),
        title_of=lambda name: pictures.records[places[str(name)]].video_id,
    )
    options, sizes = segmenter.model.options, segmenter.sizes
    cost = segmenter_cost(segmenter, picture_size=commonest_size(results.sizes.values(), sizes))
    protocol = describe_map_protocol(
        short_side=sizes.short_side,
        long_side=sizes.long_side,
        window=options.window,
        window_stride=options.pixels_between_windows,
        num_used=results.num_used,
        num_listed=results.num_listed,
        key_frames=describe_key_frames(segmenter.key_every, gmacs_backbone=cost["gmacs_backbone"]),
    )
    description = segmenter.model.describe()
    summary = {
        "task": "semantic",
        **map_scores_for_json(scores),
        "num_pictures_used": results.num_used,
        "num_pictures_listed": results.num_listed,
        "num_classes": len(segmenter.classes),
        "preprocessing": sizes.to_dict(),
        "model": segmenter.model_name,
        "head": description["head"],
        "segmenter": description,
        **cost,
        **provenance(segmenter.device),
        **extra,
        "result": map_result_line(scores, protocol=protocol),
    }
    finish_report(output_dir, summary, results, notes=[scores.note], files=FILES)
    return summary
