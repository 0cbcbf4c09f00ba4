"""Find where a training begins: anew, or where an earlier start of the same command stopped."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_only, rank_zero_warn
from omegaconf import OmegaConf

from stvit_video.factories.layout_settings import path_names
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import check_weights
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_resume
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.registry import all_options
from stvit_video.settings.optim_settings import OptimSettings
from stvit_video.settings.reading import default_values
from stvit_video.tasks.task import Task
from stvit_video.tasks.task_list import task_of
from stvit_video.training.callbacks.checkpointing import BEST, LAST, PREVIOUS, checkpoint_damage, remove_leftovers
from stvit_video.training.task_module import TaskModule
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.compat import epochs_and_batches
from stvit_video.utils.file_lock import file_lock

CONFIG, RESULT, LOCK_FILE = "config.yaml", "result.json", ".training.lock"
MAY_DIFFER = (  # when a training goes on
    "ckpt_path",
    "data.backend",
    "data.cache_limit_gb",
    "data.num_workers",
    "data.time_limit_seconds",
    "data.val_batch_size",
    "run",
    "trainer.checkpoint_minutes",
    "trainer.enable_progress_bar",
    "trainer.gradient_checkpointing",
    "trainer.log_every_n_steps",
    "trainer.max_nonfinite_steps",
)
MAY_GROW = ("trainer.max_epochs",)
MAY_MOVE = ("data.root", *(f"data.{name}" for name in path_names()))  # with a warning: the videos must be the same


@dataclass(frozen=True)
class ResumePoint:
    """Where a training begins.

    Attributes:
        run_dir: its folder.
        checkpoint: to go on from; None = a new training.
        result: what result.json holds, where there is nothing left to do; else None.
    """

    run_dir: Path
    checkpoint: Path | None = None
    result: dict[str, Any] | None = None


@contextmanager
def run_lock(run_dir: Path) -> Iterator[None]:
    """Lock the folder of a run, so that no second training writes to it; the first of several processes holds the lock.

    Args:
        run_dir: the folder of the run; made where it is missing.

    Raises:
        ValueError: another one works in it.
        OSError: the folder can't be made or written.
    """
    # where Lightning is to start the other processes of each machine, the first one there takes itself for the first
    is_first = rank_zero_only(lambda: True, default=False)() and os.environ.get("NODE_RANK", "0") == "0"
    with ExitStack() as stack:
        if is_first:
            run_dir.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(file_lock(run_dir / LOCK_FILE))
            except BlockingIOError as error:
                raise ValueError(
                    f"another training is at work in {run_dir}; wait until it has ended, or choose another run=NAME "
                    f"or hydra.run.dir"
                ) from error
        yield


def resume_point_of(ckpt_path: str) -> ResumePoint:
    """The point to resume from when the user names a checkpoint: the run goes on in that checkpoint's folder."""
    return ResumePoint(Path(ckpt_path).resolve().parent, Path(ckpt_path))


def check_undamaged(ckpt_path: str) -> None:
    """Raise if a checksum in the checkpoint is wrong; reading the file reports every other damage.

    Raises:
        CheckpointError: one is.
    """
    path = Path(ckpt_path)
    damage = checkpoint_damage(path) if path.is_file() and path.stat().st_size else None
    if damage is not None and damage.is_hidden:
        raise CheckpointError(f"{ckpt_path!r} is damaged ({damage}); go on from another one, such as {PREVIOUS}")


def find_resume_point(run_dir: Path, settings: Mapping[str, Any]) -> ResumePoint:
    """Find where the run in this folder goes on. Make the folder, and delete what killed processes left half written.

    Args:
        run_dir: the folder of the run; it may be new.
        settings: resolved, as they are written to config.yaml.

    Raises:
        ValueError: the run there has other settings, or no checkpoint of it is whole.
        OSError: the folder can't be made.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    rank_zero_only(remove_leftovers)(run_dir)
    if not _holds_run(run_dir):
        return ResumePoint(run_dir)
    fault = other_settings(run_dir, settings)
    if fault:
        raise ValueError(fault)
    if is_finished(run_dir, max_epochs=settings["trainer"]["max_epochs"]):
        if moved := _moved_since(run_dir, settings):
            rank_zero_warn(
                f"{run_dir} holds a finished run on data in another place: {moved}; where these are other data, choose "
                "another run=NAME or hydra.run.dir to train on them"
            )
        return ResumePoint(run_dir, result=_result(run_dir))
    return ResumePoint(run_dir, newest_checkpoint(run_dir))


def is_finished(run_dir: Path, *, max_epochs: int) -> bool:
    """Whether the folder holds a result for so many epochs."""
    return bool(_result(run_dir).get("training", {}).get("epochs", 0) >= max_epochs)


def newest_checkpoint(run_dir: Path) -> Path:
    """Find the newest undamaged checkpoint. A damaged newer one is renamed, with a warning.

    Raises:
        ValueError: none is whole.
    """
    damaged = []
    for path in (run_dir / name for name in (LAST, PREVIOUS, BEST)):
        if not path.is_file():
            continue
        damage = checkpoint_damage(path)
        if damage is None:
            return path
        damaged.append(f"{path.name}: {damage}")
        rank_zero_warn(f"{path} is damaged ({damage}) and is put aside; going back to the checkpoint before it")
        if path.name != BEST:  # else the next checkpoint would take it for the one to keep
            rank_zero_only(os.replace)(path, path.with_name(f"{path.name}.damaged"))
    raise ValueError(
        f"{run_dir} holds no whole checkpoint to go on from ({'; '.join(damaged) or 'there is none'}); begin anew with "
        f"another run=NAME or hydra.run.dir"
    )


def _holds_run(run_dir: Path) -> bool:
    return bool(_result(run_dir)) or any((run_dir / name).exists() for name in (LAST, PREVIOUS, BEST))


def _result(run_dir: Path) -> dict[str, Any]:
    """Read result.json; an empty dictionary if the file is missing or cut short."""
    try:
        content = json.loads((run_dir / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def other_settings(run_dir: Path, settings: Mapping[str, Any]) -> str:
    """Describe the settings that differ from the run in this folder, in a sentence; "" = none do, or there is no run.

    Args:
        run_dir: the folder of the run; it may be new.
        settings: resolved, as they are written to config.yaml.
    """
    path = run_dir / CONFIG
    if not path.is_file() or not _holds_run(run_dir):
        return ""  # what matters most stands in the checkpoint too, see `check_resumable`
    changed = changed_settings(OmegaConf.to_container(OmegaConf.load(path)), settings)
    return changed and (
        f"{run_dir} holds a run with other settings: {changed}; go on with those of then, or choose another run=NAME "
        f"or hydra.run.dir"
    )


def changed_settings(then: Any, settings: Mapping[str, Any]) -> str:
    """List the changed settings that rule out going on, each as "key=value then, value now"; "" = there are none.

    Args:
        then: what it was started with; an option that is new since is taken to have its default.
        settings: resolved, as they are written to config.yaml.
    """
    return _describe_changes(
        {
            key: (before, now)
            for key, (before, now) in _differences(then, settings).items()
            if key not in (*MAY_DIFFER, *MAY_MOVE) and not (key in MAY_GROW and now > before)
        }
    )


def moved_data(then: Any, settings: Mapping[str, Any]) -> str:
    """List the changed paths of the data, each as "key=value then, value now"; "" = there are none.

    Args:
        then: what a training was started with.
        settings: what it goes on with.
    """
    return _describe_changes({key: both for key, both in _differences(then, settings).items() if key in MAY_MOVE})


def _moved_since(run_dir: Path, settings: Mapping[str, Any]) -> str:
    """`moved_data` since the run in this folder was started; "" where the folder does not tell."""
    path = run_dir / CONFIG
    return moved_data(OmegaConf.to_container(OmegaConf.load(path)), settings) if path.is_file() else ""


def _describe_changes(changes: Mapping[str, tuple[Any, Any]]) -> str:
    return "; ".join(f"{key}={before} then, {now} now" for key, (before, now) in changes.items())


def _differences(then: Any, settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The old and the new value of each setting that has changed.

    null stands for a default: it is no change if the other value is that default. A setting that is new since had its
    default; one that is not declared, such as an option of an older layout, is passed over.
    """
    both = [OmegaConf.to_container(OmegaConf.create(to_yaml(one))) for one in (then, settings)]
    (before, now), (full_before, full_now) = map(_flat, both), map(_flat, map(_with_defaults, both))
    before = full_before | before
    changed = [key for key, value in now.items() if key in before and before[key] != value]
    return {key: (before[key], now[key]) for key in changed if full_before[key] != full_now[key]}


def _with_defaults(settings: Any) -> Any:
    """The settings with what null, or nothing, stands for: a default, an option of the model, the usual warm-up."""
    found = dict(settings)
    for group, usual in default_values(task_of(settings).settings).items():
        if isinstance(usual, dict) and isinstance(found.get(group), dict):
            found[group] = usual | found[group]
    model, optim, trainer = (found.get(group) or {} for group in ("model", "optim", "trainer"))
    if "name" in model:
        given = {key: value for key, value in model.items() if value is not None}
        found["model"] = {**model, **all_options(model["name"], given)}
    alone = OptimSettings(probe_epochs=optim.get("probe_epochs", 0))
    if "warmup_epochs" in optim and optim["warmup_epochs"] is None and "max_epochs" in trainer:
        found["optim"] = {**optim, "warmup_epochs": alone.num_warmup_epochs(trainer["max_epochs"])}
    return found


def _flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Values by their dotted names."""
    if not isinstance(settings, dict):
        return {prefix: settings}
    parts = (_flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in settings.items())
    return {name: value for part in parts for name, value in part.items()}


def to_yaml(settings: Mapping[str, Any]) -> str:
    """The settings as config.yaml holds them."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(settings)))


def write_config(run_dir: Path, settings: Mapping[str, Any]) -> None:
    """Write config.yaml, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    write_text(run_dir / CONFIG, to_yaml(settings))


def set_result_aside(run_dir: Path) -> None:
    """Rename the result.json of a shorter training to result_<epochs>_epochs.json: its checkpoints will be replaced."""
    epochs = _result(run_dir).get("training", {}).get("epochs", "some")
    if (run_dir / RESULT).exists():
        os.replace(run_dir / RESULT, run_dir / f"result_{epochs}_epochs.json")


def checkpoint_faults(ckpt_path: str | Path, content: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """List why a training with these settings can't resume from a checkpoint; a sentence each. The data is not read.

    Args:
        ckpt_path: of the checkpoint, for the message.
        content: of the checkpoint.
        settings: resolved, as they are written to config.yaml.
    """
    metadata = content.get(METADATA_KEY)
    try:
        num_epochs, max_epochs = epochs_and_batches(content)[0], settings["trainer"]["max_epochs"]
    except (KeyError, TypeError):
        metadata = None
    if not isinstance(metadata, dict):
        return [
            f"{str(ckpt_path)!r} is no checkpoint that a training can go on from; give a last.ckpt of "
            f"stvit_video.train, or start from its weights with init_from"
        ]
    faults = []
    changed = changed_settings(metadata.get("config") or {}, settings)
    if num_epochs >= max_epochs:
        faults.append(
            f"{str(ckpt_path)!r} has been trained for {num_epochs} epochs, all that trainer.max_epochs={max_epochs} "
            f"asks for; raise trainer.max_epochs to go on"
        )
    if changed:
        faults.append(
            f"{str(ckpt_path)!r} is of a training with other settings: {changed}; go on with those of then, or start a "
            f"new training from its weights with init_from"
        )
    return faults


def check_resumable(ckpt_path: str | Path, module: TaskModule, task: Task) -> str:
    """Raise unless the checkpoint holds this model, with the same classes.

    Args:
        ckpt_path: of a checkpoint without `checkpoint_faults`.
        module: of this training.
        task: of this training.

    Returns:
        The place in the training where it was written, in words.

    Raises:
        CheckpointError: it can't be read, is of another model, data or preprocessing.
    """
    content = read_checkpoint(ckpt_path)
    metadata: Any = content.get(METADATA_KEY)
    check_resume(task.modern(metadata) if isinstance(metadata, dict) else metadata, module.metadata)
    check_weights(module.model, content)
    then, now = metadata["config"], module.metadata["config"]
    moved, epochs = moved_data(then, now), [config["trainer"]["max_epochs"] for config in (then, now)]
    if epochs[0] != epochs[1]:
        rank_zero_warn(
            f"trainer.max_epochs={epochs[0]} then, {epochs[1]} now: from here the learning rate follows the longer "
            "schedule, which may be a jump"
        )
    if moved:
        rank_zero_warn(f"going on with data from another place: {moved}; the videos and their order must be the same")
    num_epochs, num_batches = epochs_and_batches(content)
    place = f"in epoch {num_epochs + 1}, after {num_batches} batches" if num_batches else f"after {num_epochs} epochs"
    return f"{place} (step {content['global_step']})"
