"""Where a training goes on: the folder of a run, and what a checkpoint must be to be gone on from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.transforms import Preprocessing
from stvit_video.models.checkpoints import METADATA_KEY, CheckpointError, check_resume, check_weights, read_checkpoint
from stvit_video.training.module import ClassificationModule

Settings = Mapping[str, Any]


def new_run_dir(run_dir: Path) -> Path:
    """Make the folder of a new run; the files of an old one are never mixed with it.

    Raises:
        ValueError: a run is there already.
        OSError: the folder can't be made.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    old = [name for name in ("last.ckpt", "best.ckpt", "result.json") if (run_dir / name).exists()]
    if old:
        raise ValueError(
            f"{run_dir} holds a run already ({', '.join(old)}); go on with ckpt_path={run_dir}/last.ckpt, "
            f"or choose another hydra.run.dir"
        )
    return run_dir


def check_resumable(ckpt_path: str, module: ClassificationModule, settings: Settings) -> None:
    """Raise unless the checkpoint is of this very training, and there is something left to train.

    Raises:
        CheckpointError: it can't be read, is of another model, data or preprocessing.
        ValueError: other optimizer settings, which the checkpoint's would silently replace, or no epoch left.
    """
    content = read_checkpoint(ckpt_path)
    metadata = content.get(METADATA_KEY)
    if not isinstance(metadata, dict) or "epoch" not in content:
        raise CheckpointError(
            f"{ckpt_path!r} is no checkpoint that a training can go on from; give a last.ckpt of stvit_video.train, "
            f"or start from its weights with init_from"
        )
    if isinstance(metadata.get("preprocessing"), dict):  # older runs lack the newer of its settings
        metadata = {**metadata, "preprocessing": Preprocessing.from_dict(metadata["preprocessing"]).to_dict()}
    check_resume(metadata, module.metadata)
    check_weights(module.model, content)
    then, now = metadata["config"]["optim"], settings["optim"]
    changed = [f"optim.{key}={then.get(key)} then, {value} now" for key, value in now.items() if then.get(key) != value]
    if changed:
        raise ValueError(
            f"{ckpt_path!r} goes on with its own optimizer, so these settings would have no effect: "
            f"{', '.join(changed)}; leave them as they were, or start a new run with init_from"
        )
    num_epochs = content["epoch"] + 1
    if num_epochs >= settings["trainer"]["max_epochs"]:
        raise ValueError(
            f"{ckpt_path!r} has been trained for {num_epochs} epochs, all that trainer.max_epochs="
            f"{settings['trainer']['max_epochs']} asks for; raise trainer.max_epochs to go on"
        )
