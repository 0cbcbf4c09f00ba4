"""`stvit_video.load(path)`: a checkpoint in use, whatever it was trained for."""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.detections.trained_detector import TASKS_OF_DETECTORS, load_trained_detector
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, task_in
from stvit_video.segmentations.trained_segmenter import TASKS_OF_SEGMENTERS, load_trained_segmenter

__all__ = ["load_trained"]


class _Kind(NamedTuple):
    """What checkpoints of some tasks do, in a message, and what loads them."""

    does: str
    load: Callable[..., Any]


LABELS = _Kind("labels videos", load_recognizer)
KINDS = {
    **dict.fromkeys(TASKS_OF_DETECTORS, _Kind("finds objects", load_trained_detector)),
    **dict.fromkeys(TASKS_OF_SEGMENTERS, _Kind("labels pixels", load_trained_segmenter)),
}  # by task


def load_trained(ckpt_path: str | Path, *, device: str = "auto", **settings: Any) -> Any:
    """Load a checkpoint of stvit_video.train, or an exported folder.

    Args:
        ckpt_path: the file or folder.
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name.
        settings: of `load_recognizer` where the checkpoint labels videos, of `load_trained_detector` where it finds
            objects, of `load_trained_segmenter` where it labels pixels; one that is left out is as the model was
            trained.

    Returns:
        A `Recognizer`, a `TrainedDetector` or a `TrainedSegmenter`.

    Raises:
        CheckpointError: the file can't be read, is no checkpoint of ours, or its model can't be built here.
        ValueError: a setting that such a checkpoint does not take, or a value out of its range.
    """
    kind = _kind_of(ckpt_path)
    _check_names(settings, kind)
    return kind.load(ckpt_path, device=device, **settings)


def _kind_of(ckpt_path: object) -> _Kind:
    """What a checkpoint does; what is no path the loader refuses."""
    content = peek_checkpoint(str(ckpt_path)) if isinstance(ckpt_path, (str, Path)) else {}
    return KINDS.get(task_in(content.get(METADATA_KEY)), LABELS)


def _check_names(settings: dict[str, Any], kind: _Kind) -> None:
    parameters = signature(kind.load).parameters.items()
    known = [name for name, one in parameters if one.kind is Parameter.KEYWORD_ONLY]
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(
            f"{', '.join(unknown)}: no setting for a checkpoint that {kind.does}; it takes {', '.join(known)}"
        )
