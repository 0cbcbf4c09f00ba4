"""Evaluate a checkpoint that labels pixels, as the settings of stvit_video.evaluate say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.evaluation.distributed import process_group
from stvit_video.factories.evaluated_data import choose_data
from stvit_video.factories.map_lists import read_maps
from stvit_video.inference.recognizer import make_output_dir
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.tasks.segmenter_report import SegmenterReport

__all__ = ["evaluate_segmentation"]


def evaluate_segmentation(values: Mapping[str, Any], *, output_dir: Path) -> dict[str, Any]:
    """Score a segmenter on pictures with known labels; see `Task.evaluate`.

    Args:
        values: the settings as plain values; those of other tasks at their defaults are passed over.
        output_dir: where the files go; made if it is missing.
    """
    settings = read_evaluation(SegmenterEvaluation, values)
    segmenter = load_trained_segmenter(
        settings.ckpt_path,
        device=settings.device,
        short_side=settings.short_side,
        long_side=settings.long_side,
        key_every=settings.key_every,
        window=settings.window,
        window_stride=settings.window_stride,
    )
    data = choose_data(segmenter.config["data"], settings.data)
    pictures = read_maps(data, ("val",), classes=segmenter.classes)["val"]
    make_output_dir(output_dir)
    precision = str(settings.precision)
    with process_group():
        return SegmenterReport().evaluate(
            segmenter,
            pictures,
            output_dir,
            batch_size=settings.batch_size,
            num_workers=settings.num_workers,
            precision=precision,
            extra={"ckpt_path": settings.ckpt_path, "precision": precision},
        )
