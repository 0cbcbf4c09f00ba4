"""What checkpoints of each task do, and what loads them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.detections.trained_detector import TASKS_OF_DETECTORS, load_trained_detector
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, task_in
from stvit_video.segmentations.trained_segmenter import TASKS_OF_SEGMENTERS, load_trained_segmenter


class CheckpointKind(NamedTuple):
    """What checkpoints of some tasks do, in a message, and what loads them."""

    does: str
    load: Callable[..., Any]


LABELS = CheckpointKind("labels videos", load_recognizer)
KINDS = {
    **dict.fromkeys(TASKS_OF_DETECTORS, CheckpointKind("finds objects", load_trained_detector)),
    **dict.fromkeys(TASKS_OF_SEGMENTERS, CheckpointKind("labels pixels", load_trained_segmenter)),
}  # by task


def kind_of_checkpoint(ckpt_path: object) -> CheckpointKind:
    """What a checkpoint does; what is no path the loader refuses.

    Raises:
        CheckpointError: the file is not there, or can't be read.
    """
    content = peek_checkpoint(str(ckpt_path)) if isinstance(ckpt_path, (str, Path)) else {}
    return KINDS.get(task_in(content.get(METADATA_KEY)), LABELS)
