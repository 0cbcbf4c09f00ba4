"""`python -m stvit_video.train`: train a video classifier, then evaluate its best checkpoint.

For example `+experiment=quickstart`, `+experiment=k400 data.root=/data/k400`, or on your own videos
`data=csv data.train=train.csv data.val=val.csv model=stvit_video_deit_tiny`.
"""

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import LearningRateMonitor, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from stvit_video.build import (
    CONF_DIR,
    build_mixing,
    build_preprocessing,
    build_sampling,
    build_train_transform,
    run_command,
)
from stvit_video.data.datamodule import VideoDataModule
from stvit_video.data.dataset import BrokenVideosError, attempts_for
from stvit_video.data.device_transform import DeviceTransform
from stvit_video.data.lost_workers import LostWorkerError, lost_workers_named
from stvit_video.data.transforms import Preprocessing
from stvit_video.evaluation.shards import ShardError
from stvit_video.inference import NothingEvaluatedError
from stvit_video.models.build import create_model
from stvit_video.models.checkpoints import (
    METADATA_KEY,
    CheckpointError,
    check_resume,
    check_weights,
    checkpoint_metadata,
    load_checkpoint,
    read_checkpoint,
)
from stvit_video.report import report_training
from stvit_video.settings import check_settings, chosen_protocol
from stvit_video.sources import absolute_paths, build_frame_reader, build_manifests
from stvit_video.training.callbacks import (
    SPEED,
    ClipsPerSecond,
    DataWait,
    EpochLine,
    ResumeHint,
    SeedSteps,
    checkpoint_callbacks,
)
from stvit_video.training.loggers import csv_logger
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


def build_module(settings: Settings) -> tuple[ClassificationModule, VideoDataModule]:
    """The model in its LightningModule, and the data.

    Raises:
        ValueError: settings or manifests that can't be used.
    """
    data = build_data(settings)
    model_options = {k: v for k, v in settings["model"].items() if k != "name" and v is not None}
    model_options["num_classes"] = len(data.train_manifest.classes)
    metadata = checkpoint_metadata(
        model_name=settings["model"]["name"],
        model_options=model_options,
        classes=data.train_manifest.classes,
        preprocessing=data.preprocessing.to_dict(),
        protocol=settings["protocol"],
        config=settings,
        multi_label=data.train_manifest.multi_label,
    )
    model = create_model(settings["model"]["name"], **model_options)
    if settings["init_from"]:
        print(f"weights of {settings['init_from']}: {load_checkpoint(model, settings['init_from'], new_head=True)}")
    optim = settings["optim"]
    module = ClassificationModule(
        model,
        num_classes=model_options["num_classes"],
        metadata=metadata,
        lr=optim["lr"],
        min_lr=optim["min_lr"],
        weight_decay=optim["weight_decay"],
        betas=tuple(optim["betas"]),
        warmup_epochs=optim["warmup_epochs"],
        label_smoothing=optim["label_smoothing"],
        max_skipped_fraction=settings["data"]["max_skipped_fraction"],
        mixing=build_mixing(settings["augment"]),
        device_transform=DeviceTransform(data.preprocessing),
        multi_label=data.train_manifest.multi_label,
    )
    return module, data


def build_data(settings: Settings) -> VideoDataModule:
    """Manifests, transforms and loaders.

    Raises:
        ValueError: settings or manifests that can't be used.
    """
    data, augment = settings["data"], settings["augment"]
    preprocessing = build_preprocessing(data)
    train_transform, sampling = build_train_transform(augment, preprocessing), build_sampling(data)
    train_manifest, val_manifest = build_manifests(data)
    return VideoDataModule(
        train_manifest,
        val_manifest,
        preprocessing=preprocessing,
        train_transform=train_transform,
        sampling=sampling,
        num_repeats=data["num_repeats"],
        max_attempts=attempts_for(data["max_skipped_fraction"]),
        read_frames=build_frame_reader(data, train_manifest),
        batch_size=data["batch_size"],
        val_batch_size=data["val_batch_size"],
        num_workers=data["num_workers"],
        backend=data["backend"],
        cache=data["cache"],
        cache_short_side=data["cache_short_side"],
        cache_limit_gb=data["cache_limit_gb"],
        seed=settings["seed"],
    )


def build_trainer(
    trainer: Settings, *, run_dir: Path, seed: int, resumed: bool, monitor: str, callbacks: Sequence[Callback] = ()
) -> Trainer:
    """Lightning's Trainer with our callbacks, the given ones, and loggers; `monitor` tells the best checkpoint."""
    precision = trainer["precision"]
    if precision == "auto":
        precision = "bf16-mixed" if torch.cuda.is_available() else "32-true"
    bar = [TQDMProgressBar(refresh_rate=10)] if trainer["enable_progress_bar"] else []
    return Trainer(
        max_epochs=trainer["max_epochs"],
        accelerator=trainer["accelerator"],
        devices=trainer["devices"],
        num_nodes=trainer["num_nodes"],
        strategy=trainer["strategy"],
        precision=precision,
        gradient_clip_val=trainer["gradient_clip_val"],
        accumulate_grad_batches=trainer["accumulate_grad_batches"],
        check_val_every_n_epoch=trainer["check_val_every_n_epoch"],
        log_every_n_steps=trainer["log_every_n_steps"],
        enable_progress_bar=trainer["enable_progress_bar"],
        enable_model_summary=False,
        default_root_dir=str(run_dir),
        logger=[
            csv_logger(run_dir, resumed=resumed),
            TensorBoardLogger(str(run_dir), name="tensorboard", version=""),
        ],
        callbacks=[
            SeedSteps(seed),
            ClipsPerSecond(),
            DataWait(),
            EpochLine(),
            ResumeHint(run_dir),
            LearningRateMonitor("epoch"),
            *callbacks,
            *checkpoint_callbacks(str(run_dir), monitor=monitor),
            *bar,
        ],
    )


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
