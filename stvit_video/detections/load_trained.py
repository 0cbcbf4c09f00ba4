"""`stvit_video.load(path)`: a checkpoint in use, whatever it was trained for."""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from stvit_video.detections.trained_detector import TASKS_OF_DETECTORS, TrainedDetector, load_trained_detector
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, task_in

__all__ = ["load_trained"]


def load_trained(ckpt_path: str | Path, *, device: str = "auto", **settings: Any) -> Any:
    """Load a checkpoint of stvit_video.train, or an exported folder.

    Args:
        ckpt_path: the file or folder.
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name.
        settings: of `load_recognizer` where the checkpoint labels videos, of `load_trained_detector` where it finds
            objects; one that is left out is as the model was trained.

    Returns:
        A `Recognizer`, or a `TrainedDetector`.

    Raises:
        CheckpointError: the file can't be read, is no checkpoint of ours, or its model can't be built here.
        ValueError: a setting that such a checkpoint does not take, or a value out of its range.
    """
    if _finds_objects(ckpt_path):
        _check_names(settings, load_trained_detector, kind="finds objects")
        detector: TrainedDetector = load_trained_detector(ckpt_path, device=device, **settings)
        return detector
    _check_names(settings, load_recognizer, kind="labels videos")
    recognizer: Recognizer = load_recognizer(ckpt_path, device=device, **settings)
    return recognizer


def _finds_objects(ckpt_path: object) -> bool:
    """Whether a checkpoint is of a detector; what is no path the loader refuses."""
    content = peek_checkpoint(str(ckpt_path)) if isinstance(ckpt_path, (str, Path)) else {}
    return task_in(content.get(METADATA_KEY)) in TASKS_OF_DETECTORS


def _check_names(settings: dict[str, Any], loader: Callable[..., object], *, kind: str) -> None:
    known = [name for name, one in signature(loader).parameters.items() if one.kind is Parameter.KEYWORD_ONLY]
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(f"{', '.join(unknown)}: no setting for a checkpoint that {kind}; it takes {', '.join(known)}")
