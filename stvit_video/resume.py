"""Where a training begins: anew, or where an earlier start of the same command has stopped."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_only, rank_zero_warn
from omegaconf import OmegaConf

from stvit_video.data.transforms import Preprocessing
from stvit_video.models.checkpoints import METADATA_KEY, CheckpointError, check_resume, check_weights, read_checkpoint
from stvit_video.training.checkpointing import BEST, LAST, PREVIOUS, checkpoint_damage, remove_leftovers
from stvit_video.training.module import ClassificationModule

Settings = Mapping[str, Any]
CONFIG, RESULT = "config.yaml", "result.json"
MAY_DIFFER = (  # without a change of what is learnt, or of what is reported
    "ckpt_path",
    "data.backend",
    "data.cache_limit_gb",
    "data.num_workers",
    "data.val_batch_size",
    "run",
    "trainer.checkpoint_minutes",
    "trainer.enable_progress_bar",
    "trainer.log_every_n_steps",
)
MAY_GROW = ("trainer.max_epochs",)
COPIES_KEPT = 4  # last, previous and best, and the one being written
VALUES_PER_WEIGHT = 3  # the weight and the two moments of AdamW


@dataclass(frozen=True)
class Start:
    """Where a training begins.

    Attributes:
        run_dir: its folder.
        checkpoint: to go on from; None = a new training.
        result: what result.json holds, where there is nothing left to do; else None.
    """

    run_dir: Path
    checkpoint: Path | None = None
    result: dict[str, Any] | None = None


def given_start(ckpt_path: str) -> Start:
    """Go on from this checkpoint, in its own folder.

    Raises:
        CheckpointError: it is damaged.
    """
    path = Path(ckpt_path)
    damage = checkpoint_damage(path) if path.is_file() and path.stat().st_size else ""
    if damage.startswith("a checksum"):  # all else is said when it is read
        raise CheckpointError(f"{ckpt_path!r} is damaged ({damage}); go on from another one, such as {PREVIOUS}")
    return Start(path.resolve().parent, path)


def find_start(run_dir: Path, settings: Settings) -> Start:
    """Where the run in this folder goes on; makes the folder, and clears away what killed processes left half written.

    Args:
        run_dir: the folder of the run; it may be new.
        settings: resolved, as they are written to config.yaml.

    Raises:
        ValueError: the run there has other settings, or no checkpoint of it is whole.
        OSError: the folder can't be made.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    rank_zero_only(remove_leftovers)(run_dir)
    result = _result(run_dir)
    if not result and not any((run_dir / name).exists() for name in (LAST, PREVIOUS, BEST)):
        return Start(run_dir)
    _check_same_settings(run_dir, settings)
    if result.get("training", {}).get("epochs", 0) >= settings["trainer"]["max_epochs"]:
        return Start(run_dir, result=result)
    return Start(run_dir, newest_checkpoint(run_dir))


def newest_checkpoint(run_dir: Path) -> Path:
    """The newest checkpoint that is whole; a damaged newer one is put aside with a warning.

    Raises:
        ValueError: none is whole.
    """
    damaged = []
    for path in (run_dir / name for name in (LAST, PREVIOUS, BEST)):
        if not path.is_file():
            continue
        damage = checkpoint_damage(path)
        if not damage:
            return path
        damaged.append(f"{path.name}: {damage}")
        rank_zero_warn(f"{path} is damaged ({damage}) and is put aside; going back to the checkpoint before it")
        if path.name != BEST:  # else the next checkpoint would take it for the one to keep
            rank_zero_only(os.replace)(path, path.with_name(f"{path.name}.damaged"))
    raise ValueError(
        f"{run_dir} holds no whole checkpoint to go on from ({'; '.join(damaged) or 'there is none'}); begin anew with "
        f"another run=NAME or hydra.run.dir"
    )


def _result(run_dir: Path) -> dict[str, Any]:
    """What result.json holds; nothing where it is missing or only half written."""
    try:
        content = json.loads((run_dir / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _check_same_settings(run_dir: Path, settings: Settings) -> None:
    path = run_dir / CONFIG
    if not path.is_file():
        return  # what matters most stands in the checkpoint too, see `check_resumable`
    texts = path.read_text(encoding="utf-8"), to_yaml(settings)
    then, now = (_flat(OmegaConf.to_container(OmegaConf.create(text))) for text in texts)
    changed = [
        f"{key}={then[key]} then, {value} now"
        for key, value in now.items()
        if key in then and then[key] != value and key not in MAY_DIFFER  # an option that is new since has its default
        if not (key in MAY_GROW and value > then[key])
    ]
    if changed:
        raise ValueError(
            f"{run_dir} holds a run with other settings: {'; '.join(changed)}; go on with those of then, or choose "
            f"another run=NAME or hydra.run.dir"
        )


def _flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Values by their dotted names."""
    if not isinstance(settings, dict):
        return {prefix: settings}
    parts = (_flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in settings.items())
    return {name: value for part in parts for name, value in part.items()}


def to_yaml(settings: Settings) -> str:
    """The settings as config.yaml holds them."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(settings)))


def write_config(run_dir: Path, settings: Settings) -> None:
    """Write config.yaml, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    beside = run_dir / f".{CONFIG}.{os.getpid()}.part"
    beside.write_text(to_yaml(settings), encoding="utf-8")
    os.replace(beside, run_dir / CONFIG)


def check_resumable(ckpt_path: str | Path, module: ClassificationModule, settings: Settings) -> str:
    """Raise unless the checkpoint is of this very training.

    Returns:
        The place in the training where it was written, in words.

    Raises:
        CheckpointError: it can't be read, is of another model, data or preprocessing.
        ValueError: other optimizer settings, which the checkpoint's would silently replace.
    """
    content = read_checkpoint(ckpt_path)
    metadata = content.get(METADATA_KEY)
    if not isinstance(metadata, dict) or "epoch" not in content:
        raise CheckpointError(
            f"{str(ckpt_path)!r} is no checkpoint that a training can go on from; give a last.ckpt of "
            f"stvit_video.train, or start from its weights with init_from"
        )
    if isinstance(metadata.get("preprocessing"), dict):  # older runs lack the newer of its settings
        metadata = {**metadata, "preprocessing": Preprocessing.from_dict(metadata["preprocessing"]).to_dict()}
    check_resume(metadata, module.metadata)
    check_weights(module.model, content)
    then, now = metadata["config"]["optim"], settings["optim"]
    changed = [f"optim.{key}={then.get(key)} then, {value} now" for key, value in now.items() if then.get(key) != value]
    if changed:
        raise ValueError(
            f"{str(ckpt_path)!r} goes on with its own optimizer, so these settings would have no effect: "
            f"{', '.join(changed)}; leave them as they were, or start a new run with init_from"
        )
    num_epochs, num_batches = epochs_and_batches(content)
    place = f"in epoch {num_epochs + 1}, after {num_batches} batches" if num_batches else f"after {num_epochs} epochs"
    return f"{place} (step {content['global_step']})"


def check_epochs_left(ckpt_path: str | Path, max_epochs: int) -> None:
    """Raise where nothing is left to train.

    Raises:
        CheckpointError: the checkpoint can't be read.
        ValueError: it has seen all epochs.
    """
    num_epochs, _ = epochs_and_batches(read_checkpoint(ckpt_path))
    if num_epochs >= max_epochs:
        raise ValueError(
            f"{str(ckpt_path)!r} has been trained for {num_epochs} epochs, all that trainer.max_epochs={max_epochs} "
            f"asks for; raise trainer.max_epochs to go on"
        )


def epochs_and_batches(content: Mapping[str, Any]) -> tuple[int, int]:
    """How many whole epochs a checkpoint has seen, and how many batches of the next one."""
    loop = content["loops"]["fit_loop"]
    epochs = loop["epoch_progress"]["current"]
    if epochs["processed"] == epochs["started"]:
        return epochs["processed"], 0
    return epochs["processed"], loop["epoch_loop.batch_progress"]["current"]["processed"]


def check_room(run_dir: Path, module: ClassificationModule) -> None:
    """Raise where the disk can't take the checkpoints that a run keeps.

    Args:
        run_dir: its folder; checkpoints that lie there already are counted as room.
        module: to be trained with AdamW.

    Raises:
        ValueError: says how much is there and how much it takes.
    """
    copies = [(p, VALUES_PER_WEIGHT if p.requires_grad else 1) for p in module.parameters()]
    num_bytes = sum(p.numel() * p.element_size() * number for p, number in copies)
    needed = COPIES_KEPT * num_bytes
    there = shutil.disk_usage(run_dir).free + sum(path.stat().st_size for path in run_dir.glob("*.ckpt"))
    if there < needed:
        raise ValueError(
            f"{run_dir} has room for {there / 1e9:.2f} GB of checkpoints, the run keeps {COPIES_KEPT} of "
            f"{num_bytes / 1e9:.2f} GB at a time; make room, or choose a folder on another disk with hydra.run.dir"
        )
