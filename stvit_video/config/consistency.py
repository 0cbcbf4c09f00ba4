"""Find training settings that contradict each other, before anything is read."""

from collections.abc import Collection
from typing import Any

from stvit_video.config.multi_scale_consistency import multi_scale_faults
from stvit_video.config.optim_consistency import optim_faults, schedule_faults
from stvit_video.config.setting_checks import Check, others_settings, run_checks
from stvit_video.data.layouts.catalogue import LAYOUTS, MAP_LAYOUTS, PICTURE_LAYOUTS
from stvit_video.factories.layout_settings import foreign_faults
from stvit_video.models.registry import MODELS, model_options
from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.map_augment_settings import MapAugmentSettings
from stvit_video.settings.train_settings import TaskSettings, TrainSettings
from stvit_video.training.devices import find_surroundings, process_faults


def contradictions(settings: TrainSettings, wrong: Collection[str]) -> list[str]:
    """List the settings that contradict each other, a sentence each.

    Args:
        settings: of the training.
        wrong: the names of wrong ones; what depends on them is not looked at.
    """
    own = run_checks(CHECKS, settings, wrong)
    return [*shared_contradictions(settings, wrong), *own, *optim_faults(settings, wrong=wrong)]


def shared_contradictions(settings: TaskSettings, wrong: Collection[str]) -> list[str]:
    """List the contradictions between settings that all tasks have.

    Args:
        settings: of the training, of any task.
        wrong: the names of wrong ones.
    """
    return [*run_checks(SHARED_CHECKS, settings, wrong), *schedule_faults(settings, wrong=wrong)]


def chosen_protocol(settings: TrainSettings) -> dict[str, Any]:
    """The `protocol` settings; where they name none, uniform, and for pictures single."""
    usual = "single" if settings.data.source in PICTURE_LAYOUTS else "uniform"
    return {**settings.protocol.plain(), "name": settings.protocol.name or usual}


def _validation_contradictions(settings: TaskSettings) -> list[str]:
    every, epochs = settings.trainer.check_val_every_n_epoch, settings.trainer.max_epochs
    if every <= epochs:
        return []
    return [f"trainer.check_val_every_n_epoch={every} must be at most trainer.max_epochs={epochs}"]


def _sampling_contradictions(settings: TrainSettings) -> list[str]:
    if settings.data.sampling != "segments":
        return []
    tested = chosen_protocol(settings)["name"]
    if tested == "videomae_ssv2":
        return []
    return [
        f"data.sampling=segments trains on clips that span the whole video, protocol.name={tested} tests on others; "
        "use protocol.name=videomae_ssv2"
    ]


def _process_contradictions(settings: TaskSettings) -> list[str]:
    trainer = settings.trainer
    return process_faults(
        trainer.accelerator,
        trainer.devices,
        trainer.num_nodes,
        find_surroundings(),
        strategy=trainer.strategy,
        # which matters there alone: a wrong one must not hide what is wrong with the processes
        precision=str(trainer.precision) if trainer.strategy == "fsdp" else "auto",
        sync_batchnorm=trainer.sync_batchnorm,
    )


def _frame_contradictions(settings: TrainSettings) -> list[str]:
    """Refuse pictures for a video model, and clips for an image model; `create_model` refuses unknown names."""
    data, model = settings.data, settings.model.name
    frames, pictures = data.num_frames, data.source in PICTURE_LAYOUTS
    takes_clips = model in MODELS and "num_frames" in model_options(model)
    if pictures and takes_clips:
        other = model.replace("video_", "")
        return [f"model={model} takes clips, data.source={data.source} gives pictures; use model={other}"]
    if pictures and frames > 1:
        return [f"data.num_frames={frames} does not fit data.source={data.source}, a picture has one; leave it out"]
    if frames > 1 and model in MODELS and not takes_clips:
        return [
            f"model={model} takes one frame, data.num_frames={frames} gives it clips; use a model with video in its "
            "name, or data.num_frames=1"
        ]
    if frames == 1 and data.frame_difference:
        return ["data.frame_difference=true leaves nothing of one frame; use data.num_frames=2 or more"]
    if data.static_clip != "none" and data.frame_difference:
        return [
            f"data.static_clip={data.static_clip} has no changes for data.frame_difference=true; "
            "use data.frame_difference=false, or data.static_clip=none"
        ]
    return []


def _layout_contradictions(settings: TrainSettings) -> list[str]:
    data = settings.data
    return foreign_faults({"source": data.source, **data.options}) if data.source in LAYOUTS else []


def _repeat_contradictions(settings: TrainSettings) -> list[str]:
    batch_size, repeats = settings.data.batch_size, settings.data.num_repeats
    if batch_size % repeats == 0:
        return []
    return [f"data.batch_size={batch_size} counts clips and must be a multiple of data.num_repeats={repeats}"]


def _mixing_contradictions(settings: TrainSettings) -> list[str]:
    augment = settings.augment
    if settings.data.batch_size != 1 or not augment.mix_probability:
        return []
    if not max(augment.mixup_alpha, augment.cutmix_alpha):
        return []
    return ["data.batch_size=1 leaves nothing to mix a clip with; use 2 or more, or augment.mix_probability=0"]


def _box_contradictions(settings: TrainSettings) -> list[str]:
    usual, shared = BoxAugmentSettings(), ("photometric_probability",)
    owners = {
        "task=detection and task=instance": [name for name in BoxAugmentSettings.model_fields if name not in shared],
        "task=detection, task=instance and task=semantic": shared,
    }
    return [
        fault
        for of, names in owners.items()
        for fault in others_settings(settings.augment, usual, names=names, group="augment", of=of)
    ]


def _map_contradictions(settings: TrainSettings) -> list[str]:
    source, names = settings.data.source, MapAugmentSettings.model_fields
    of_maps = others_settings(settings.augment, MapAugmentSettings(), names=names, group="augment", of="task=semantic")
    if source not in MAP_LAYOUTS:
        return of_maps
    return [f"data.source={source} has label maps and no labels of whole pictures; use task=semantic", *of_maps]


def _cache_contradictions(settings: TrainSettings) -> list[str]:
    data, jitter = settings.data, settings.augment.short_side_jitter
    if data.cache != "memory" or not jitter:
        return []
    kept = data.cache_short_side or data.short_side
    if max(jitter) <= kept:
        return []
    return [
        f"augment.short_side_jitter={list(jitter)} would enlarge frames kept at {kept} pixels; "
        f"use data.cache_short_side={max(jitter)}"
    ]


def _run_contradictions(settings: TaskSettings) -> list[str]:
    run = settings.run
    if run is None or all(part.strip(". ") for part in run.split("/")):
        return []
    return [f"run={run!r} is no name of a folder in outputs/; give a word, such as run=first"]


def _start_contradictions(settings: TaskSettings) -> list[str]:
    if settings.init_head == "new" or settings.init_from:
        return []
    return ["init_head=keep takes the head of init_from along, and there is none; give it, or leave init_head out"]


SHARED_CHECKS: tuple[Check, ...] = (
    _run_contradictions,
    _start_contradictions,
    _validation_contradictions,
    _process_contradictions,
)
CHECKS: tuple[Check, ...] = (
    _sampling_contradictions,
    _frame_contradictions,
    _layout_contradictions,
    _repeat_contradictions,
    _mixing_contradictions,
    _cache_contradictions,
    _box_contradictions,
    _map_contradictions,
    multi_scale_faults,
)
