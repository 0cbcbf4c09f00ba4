"""Check everything about a training that can be checked before data is read, and report all faults in one error."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.config.setting_checks import faults_of, run_checks, sound_settings
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.load import format_of
from stvit_video.runs.disk import checkpoint_bytes, disk_space_fault, folder_faults
from stvit_video.runs.resume import (
    check_undamaged,
    checkpoint_faults,
    is_finished,
    other_settings,
    resume_point_of,
)
from stvit_video.settings.train_settings import TaskSettings
from stvit_video.tasks.task import Task
from stvit_video.tasks.task_list import task_of


class CheckedStart(NamedTuple):
    """What a training starts with, after all checks have passed.

    Attributes:
        task: of the settings.
        settings: as config.yaml holds them: the protocol whole, paths absolute.
        parts: the parts that the checks have built of them.
    """

    task: Task
    settings: Any
    parts: Any


def check_start(values: Mapping[str, Any], *, run_dir: Path) -> CheckedStart:
    """Raise unless a training can start. The check reads no data and writes nothing.

    Args:
        values: the settings as plain values, such as Hydra resolves them; one that is left out has its
            default. Those of `sweep` are no part of a training.
        run_dir: the folder of the run; it may be new, and is not made.

    Raises:
        ValueError: lists every fault of settings, files, devices and folder, a sentence each.
    """
    task = task_of(values)
    read = task.read({name: value for name, value in values.items() if name != "sweep"})
    settings, wrong = read.settings, read.wrong
    parts = task.parts(sound_settings(settings, wrong))
    faults = [
        *unknown_faults(read.unknown),
        *wrong.values(),
        *task.faults(settings, wrong, parts),
        *run_checks([_init_faults, _given_faults], settings, wrong),
    ]
    used = settings
    if not wrong and not faults_of(lambda: task.complete(settings)):
        used = task.complete(settings)
        faults += _resume_faults(used, run_dir)
    path = None if "ckpt_path" in wrong else settings.ckpt_path
    folder = resume_point_of(path).run_dir if path else run_dir
    if wrong or path or not is_finished(folder, max_epochs=settings.trainer.max_epochs):
        faults += folder_faults(folder)
        faults += task.place_faults(settings, {*wrong, *read.unknown})
        faults += run_checks([lambda given: _disk_space_faults(task, given, folder)], settings, wrong)
    if faults:
        raise ValueError("; ".join(dict.fromkeys(faults)))
    return CheckedStart(task, used, parts)


def _init_faults(settings: TaskSettings) -> list[str]:
    path = settings.init_from
    return faults_of(lambda: format_of(peek_checkpoint(path)), name="init_from") if path else []


def _given_faults(settings: TaskSettings) -> list[str]:
    path = settings.ckpt_path
    if not path:
        return []
    return faults_of(lambda: peek_checkpoint(path), name="ckpt_path") or faults_of(
        lambda: check_undamaged(path), name="ckpt_path"
    )


def _resume_faults(used: TaskSettings, run_dir: Path) -> list[str]:
    """Compare with the training that is to go on. If its checkpoint can't be read, another check reports that."""
    path = used.ckpt_path
    if not path:
        return [fault] if (fault := other_settings(run_dir, used.plain())) else []
    try:
        return checkpoint_faults(path, peek_checkpoint(path), used.plain())
    except ValueError:
        return []


def _disk_space_faults(task: Task, settings: TaskSettings, folder: Path) -> list[str]:
    """Compare the disk space with the size of the checkpoints; a model that can't be built is another check's fault."""
    try:
        model = task.meta_model(settings)
    except ValueError:
        return []
    precision = str(settings.trainer.precision)
    fault = disk_space_fault(folder, checkpoint_bytes(model, settings.optim, precision=precision))
    return [fault] if fault else []
