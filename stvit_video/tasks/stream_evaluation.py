"""Evaluate a checkpoint that labels videos on whole recordings, `python -m stvit_video.evaluate stream=true`."""

from pathlib import Path
from typing import Any

import torch

from stvit_video.evaluation.distributed import process_group
from stvit_video.inference.recognizer import Recognizer, load_recognizer, make_output_dir
from stvit_video.inference.scoring import PRECISIONS
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.streaming.events import EventRules
from stvit_video.streaming.recomputed import RecomputedSteps
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
from stvit_video.streaming.why_not_streamed import require_streamable
from stvit_video.tasks.listed_streams import listed_streams
from stvit_video.tasks.stream_reading import read_streams
from stvit_video.tasks.stream_score_report import report_streams
from stvit_video.tasks.video_evaluation import evaluated_manifest

__all__ = ["evaluate_streams"]


def evaluate_streams(settings: EvaluateSettings, *, output_dir: Path) -> dict[str, Any]:
    """Read every listed file once, print the scores and write them, see `report_streams`.

    Args:
        settings: see `stvit_video.settings.evaluate_settings`; stream is true.
        output_dir: where the files go; made if it is missing.

    Returns:
        What result.json holds.

    Raises:
        ValueError: CheckpointError, ManifestError, a model that can't be computed step by step, settings that do not
            go together, several processes, or a folder that can't be written.
        NothingEvaluatedError: not one file could be read.
        NonFiniteLogitsError: the model gives NaN.
    """
    rules = EventRules(**settings.events.plain())
    recognizer = load_recognizer(
        settings.ckpt_path,
        device=settings.device,
        num_tokens=settings.model.num_tokens,
        generate_at=settings.model.generate_at,
        num_frames=settings.num_frames,
        frame_stride=settings.frame_stride,
        short_side=settings.short_side,
        crop_size=settings.crop_size,
    )
    window = StreamingRecognizer(
        RecomputedSteps(recognizer) if settings.recompute else _streamable(recognizer),
        stride_frames=settings.stride_frames,
        target_fps=settings.target_fps,
    )
    streams = listed_streams(evaluated_manifest(settings, recognizer))
    make_output_dir(output_dir)
    with process_group() as (_, world_size):
        if world_size > 1:
            raise ValueError(f"stream=true runs in one process, and there are {world_size}; start it without torchrun")
    dtype = PRECISIONS[str(settings.precision)]
    with torch.autocast(recognizer.device.type, dtype=dtype, enabled=dtype is not None):
        read = read_streams(window, streams, rules=rules, label_at=settings.label_at)
    return report_streams(recognizer, window, read, settings, output_dir)


def _streamable(recognizer: Recognizer) -> Recognizer:
    """The same, once its model can be computed step by step.

    Raises:
        ValueError: it can't; what could be done.
    """
    try:
        require_streamable(recognizer.model, recognizer.preprocessing)
    except ValueError as error:
        raise ValueError(f"{error}, or add recompute=true, which runs any model on whole windows") from error
    return recognizer
