"""The tasks by their names."""

from collections.abc import Mapping
from typing import Any

from omegaconf import MISSING

from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, task_in
from stvit_video.tasks.classification import Classification
from stvit_video.tasks.detection import Detection
from stvit_video.tasks.semantic_segmentation import SemanticSegmentation
from stvit_video.tasks.task import Task

TASKS: dict[str, Task] = {
    "classification": Classification(),
    "detection": Detection(),
    "instance": Detection(),
    "semantic": SemanticSegmentation(),
}


def task_of_checkpoint(path: Any) -> Task:
    """The task of the training that wrote a checkpoint; classification where the file does not say.

    Args:
        path: of the checkpoint, or what else was given for it; what is no path the task refuses.

    Raises:
        CheckpointError: the file is not there, or can't be read.
    """
    name = task_in(peek_checkpoint(path).get(METADATA_KEY) if isinstance(path, str) and path != MISSING else None)
    return TASKS.get(name, TASKS["classification"])


def task_of(values: Mapping[str, Any]) -> Task:
    """The task that settings of a training or metadata of a checkpoint name; classification where they name none.

    Raises:
        ValueError: there is no such task.
    """
    name = values.get("task", "classification")
    if not isinstance(name, str) or name not in TASKS:
        raise ValueError(f"task={name} must be one of {', '.join(TASKS)}")
    return TASKS[name]
