"""The tasks by their names."""

from collections.abc import Mapping
from typing import Any

from stvit_video.tasks.classification import Classification
from stvit_video.tasks.detection import Detection
from stvit_video.tasks.task import Task

TASKS: dict[str, Task] = {"classification": Classification(), "detection": Detection(), "instance": Detection()}


def task_of(values: Mapping[str, Any]) -> Task:
    """The task that settings of a training or metadata of a checkpoint name; classification where they name none.

    Raises:
        ValueError: there is no such task.
    """
    name = values.get("task", "classification")
    if name not in TASKS:
        raise ValueError(f"task={name} is none that there is; use {', '.join(TASKS)}")
    return TASKS[name]
