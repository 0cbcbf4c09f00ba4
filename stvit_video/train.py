"""`python -m stvit_video.train`: train a video classifier, then evaluate its best checkpoint.

For example `+experiment=quickstart`, `+experiment=k400 data.root=/data/k400`, or on your own videos
`data=csv data.train=train.csv data.val=val.csv model=stvit_video_deit_tiny`.
"""

import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from stvit_video.assemble import build_module, build_trainer
from stvit_video.build import CONF_DIR, run_command
from stvit_video.data.datamodule import VideoDataModule
from stvit_video.data.dataset import BrokenVideosError
from stvit_video.data.lost_workers import LostWorkerError, lost_workers_named
from stvit_video.evaluation.shards import ShardError
from stvit_video.inference import NothingEvaluatedError
from stvit_video.report import report_training
from stvit_video.resume import check_resumable, new_run_dir
from stvit_video.settings import check_settings, chosen_protocol
from stvit_video.sources import absolute_paths
from stvit_video.training.callbacks import SPEED
from stvit_video.training.module import ClassificationModule, TrainingStoppedError
from stvit_video.training.skipped_videos import SkippedVideos
from stvit_video.viewing import Protocol

Settings = Mapping[str, Any]
MENDABLE = (
    ValueError,
    OSError,
    TrainingStoppedError,
    BrokenVideosError,
    LostWorkerError,
    NothingEvaluatedError,
    ShardError,
    MisconfigurationException,
)


def train(settings: Settings, *, run_dir: Path) -> dict[str, Any]:
    """Train as the settings say, and write checkpoints, logs, curves and result.json into the run directory.

    Args:
        settings: the resolved configuration (conf/train.yaml) as plain values.
        run_dir: the folder of a new run; a resumed run goes on in the folder of its checkpoint.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        ValueError: settings, manifests, a checkpoint or a run directory that can't be used.
        TrainingStoppedError: the loss is not finite, or too many videos can't be read.
        BrokenVideosError: so many videos in a row can't be read that more are broken than allowed.
        LostWorkerError: the system ended a loader process.
        ShardError: one of several processes failed in the final evaluation.
    """
    check_settings(settings)
    settings = {**settings, "protocol": dataclasses.asdict(Protocol.named(**chosen_protocol(settings)))}
    settings = {**settings, "data": absolute_paths(settings["data"])}
    resumed_from = settings["ckpt_path"]
    run_dir = Path(resumed_from).resolve().parent if resumed_from else new_run_dir(run_dir)
    seed_everything(settings["seed"], workers=True, verbose=False)
    module, data = build_module(settings)
    if resumed_from:
        check_resumable(resumed_from, module, settings)
    (run_dir / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(dict(settings))), encoding="utf-8")
    trainer = build_trainer(
        settings["trainer"],
        run_dir=run_dir,
        seed=settings["seed"],
        resumed=bool(resumed_from),
        monitor=module.objective.monitor,
        callbacks=[SkippedVideos(run_dir, data.train_manifest)],
    )
    start = time.perf_counter()
    fit(trainer, module, data, run_dir=run_dir, resumed_from=resumed_from)
    return report_training(
        Path(trainer.strategy.broadcast(str(run_dir))),  # a name made of the time may differ between processes
        checkpoint=settings["report_checkpoint"],
        val_manifest=data.val_manifest,
        data=settings["data"],
        training={
            "seconds": round(time.perf_counter() - start, 1),
            "epochs": trainer.current_epoch,
            "clips_per_second": float(trainer.callback_metrics.get(SPEED, torch.nan)),
            "num_skipped": int(trainer.callback_metrics.get("train/num_skipped", 0)),  # of all processes
            "precision": str(trainer.precision),
        },
    )


def fit(
    trainer: Trainer, module: ClassificationModule, data: VideoDataModule, *, run_dir: Path, resumed_from: str | None
) -> None:
    """`trainer.fit`; where the system ends a loader process, say which video that was reading and how to go on.

    Raises:
        LostWorkerError: it did.
    """
    try:
        with lost_workers_named(data.datasets):
            trainer.fit(module, datamodule=data, ckpt_path=resumed_from, weights_only=True)
    except LostWorkerError as error:
        last = run_dir / "last.ckpt"
        if not last.is_file():
            raise
        raise LostWorkerError(f"{error}; go on with the same command and ckpt_path={last}") from error


@hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="train")
def main(config: DictConfig) -> None:
    """Hydra's entry: the config's plain values go to `train`; what a user can mend is told in one line."""
    hydra_config = HydraConfig.get()
    try:
        settings: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        train(settings, run_dir=Path(hydra_config.runtime.output_dir))
    except MissingMandatoryValue as error:
        message = f"{error.full_key} is missing; give it, for example {error.full_key}=/path"
    except MENDABLE as error:
        message = str(error)
    else:
        return
    if hydra_config.mode == RunMode.MULTIRUN:  # leaving the process would end the other jobs of the sweep
        raise HydraException(message)
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    run_command(main)
