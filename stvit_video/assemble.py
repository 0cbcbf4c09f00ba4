"""From the settings of a training to its parts: data, model in its LightningModule, trainer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from stvit_video.build import build_mixing, build_preprocessing, build_sampling, build_train_transform
from stvit_video.data.datamodule import VideoDataModule
from stvit_video.data.dataset import attempts_for
from stvit_video.data.device_transform import DeviceTransform
from stvit_video.models.build import create_model
from stvit_video.models.checkpoints import checkpoint_metadata, load_checkpoint
from stvit_video.sources import build_frame_reader, build_manifests
from stvit_video.training.callbacks import (
    ClipsPerSecond,
    DataWait,
    EpochLine,
    ResumeHint,
    SeedSteps,
    checkpoint_callbacks,
)
from stvit_video.training.loggers import csv_logger
from stvit_video.training.module import ClassificationModule
from stvit_video.training.optim import OptimizerPlan

Settings = Mapping[str, Any]


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
    module = ClassificationModule(
        model,
        num_classes=model_options["num_classes"],
        metadata=metadata,
        optim=build_optim(settings["optim"]),
        label_smoothing=settings["optim"]["label_smoothing"],
        max_skipped_fraction=settings["data"]["max_skipped_fraction"],
        mixing=build_mixing(settings["augment"]),
        device_transform=DeviceTransform(data.preprocessing),
        multi_label=data.train_manifest.multi_label,
    )
    return module, data


def build_optim(optim: Settings) -> OptimizerPlan:
    """Optimizer and learning rate, of the `optim` settings."""
    return OptimizerPlan(
        lr=optim["lr"],
        min_lr=optim["min_lr"],
        weight_decay=optim["weight_decay"],
        betas=tuple(optim["betas"]),
        warmup_epochs=optim["warmup_epochs"],
    )


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
