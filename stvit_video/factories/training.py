"""Build the parts of a training from its settings: data, model in its LightningModule, trainer."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, TQDMProgressBar
from lightning.pytorch.plugins.environments import SLURMEnvironment
from lightning.pytorch.utilities import rank_zero_only, rank_zero_warn

from stvit_video.data.loading.datamodule import VideoDataModule
from stvit_video.data.loading.multi_scale import MultiScale
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.factories.data import ClipParts, build_data
from stvit_video.factories.manifests import names_held_back
from stvit_video.factories.network import given_options
from stvit_video.factories.teacher import foreign_teacher
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.grids import position_grid
from stvit_video.models.checkpoints.load import format_of, load_checkpoint
from stvit_video.models.checkpoints.metadata import checkpoint_metadata
from stvit_video.models.factory import create_model
from stvit_video.settings.train_settings import TaskSettings, TrainSettings
from stvit_video.settings.trainer_settings import TrainerSettings
from stvit_video.training.batch_size import BatchSize, batch_warning, describe_start, learning_rate_scale
from stvit_video.training.callbacks.averaging import WeightAverage
from stvit_video.training.callbacks.carried_metrics import CarriedMetrics
from stvit_video.training.callbacks.checkpointing import AtomicCheckpointIO, LastCheckpoint
from stvit_video.training.callbacks.interruption import StopSignals
from stvit_video.training.callbacks.metrics_csv import MetricsCsv
from stvit_video.training.callbacks.probing import ProbeFirst
from stvit_video.training.callbacks.progress import (
    ClipsPerSecond,
    DataWait,
    EpochLine,
    ResumeHint,
    SeedSteps,
    best_checkpoint,
)
from stvit_video.training.callbacks.steps_per_epoch import StepsPerEpoch
from stvit_video.training.callbacks.tensorboard import TensorBoardLog
from stvit_video.training.class_weights import class_weights
from stvit_video.training.devices import count_processes, find_surroundings, local_devices, uses_gpus
from stvit_video.training.distillation import Distillation, Teacher, load_teacher
from stvit_video.training.freezing import freeze_all_but
from stvit_video.training.module import ClassificationModule
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sandwich import Sandwich
from stvit_video.training.sharding import sharded_strategy


def build_module(
    settings: TrainSettings, clips: ClipParts, *, kept: KeptSplit | None = None
) -> tuple[ClassificationModule, VideoDataModule]:
    """Build the model in its LightningModule, and the data.

    Args:
        settings: the training configuration.
        clips: built of the same settings.
        kept: of a training that goes on, see `build_manifests`.

    Raises:
        ValueError: settings or manifests that can't be used.
    """
    data = build_data(settings, clips, kept=kept)
    model_options = given_options(settings.model) | {"num_classes": len(data.train_manifest.classes)}
    optim = settings.optim
    model = create_model(settings.model.name, **model_options)
    metadata = checkpoint_metadata(
        model_name=settings.model.name,
        model_options=model_options,
        classes=data.train_manifest.classes,
        preprocessing=data.preprocessing.to_dict(),
        protocol=settings.protocol.plain(),
        config=settings.plain(),
        position_grid=position_grid(model),
        multi_label=data.train_manifest.multi_label,
        held_back=names_held_back(settings.data.plain(), data.val_manifest),
    )
    model.recompute_blocks(recompute=settings.trainer.gradient_checkpointing)
    if settings.init_from:
        report = load_checkpoint(model, settings.init_from, new_head=settings.init_head == "new")
        rank_zero_only(print)(f"weights of {settings.init_from}: {report}")
    elif told := describe_weights(settings):
        rank_zero_only(print)(told, flush=True)
    freeze_all_but(model, optim.train)
    module = ClassificationModule(
        model,
        num_classes=model_options["num_classes"],
        metadata=metadata,
        optim=build_optim(settings, learning_rate_factor=scaled_learning_rate(settings, clips.multi_scale)),
        label_smoothing=optim.label_smoothing,
        max_skipped_fraction=settings.data.max_skipped_fraction,
        mixing=clips.mixing,
        device_transform=DeviceTransform(data.preprocessing),
        multi_label=data.train_manifest.multi_label,
        class_weights=class_weights(optim.class_weights, data.train_manifest),
        teacher=build_teacher(settings, data),
        sandwich=Sandwich(distill_weight=optim.sandwich_distill) if optim.sandwich else None,
        guard=NonFiniteGuard(
            max_in_a_row=settings.trainer.max_nonfinite_steps, name_of=video_namer(data.train_manifest)
        ),
        seed=settings.seed,
        compile_mode=compile_mode(settings.trainer.compile),
    )
    return module, data


def build_teacher(settings: TrainSettings, data: VideoDataModule) -> Teacher | None:
    """Load the teacher that the `distill` settings name; None = there is none.

    Raises:
        ValueError: a checkpoint that can't teach on these data.
    """
    distill, classes = settings.distill, data.train_manifest.classes
    if distill.teacher is None:
        return None
    how = Distillation(weight=distill.weight, temperature=distill.temperature, kind=distill.kind)
    if format_of(peek_checkpoint(distill.teacher)) is not None:
        return Teacher(foreign_teacher(distill.teacher, settings.model, num_classes=len(classes)), how)
    return load_teacher(
        distill.teacher,
        how,
        classes=classes,
        multi_label=data.train_manifest.multi_label,
        preprocessing=data.preprocessing,
    )


def video_namer(manifest: Manifest) -> Callable[[int], str]:
    """A function from the index of a video to its name in the list; copies of the module share it."""

    def name_of(index: int) -> str:
        return manifest.records[index].video_id

    return name_of


def compile_mode(setting: bool | str) -> str | None:
    """The mode of `torch.compile` that `trainer.compile` means; None = no compilation."""
    if isinstance(setting, bool):
        return "default" if setting else None
    return setting


def scaled_learning_rate(settings: TaskSettings, sizes: MultiScale | None) -> float:
    """The factor on all learning rates; the first process prints them and the effective batch."""
    data, optim, trainer = settings.data, settings.optim, settings.trainer
    here = find_surroundings()
    batch = BatchSize(
        per_process=data.batch_size // data.num_repeats,
        num_processes=count_processes(trainer.accelerator, trainer.devices, trainer.num_nodes, here),
        num_accumulated=trainer.accumulate_grad_batches,
        num_repeats=data.num_repeats,
        unit="GPU" if uses_gpus(trainer.accelerator, here) else "process",
    )
    reference, expected = optim.lr_reference_batch, optim.expected_batch
    more = "" if sizes is None else f"; {sizes.describe(num_repeats=batch.num_repeats, unit=batch.unit)}"
    rank_zero_only(print)(describe_start(batch, lr=optim.lr, reference_batch=reference) + more, flush=True)
    warning = batch_warning(batch, expected_batch=expected, reference_batch=reference)
    if warning:
        rank_zero_warn(warning)
    return learning_rate_scale(batch, reference_batch=reference)


def build_optim(settings: TaskSettings, *, learning_rate_factor: float = 1.0) -> OptimizerRecipe:
    """Build the optimizer's recipe from the `optim` settings.

    Args:
        settings: of the training.
        learning_rate_factor: on all learning rates.
    """
    optim = settings.optim
    return OptimizerRecipe(
        lr=optim.lr * learning_rate_factor,
        min_lr=optim.min_lr * learning_rate_factor,
        weight_decay=optim.weight_decay,
        decay_all=optim.decay_all,
        betas=optim.betas,
        warmup_epochs=optim.num_warmup_epochs(settings.trainer.max_epochs),
        warmup_lr=optim.warmup_lr * learning_rate_factor,
        optimizer=optim.optimizer,
        momentum=optim.momentum,
        nesterov=optim.nesterov,
        schedule=optim.schedule,
        milestones=optim.milestones,
        milestone_factor=optim.milestone_factor,
        poly_power=optim.poly_power,
        layer_decay=optim.layer_decay,
        backbone_lr_factor=optim.backbone_lr_factor,
        probe_epochs=num_probe_epochs(settings),
        probe_lr=None if optim.probe_lr is None else optim.probe_lr * learning_rate_factor,
    )


def num_probe_epochs(settings: TaskSettings) -> int:
    """Epochs in which the head is trained alone; without weights to start from there is nothing to probe."""
    return settings.optim.probe_epochs if settings.init_from else 0


def build_weight_callbacks(settings: TaskSettings) -> list[Callback]:
    """Build the callbacks that the `optim` settings ask for: a probe first, an average of the weights."""
    probe, decay = num_probe_epochs(settings), settings.optim.ema_decay
    return [*([ProbeFirst(probe)] if probe else []), *([] if decay is None else [WeightAverage(decay)])]


def describe_weights(settings: TrainSettings) -> str:
    """What a recipe with a probe does where it has no weights to start from, in a sentence; "" = nothing to say."""
    if settings.init_from or not settings.optim.probe_epochs:
        return ""
    return (
        "init_from is not given: all weights are random, and all are trained from the first epoch, without a probe; "
        "with few videos it helps most to start from the weights of another training, init_from=/path"
    )


def build_trainer(
    trainer: TrainerSettings,
    *,
    run_dir: Path,
    seed: int,
    resumed: bool,
    monitor: str,
    callbacks: Sequence[Callback] = (),
) -> Trainer:
    """Build Lightning's Trainer with our callbacks, the given ones, and loggers; `monitor` ranks the checkpoints."""
    precision = trainer.precision
    if precision == "auto":
        precision = "bf16-mixed" if torch.cuda.is_available() else "32-true"
    here = find_surroundings()
    strategy: Any = trainer.strategy
    if strategy == "fsdp":
        processes = count_processes(trainer.accelerator, trainer.devices, trainer.num_nodes, here)
        strategy = sharded_strategy(processes)
    table, signals = MetricsCsv(run_dir, resumed=resumed), StopSignals()
    # in a file every state of the bar would stay; there the line of each epoch tells the course
    bar = [TQDMProgressBar(refresh_rate=10)] if trainer.enable_progress_bar and sys.stdout.isatty() else []
    return Trainer(
        max_epochs=trainer.max_epochs,
        accelerator=trainer.accelerator,
        devices=local_devices(trainer.accelerator, trainer.devices, here),
        num_nodes=trainer.num_nodes,
        strategy=strategy,
        sync_batchnorm=trainer.sync_batchnorm,
        precision=precision,
        gradient_clip_val=trainer.gradient_clip_val,
        accumulate_grad_batches=trainer.accumulate_grad_batches,
        check_val_every_n_epoch=trainer.check_val_every_n_epoch,
        log_every_n_steps=trainer.log_every_n_steps,
        enable_progress_bar=bool(bar),
        enable_model_summary=False,
        default_root_dir=str(run_dir),
        # a signal for SLURM to queue the job again is obeyed between steps, by `StopSignals`, and not by Lightning
        plugins=[AtomicCheckpointIO(), *([SLURMEnvironment(auto_requeue=False)] if here.launcher == "SLURM" else [])],
        logger=[table, TensorBoardLog(run_dir)],
        callbacks=[
            SeedSteps(seed),
            ClipsPerSecond(),
            DataWait(),
            EpochLine(),
            ResumeHint(run_dir),
            LearningRateMonitor("epoch"),
            *callbacks,
            StepsPerEpoch(),
            CarriedMetrics(),
            signals,
            best_checkpoint(run_dir, monitor=monitor),
            LastCheckpoint(run_dir, minutes=trainer.checkpoint_minutes, signals=signals, table=table),
            *bar,
        ],
    )
