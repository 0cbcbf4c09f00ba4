"""Types and ranges of the training settings."""

from collections.abc import Mapping
from typing import Any, get_args

from omegaconf import MISSING

from stvit_video.data.decoding.video import BACKENDS
from stvit_video.data.loading.frame_source import Cache
from stvit_video.data.loading.multi_scale import BatchRule
from stvit_video.data.sampling.clip_sampling import Sampling
from stvit_video.data.sampling.frame_indices import ShortVideo
from stvit_video.data.transforms.preprocessing import Interpolation
from stvit_video.data.transforms.train_transform import CropMode
from stvit_video.settings.paths import PATHS
from stvit_video.settings.rules import COUNT, SHARE, Rule
from stvit_video.training.class_weights import BALANCED
from stvit_video.training.compiling import COMPILE_MODES
from stvit_video.training.devices import ACCELERATORS, STRATEGIES
from stvit_video.training.distillation import DistillationKind
from stvit_video.training.freezing import TrainedPart
from stvit_video.training.optim import OptimizerName, Schedule

Settings = Mapping[str, Any]
RULES = {
    "run": Rule(str, optional=True),
    "seed": Rule(int, 0, 2**32 - 1),
    "ckpt_path": Rule(str, optional=True),
    "init_from": Rule(str, optional=True),
    "init_head": Rule(str, choices=("new", "keep")),
    "model.name": Rule(str),
    "protocol.name": Rule(str, optional=True),
    "protocol.num_clips": Rule(int, 1, optional=True),
    "protocol.num_crops": Rule(int, 1, optional=True),
    "protocol.average": Rule(str, optional=True),
    **{f"data.{key}": Rule(str, optional=True) for key in ("root", *PATHS)},
    "data.source": Rule(str),
    "data.num_frames": COUNT,
    "data.frame_stride": COUNT,
    "data.short_side": COUNT,
    "data.crop_size": COUNT,
    "data.mean": Rule(float, length=3),
    "data.std": Rule(float, 0, above=True, length=3),
    "data.frame_difference": Rule(bool),
    "data.interpolation": Rule(str, choices=get_args(Interpolation)),
    "data.batch_size": COUNT,
    "data.val_batch_size": Rule(int, 1, optional=True),
    "data.multi_scale": Rule(int, 1, length=0, optional=True),
    "data.multi_scale_batch": Rule(str, choices=get_args(BatchRule)),
    "data.num_workers": Rule(int, 0),
    "data.cache": Rule(str, choices=get_args(Cache)),
    "data.cache_short_side": Rule(int, 1, optional=True),
    "data.cache_limit_gb": Rule(float, 0, above=True),
    "data.max_skipped_fraction": SHARE,
    "data.backend": Rule(str, choices=BACKENDS),
    "data.sampling": Rule(str, choices=get_args(Sampling)),
    "data.target_fps": Rule(float, 0, above=True, optional=True),
    "data.short_video": Rule(str, choices=get_args(ShortVideo)),
    "data.num_repeats": COUNT,
    "optim.lr": Rule(float, 0, above=True),
    "optim.lr_reference_batch": Rule(int, 1, optional=True),
    "optim.expected_batch": Rule(int, 1, optional=True),
    "optim.min_lr": Rule(float, 0),
    "optim.weight_decay": Rule(float, 0),
    "optim.betas": Rule(float, 0, 1, below=True, length=2),
    "optim.warmup_epochs": Rule(float, 0),
    "optim.warmup_lr": Rule(float, 0),
    "optim.optimizer": Rule(str, choices=get_args(OptimizerName)),
    "optim.momentum": Rule(float, 0, 1),
    "optim.nesterov": Rule(bool),
    "optim.schedule": Rule(str, choices=get_args(Schedule)),
    "optim.milestones": Rule(float, 0, above=True, length=0),
    "optim.milestone_factor": Rule(float, 0, 1, above=True),
    "optim.layer_decay": Rule(float, 0, 1, above=True, optional=True),
    "optim.backbone_lr_factor": Rule(float, 0, above=True),
    "optim.train": Rule(str, choices=get_args(TrainedPart)),
    "optim.ema_decay": Rule(float, 0, 1, above=True, optional=True),
    "optim.class_weights": Rule(float, 0, length=0, optional=True, or_words=(BALANCED,)),
    "optim.label_smoothing": SHARE,
    "distill.teacher": Rule(str, optional=True),
    "distill.weight": SHARE,
    "distill.temperature": Rule(float, 0, above=True),
    "distill.kind": Rule(str, choices=get_args(DistillationKind)),
    "augment.scale": Rule(float, 0, 1, above=True, length=2),
    "augment.ratio": Rule(float, 0, above=True, length=2),
    "augment.flip_probability": SHARE,
    "augment.crop": Rule(str, choices=get_args(CropMode)),
    "augment.short_side_jitter": Rule(int, 1, length=2, optional=True),
    "augment.colour_jitter": SHARE,
    "augment.hue_jitter": Rule(float, 0, 0.5),
    "augment.rand_augment": Rule(str, optional=True),
    "augment.erase_probability": SHARE,
    "augment.erase_count": COUNT,
    "augment.mixup_alpha": Rule(float, 0),
    "augment.cutmix_alpha": Rule(float, 0),
    "augment.mix_probability": SHARE,
    "augment.cutmix_share": SHARE,
    "augment.on_device": Rule(bool),
    "trainer.max_epochs": COUNT,
    "trainer.gradient_clip_val": Rule(float, 0, optional=True),
    "trainer.accumulate_grad_batches": COUNT,
    "trainer.compile": Rule(bool, or_words=COMPILE_MODES),
    "trainer.gradient_checkpointing": Rule(bool),
    "trainer.max_nonfinite_steps": COUNT,
    "trainer.check_val_every_n_epoch": COUNT,
    "trainer.log_every_n_steps": COUNT,
    "trainer.checkpoint_minutes": Rule(float, 0, above=True, optional=True),
    "trainer.num_nodes": COUNT,
    "trainer.accelerator": Rule(str, choices=ACCELERATORS),
    "trainer.strategy": Rule(str, choices=STRATEGIES),
    "trainer.sync_batchnorm": Rule(bool),
    "trainer.enable_progress_bar": Rule(bool),
}


def type_faults(settings: Settings) -> dict[str, str]:
    """Describe each setting that is missing, has a wrong type or is out of range; keyed by its name.

    Args:
        settings: the resolved training configuration as plain values; a missing one is "???", as in OmegaConf.
    """
    faults = {name: f"{name} is missing; give it, for example {name}=/path" for name in _missing_names(settings)}
    for group in dict.fromkeys(key.partition(".")[0] for key in RULES if "." in key):
        if not isinstance(settings.get(group), Mapping):
            faults[group] = f"{group}={settings.get(group)!r} must be a group of settings, such as {group}.<name>=..."
    for key, rule in RULES.items():
        group, _, name = key.rpartition(".")
        if group in faults:
            continue
        value = (settings[group] if group else settings).get(name)
        fault = rule.fault(value)
        if fault and key not in faults:
            faults[key] = f"{key}={value!r} {fault}"
    return faults


def _missing_names(settings: Settings) -> list[str]:
    groups = {key: value for key, value in settings.items() if isinstance(value, Mapping)}
    alone = [key for key, value in settings.items() if value == MISSING]
    return [
        *alone,
        *(f"{group}.{key}" for group, of in groups.items() for key, value in of.items() if value == MISSING),
    ]
